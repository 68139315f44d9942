"""Loads all that a run document lists on a host, as an analyst on that host would.

Given is nothing but the file that XENON_CONFIG names. Usage: HOST OUTPUT CONTEXT RUN...; prints, a
line of JSON, the rows of each data type of each run, by run and type.
"""

import importlib
import json
import socket
import sys

host, output, name, *runs = sys.argv[1:]
socket.getfqdn = lambda *_: host

import numpy as np  # noqa: E402
import strax  # noqa: E402
import straxen  # noqa: E402


def context_with(*storage):
    """The manager's context, that loads and makes nothing."""
    module, function = name.split(":")
    context = getattr(importlib.import_module(module), function)()
    context.storage = list(storage)
    everything = tuple(context._plugin_class_registry)
    context.set_context_config({"forbid_creation_of": everything, "check_available": ()})
    return context


run_db = straxen.RunDB(minimum_run_number=0, runid_field="number", rucio_path=None)
registered = context_with(run_db)
direct = context_with(strax.DataDirectory(output, readonly=True))

loaded: dict[str, dict[str, int]] = {}
for run in runs:
    document = run_db.collection.find_one({"number": int(run)})
    loaded[run] = {}
    for entry in document["data"]:
        if entry["host"] != host:
            continue
        data_type = entry["type"]
        key = registered.key_for(run, data_type)
        assert entry["location"] == f"{output}/{key}", (entry["location"], str(key))
        assert run_db.find(key) == (entry["protocol"], entry["location"])
        assert run_db.find_several([key]) == [(entry["protocol"], entry["location"])]
        assert registered.is_stored(run, data_type), data_type
        rows = registered.get_array(run, data_type, progress_bar=False)
        same = direct.get_array(run, data_type, progress_bar=False)
        assert rows.dtype == same.dtype and rows.tobytes() == same.tobytes(), data_type
        assert np.all(np.diff(rows["time"]) >= 0), data_type
        loaded[run][data_type] = len(rows)
        listed = registered.list_available(data_type)
        assert run in listed, (data_type, listed)

print(json.dumps(loaded))
