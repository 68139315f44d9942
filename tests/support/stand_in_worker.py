"""Stands in for the worker where strax is not what is measured.

It speaks the worker's protocol and starts attempts under the worker's own guardian. Each attempt
writes a small folder of raw records of one second, and ends.
"""

import json
import os
import signal
import sys
import time

from bootstrax_worker import durable, guardian, protocol
from bootstrax_worker.identity import identity

_TYPE, _HASH = "raw_records", "standin"
_LINEAGE = {_TYPE: ["StandIn", "1", {}]}
_SPAN_NS = (0, 1_000_000_000)
_CHUNK = b"row"
_PR_SET_PDEATHSIG = 1
_GRAPH = {
    "version": protocol.VERSION,
    "context": "stand-in",
    "types": {_TYPE: {"plugin": "StandIn", "dependsOn": [], "saved": "always"}},
}


class StandIn:
    """A worker that is warm at once."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)

    def serve(self) -> None:
        """Start what is asked for on stdin, until it ends."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        guardian.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        self._send({"type": "hello", "identity": identity(os.getpid()), "versions": {}})
        self._send({"type": "graph", "graph": _GRAPH})
        self._send({"type": "ready", "warm": True, "seconds": 0, "why": None})
        for line in sys.stdin:
            request = json.loads(line)
            directory = os.path.abspath(request["directory"])
            with open(os.path.join(directory, "plan.json")) as file:
                plan = json.load(file)
            pid = os.fork()
            if pid == 0:
                guardian.leave(self._guard(directory, plan))
            answer = {"type": "forked", "guardian": identity(pid), "warm": True, "why": None}
            self._send({"attempt": request["attempt"], **answer})
            os.waitpid(pid, 0)
            self._send({"type": "ended", "attempt": request["attempt"]})

    def _guard(self, directory: str, plan: dict) -> int:
        os.setsid()
        os.close(self._out)
        guardian.open_standard_streams(directory)
        return guardian.guard(directory, plan["attempt"], True, lambda *_: _work(directory, plan))

    def _send(self, message: dict) -> None:
        durable.write_all(self._out, json.dumps(message).encode() + b"\n")


def _work(directory: str, plan: dict) -> int:
    begin = time.monotonic()
    product = _write_product(plan)
    result = {
        **{"version": protocol.VERSION, "attempt": plan["attempt"], "run": plan["run"]},
        **{"ok": True, "error": None, "products": [product], "skipped": []},
        **{"seconds": time.monotonic() - begin, "peakMemoryBytes": 0, "versions": {}},
    }
    durable.write_json(os.path.join(directory, "result.json"), result)
    return 0


def _write_product(plan: dict) -> dict:
    location = os.path.join(plan["outputDirectory"], f"{plan['runId']}-{_TYPE}-{_HASH}")
    start, end = _SPAN_NS
    chunk = {
        **{"chunk_i": 0, "n": 1, "filename": f"{_TYPE}-{_HASH}-000000", "filesize": len(_CHUNK)},
        **{"start": start, "end": end, "first_time": start, "last_endtime": end},
    }
    word = {"attempt": plan["attempt"], "document": plan["runDocument"], "host": plan["host"]}
    metadata = {
        **{"lineage": _LINEAGE, "chunks": [chunk], "writing_ended": time.time()},
        # Who made the folder, as the worker's own folders say it.
        "bootstrax": word,
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
    StandIn().serve()
