"""The installed reference's own decisions, asked for by JSON lines.

    python reference.py plan          a line each: {document, host, monitorRate, hostTargets, flags}
    python reference.py next URL RUNS_DB DAQ_DB
                                      a line each: {host}; the runs its loop would take, in order

The reference is straxen's bootstrax.py as it is installed, changed only from outside: what
surrounds it (logger, context, connections, waiting, the start of a child process) is given by this
program, and every decision is made by its own functions.
"""

import json
import os
import sys
import tempfile
import types
from pathlib import Path

from bson import json_util


class Silent:
    """A logger that nobody reads."""

    def __getattr__(self, _):
        return lambda *_, **__: None


class Stop(BaseException):
    """Ends the reference's endless loop; not an error that it could catch."""


class Started(BaseException):
    """The reference would now start a child with these arguments."""

    def __init__(self, kwargs):
        super().__init__()
        self.kwargs = kwargs


class Unavailable:
    """A collection that no decision under test may touch."""

    def __getattr__(self, name):
        raise AssertionError(f"the reference asked for {name}")


class Databases:
    """In place of the reference's connections."""

    def __init__(self, production=False):
        self.run_db = types.SimpleNamespace(command=lambda _: None)
        self.daq_db = types.SimpleNamespace(command=lambda _: None)
        self.run_coll = self.ag_stat_coll = self.log_coll = self.bs_coll = Unavailable()

    def log_warning(self, *_, **__):
        pass


def load():
    """Imports the installed program in surroundings that need no experiment."""
    sys.argv = ["bootstrax", "--production", "--infer_mode", "--undying"]
    sys.modules["daqnt"] = types.SimpleNamespace(get_daq_logger=lambda *_, **__: Silent())
    import straxen
    from straxen import daq_core

    straxen.print_versions = lambda *_, **__: "not asked for"
    straxen.contexts.xenonnt_online = lambda *_, **__: None
    daq_core.pre_folder = tempfile.mkdtemp(prefix="bootstrax-reference-")
    daq_core.DataBases = Databases
    from straxen.scripts import bootstrax

    Path(daq_core.pre_folder).rmdir()
    import time

    # Nothing here waits: a rate that is not there at once is not there.
    bootstrax.time = types.SimpleNamespace(time=time.time, sleep=lambda _: None)
    bootstrax.timeouts["max_data_rate_infer_time"] = 0
    bootstrax.ping_dbs = lambda: None
    return bootstrax


class Planner:
    """What it would start a child with for a run document."""

    def __init__(self, reference):
        self.reference = reference
        self.failed = None
        reference.clean_run = lambda **_: None
        reference.fail_run = self._fail
        reference.osp = types.SimpleNamespace(exists=lambda _: True, join=os.path.join)
        reference.os = types.SimpleNamespace(remove=lambda _: None)
        reference.multiprocessing = types.SimpleNamespace(Process=self._start)
        reference.send_heartbeat = lambda *_: None

    def _fail(self, rd, reason, **_):
        self.failed = reason

    def _start(self, target, kwargs):
        raise Started(kwargs)

    def answer(self, line):
        reference = self.reference
        reference.hostname = line["host"]
        flags = {"fix_target": False, "fix_resources": False, "infer_mode": True}
        vars(reference.args).update({**flags, **line.get("flags", {})})
        rate = line.get("monitorRate")
        reference.ag_stat_coll = types.SimpleNamespace(
            aggregate=lambda _: [] if rate is None else [{"_id": "tpc", "rate": rate}]
        )
        host_targets = types.SimpleNamespace(find_one=lambda _: line.get("hostTargets"))
        reference.daq_db = {"bootstrax_config": host_targets}
        self.failed = None
        # As the claim hands it on.
        document = {"_id": None, **line["document"]}
        try:
            reference.process_run(document)
        except Started as started:
            return self._plan(started.kwargs)
        except Exception as error:
            return {"crash": f"{type(error).__name__}: {error}"}
        return {"failed": self.failed}

    @staticmethod
    def _plan(kwargs):
        return {
            "targets": list(kwargs["targets"]),
            "postProcessing": list(kwargs["post_processing"]),
            "cores": int(kwargs["cores"]),
            "maxMessages": int(kwargs["max_messages"]),
            "timeoutSeconds": int(kwargs["timeout"]),
            "recordsCompressor": kwargs["records_compressor"],
            "runConfig": {
                "readout_threads": kwargs["readout_threads"],
                "daq_chunk_duration": kwargs["daq_chunk_duration"],
                "daq_overlap_chunk_duration": kwargs["daq_overlap_chunk_duration"],
                "record_length": kwargs["samples_per_record"],
                "daq_compressor": kwargs["compressor"],
                "run_start_time": kwargs["run_start_time"],
            },
        }


class Taker:
    """Which runs its loop takes, one after the other, from a database."""

    def __init__(self, reference, url, runs_db, daq_db):
        import pymongo

        self.reference = reference
        client = pymongo.MongoClient(url)
        self.runs = client[runs_db]["runs"]
        reference.run_coll = self.runs
        reference.bs_coll = client[daq_db]["eb_monitor"]
        reference.sufficient_diskspace = lambda: None
        reference.set_state = lambda *_: None
        reference.cleanup_db = lambda: None
        reference.process_run = lambda rd: self.taken.append(rd["number"])
        self.can_process = reference.eb_can_process
        reference.kill_process = lambda _: None
        reference.time.sleep = self._idle
        self.taken = []

    def _idle(self, _):
        raise Stop

    def answer(self, line):
        self.reference.hostname = line["host"]
        self.taken = []
        before = list(self.runs.find())
        crash = None
        # As it is now: what it takes here nobody processes, so the queue stays as long as it is.
        allowed = self.can_process()
        self.reference.eb_can_process = lambda: allowed
        try:
            self.reference.loop()
        except Stop:
            pass
        except Exception as error:
            crash = f"{type(error).__name__}: {error}"
        for document in before:
            if document["number"] in self.taken or crash is not None:
                self.runs.replace_one({"_id": document["_id"]}, document)
        return {"runs": self.taken, "allowed": allowed, "crash": crash}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    what, *arguments = sys.argv[1:]
    reference = load()
    asked = Planner(reference) if what == "plan" else Taker(reference, *arguments)
    for text in sys.stdin:
        answers.write(json.dumps(asked.answer(json_util.loads(text)), default=repr) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
