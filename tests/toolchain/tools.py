"""Runs ajax and restrax, as installed, on one event builder.

Usage: HOST PRE_PROCESSED PROCESSED COMMAND [ARGUMENT...]; prints, a line of JSON, what it found.

- `find RUN...`: what each mode of ajax would look at and remove (by run number), once with its own
  waiting times and once as if they were over, and which of these runs restrax would take;
- `restrax RUN`: restrax handles that run.
"""

import argparse
import json
import logging
import sys

from outside import event_builder

host, pre_processed, processed, command, *arguments = sys.argv[1:]
event_builder(host, pre_processed, processed)

from straxen import daq_core  # noqa: E402
from straxen.scripts import ajax, restrax  # noqa: E402


class Watched:
    """The runs collection; writes down which runs each question finds."""

    def __init__(self, collection, numbers: set, answering: bool) -> None:
        self._collection, self._numbers, self._answering = collection, numbers, answering

    def find(self, query):
        found = list(self._collection.find(query))
        self._numbers.update(document["number"] for document in found)
        return found if self._answering else []

    def find_one(self, query):
        found = self.find(query) or [None]
        return found[0]


def ajax_finds(waits_are_over: bool) -> dict:
    """Runs that each mode of ajax asks the database for, and what it would remove of them."""
    databases = daq_core.DataBases(production=False)
    ajax.hostname, ajax.databases, ajax.log = host, databases, logging.getLogger("ajax")
    ajax.bs_coll, ajax.args = databases.bs_coll, argparse.Namespace(production=False, force=False)
    ajax.args.clean, ajax.args.ask_confirm = "all", False
    ajax.set_state = lambda _: None
    removed: list = []
    ajax.delete_data = lambda rd, path, *_, **__: removed.append([rd["number"], path])
    ajax._remove_unregistered_run = lambda _, run_id, **__: removed.append([int(run_id), "all"])
    waits = ("remove_live_after", "wait_after_processing")
    own = {name: ajax.ajax_thresholds[name] for name in waits}
    if waits_are_over:
        ajax.ajax_thresholds.update(dict.fromkeys(waits, -60))
    modes = {
        "clean_ceph": (ajax.clean_ceph, {}, False),
        "clean_abandoned": (ajax.clean_abandoned, {}, False),
        "clean_abandoned_live": (ajax.clean_abandoned, {"delete_live": True}, False),
        "clean_non_latest": (ajax.clean_non_latest, {}, False),
        "clean_database": (ajax.clean_database, {}, True),
        "clean_unregistered": (ajax.clean_unregistered, {"_clean_from": f"{pre_processed}/"}, True),
    }
    finds = {}
    for name, (clean, options, answering) in modes.items():
        numbers: set = set()
        ajax.run_coll = Watched(databases.run_coll, numbers, answering)
        removed.clear()
        # Live data is removed by this machine alone.
        ajax.hostname = ajax.eb_can_clean_ceph if name == "clean_ceph" else host
        clean(**options)
        finds[name] = {"finds": sorted(numbers), "removes": list(removed)}
    ajax.ajax_thresholds.update(own)
    return finds


def restrax_with(number: int | None):
    """restrax as it runs in production, here for one run."""
    arguments = argparse.Namespace(
        production=True,
        input_folder=pre_processed,
        max_threads=1,
        ignore_checks=False,
        skip_compression=["*event*"],
        process=number,
        deep_compare=True,
        recompress_min_chunks=2,
        bypass_mode=False,
    )
    return restrax.ReStrax(arguments)


if command == "find":
    found = {
        "ajax": ajax_finds(waits_are_over=False),
        "ajaxLater": ajax_finds(waits_are_over=True),
        "restrax": [int(run) for run in arguments if restrax_with(int(run)).find_work()],
    }
elif command == "restrax":
    restrax_with(int(arguments[0])).infinite_loop(close=True)
    found = {}
else:
    raise SystemExit(f"unknown command {command}")
print(json.dumps(found))
