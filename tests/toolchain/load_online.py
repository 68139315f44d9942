"""Compares what the online monitor holds of a run with what lies on disk.

Usage: OUTPUT CONTEXT RUN; prints, a line of JSON, the rows by data type.
"""

import importlib
import json
import sys

import numpy as np
import strax
import straxen
from bootstrax_worker.frontends import ONLINE_TYPES

output, name, run = sys.argv[1:]
module, function = name.split(":")


def context_with(*storage):
    """The manager's context, that loads and makes nothing."""
    context = getattr(importlib.import_module(module), function)()
    context.storage = list(storage)
    everything = tuple(context._plugin_class_registry)
    context.set_context_config({"forbid_creation_of": everything})
    return context


online = context_with(straxen.OnlineMonitor(readonly=True, take_only=ONLINE_TYPES))
direct = context_with(strax.DataDirectory(output, readonly=True))
loaded = {}
for data_type in ONLINE_TYPES:
    if data_type not in online._plugin_class_registry or not online.is_stored(run, data_type):
        continue
    rows = online.get_array(run, data_type, progress_bar=False)
    same = direct.get_array(run, data_type, progress_bar=False)
    for field in rows.dtype.names:
        assert np.array_equal(rows[field], same[field]), (data_type, field)
    loaded[data_type] = len(rows)
print(json.dumps(loaded))
