"""Compares what two processings of a run have stored, array by array and lineage by lineage.

    python compare_data.py PLAN FOLDER OTHER
    python compare_data.py                      the same for each line `PLAN FOLDER OTHER` of stdin

Loads the targets of the plan through its context as well, as a user of strax does. Prints one JSON
object: the data types, their rows, and what differs.
"""

import importlib
import json
import os
import sys

import numpy as np
import strax


def stored(folder, run_id):
    found = {}
    for name in sorted(os.listdir(folder)):
        if name.startswith(run_id + "-"):
            found[name.split("-")[1]] = os.path.join(folder, name)
    return found


def load(path):
    backend = strax.FileSytemBackend()
    metadata = backend.get_metadata(path)
    chunks = [chunk.data for chunk in backend.loader(path)]
    return metadata, np.concatenate(chunks)


def through_context(plan, folder):
    name, _, function = plan["context"].partition(":")
    context = getattr(importlib.import_module(name), function)(**plan["contextOptions"])
    context.storage = [strax.DataDirectory(folder, readonly=True)]
    context.set_context_config({"forbid_creation_of": "*"})
    context.set_config(plan["runConfig"])
    return {
        target: len(context.get_array(plan["runId"], target, progress_bar=False))
        for target in plan["targets"]
    }


def compare(plan, folder, other):
    ours, theirs = stored(folder, plan["runId"]), stored(other, plan["runId"])
    differences = [f"only on one side: {t}" for t in sorted(ours.keys() ^ theirs.keys())]
    rows, sums = {}, {}
    for data_type in sorted(ours.keys() & theirs.keys()):
        (metadata, array), (other_metadata, other_array) = (
            load(ours[data_type]),
            load(theirs[data_type]),
        )
        rows[data_type] = len(array)
        if "area" in (array.dtype.names or ()):
            sums[data_type] = float(array["area"].sum())
        if metadata["lineage"] != other_metadata["lineage"]:
            differences.append(f"{data_type}: lineage differs")
        if os.path.basename(ours[data_type]) != os.path.basename(theirs[data_type]):
            differences.append(f"{data_type}: hash differs")
        if array.dtype != other_array.dtype or array.tobytes() != other_array.tobytes():
            differences.append(f"{data_type}: data differs")
    return {
        "rows": rows,
        "areas": sums,
        "differences": differences,
        "loaded": through_context(plan, folder),
    }


def compare_paths(plan_path, folder, other):
    with open(plan_path) as file:
        return json.dumps(compare(json.load(file), folder, other))


if __name__ == "__main__":
    if sys.argv[1:]:
        print(compare_paths(*sys.argv[1:]))
    else:
        for line in sys.stdin:
            print(compare_paths(*line.split()), flush=True)
