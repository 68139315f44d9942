"""Stands in for the worker where strax is not what is measured.

It speaks the worker's protocol and starts attempts under the worker's own guardian. Each attempt
writes a small folder of raw records of one second, and ends.
"""

import json
import os
import select
import signal
import socket
import sys
import time

from bootstrax_worker import durable, guardian, job, protocol, stamp
from bootstrax_worker.identity import identity
from bootstrax_worker.manager_link import ManagerLink

_TYPE, _HASH = "raw_records", "standin"
_LINEAGE = {_TYPE: ["StandIn", "1", {}]}
_SPAN_NS = (0, 1_000_000_000)
_CHUNK = b"row"
_GRAPH = {
    "version": protocol.VERSION,
    "context": "stand-in",
    "types": {_TYPE: {"plugin": "StandIn", "dependsOn": [], "saved": "always"}},
}


class StandIn:
    """A worker that is warm at once, for one manager."""

    def __init__(self, manager_fd: int) -> None:
        self._link = ManagerLink(socket.socket(fileno=manager_fd))

    def serve(self) -> None:
        """Start requested attempts, one after the other, until the manager leaves."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        first = self._link.receive_one()
        if first is None or first["type"] != "start":
            sys.exit("nobody has said what this worker is for")
        self._link.send(
            {
                **{"type": "hello", "identity": identity(os.getpid()), "versions": {}},
                **{"terms": first["terms"], "changed": []},
            }
        )
        self._link.send({"type": "graph", "graph": _GRAPH})
        self._link.send({"type": "ready", "warm": True, "seconds": 0, "why": None})
        while True:
            # By itself a link waits no longer than a message may take to be sent.
            select.select([self._link], [], [])
            messages = self._link.receive()
            if messages is None:
                return
            for message in messages:
                if message["type"] == "retire":
                    return
                if message["type"] == "fork":
                    self._fork(message["attempt"], os.path.abspath(message["directory"]))

    def _fork(self, attempt: str, directory: str) -> None:
        plan = protocol.read_plan(directory)
        pid = os.fork()
        if pid == 0:
            guardian.leave(self._guard(directory, plan))
        forked = {"type": "forked", "guardian": identity(pid), "warm": True, "why": None}
        self._link.send({"attempt": attempt, **forked})
        os.waitpid(pid, 0)
        self._link.send({"type": "ended", "attempt": attempt})

    def _guard(self, directory: str, plan: dict) -> int:
        os.setsid()
        self._link.close()
        guardian.open_standard_streams(directory)
        return guardian.guard(directory, plan["attempt"], True, lambda *_: _work(directory, plan))


def _as_job(directory: str) -> int:
    plan = protocol.read_plan(directory)
    guardian.open_standard_streams(directory)
    return guardian.guard(directory, plan["attempt"], False, lambda *_: _work(directory, plan))


def _work(directory: str, plan: dict) -> int:
    begin = time.monotonic()
    options = plan["contextOptions"]
    memory = bytearray(b"1") * int(options.get("allocate_mb", 0) * 1e6)
    _wait(directory, options.get("sleep_seconds", 0))
    del memory
    product = _write_product(plan)
    result = {
        **{"version": protocol.VERSION, "attempt": plan["attempt"], "run": plan["run"]},
        **{"ok": True, "error": None, "products": [product], "skipped": []},
        **{"seconds": time.monotonic() - begin, "peakMemoryBytes": 0, "versions": {}},
    }
    durable.write_json(os.path.join(directory, "result.json"), result)
    return 0


def _wait(directory: str, seconds: float) -> None:
    """Like strax, it ends when it has lost its run."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if os.path.exists(os.path.join(directory, "superseded")):
            os._exit(protocol.EXIT_ORPHANED)
        time.sleep(min(0.5, seconds))


def _write_product(plan: dict) -> dict:
    location = os.path.join(plan["place"], f"{plan['runId']}-{_TYPE}-{_HASH}")
    start, end = _SPAN_NS
    chunk = {
        **{"chunk_i": 0, "n": 1, "filename": f"{_TYPE}-{_HASH}-000000", "filesize": len(_CHUNK)},
        **{"start": start, "end": end, "first_time": start, "last_endtime": end},
    }
    metadata = {
        **{"lineage": _LINEAGE, "chunks": [chunk], "writing_ended": time.time()},
        stamp.KEY: stamp.stamp_of(plan),
    }
    files = {
        chunk["filename"]: _CHUNK,
        f"{_TYPE}-{_HASH}-metadata.json": json.dumps(metadata).encode(),
    }
    os.makedirs(location, exist_ok=True)
    for name, content in files.items():
        with open(os.path.join(location, name), "wb") as file:
            file.write(content)
    return {
        **{"type": _TYPE, "location": location, "lineageHash": _HASH, "lineage": _LINEAGE},
        **{"chunks": 1, "rows": 1, "bytes": sum(len(content) for content in files.values())},
        **{"startNs": str(start), "endNs": str(end)},
        **{"firstTimeNs": str(start), "lastTimeNs": str(end)},
    }


if __name__ == "__main__":
    if "probe" in sys.argv:
        sys.exit(0)
    if "job" in sys.argv:
        sys.exit(job.run(sys.argv[-1], _as_job))
    # The file descriptor at which a manager connects to its worker.
    StandIn(manager_fd=3).serve()
