"""Asks straxen's writable RunDB for a place for data that is registered already.

Usage: HOST OUTPUT CONTEXT RUN; prints, a line of JSON, what it answered for each data type.
"""

import importlib
import json
import socket
import sys

host, output, name, run = sys.argv[1:]
socket.getfqdn = lambda *_: host

import strax  # noqa: E402
import straxen  # noqa: E402

module, function = name.split(":")
context = getattr(importlib.import_module(module), function)()
run_db = straxen.RunDB(
    minimum_run_number=0, runid_field="number", rucio_path=None, new_data_path=output
)
answers = {}
for entry in run_db.collection.find_one({"number": int(run)})["data"]:
    if entry["type"] == "live":
        continue
    try:
        answers[entry["type"]] = run_db.find(context.key_for(run, entry["type"]), write=True)[1]
    except strax.DataExistsError as error:
        answers[entry["type"]] = f"exists at {error.at[1]}"
print(json.dumps(answers))
