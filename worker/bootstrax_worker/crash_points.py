"""Where a test cuts the power: see src/infra/crash-points of the manager, which owns the names."""

import json
import os
import re
import signal
import sys

# Environment variable: `<point>`, or `<point>#<passage>` with the passage of one process, from 1.
VARIABLE = "BOOTSTRAX_CRASH_AT"

with open(os.path.join(os.path.dirname(__file__), "crash_points.json")) as _file:
    _NAMES = json.load(_file)
ALL = frozenset(_NAMES["all"])
WORKER = frozenset(_NAMES["worker"])


class UnknownPoint(ValueError):
    """A name that is no crash point."""


def cut_of(text: str | None) -> tuple[str, int] | None:
    """Point and passage that the variable names, None if it is empty; UnknownPoint otherwise."""
    if not text:
        return None
    match = re.fullmatch(r"([^#]+)(?:#([1-9]\d*))?", text)
    if match is None or match[1] not in ALL:
        raise UnknownPoint(f"{VARIABLE} is {text!r}, which is no crash point")
    return match[1], int(match[2] or 1)


class _Here:
    # Passages are counted for each process, from 1.
    pid = 0
    passages = 0


def crash_point(name: str) -> None:
    """Kill this process, as a power cut would, if this point and passage are meant."""
    if name not in WORKER:
        raise UnknownPoint(f"{name!r} is not listed in src/infra/crash-points/points.ts")
    cut = cut_of(os.environ.get(VARIABLE))
    if cut is None or cut[0] != name:
        return
    if _Here.pid != os.getpid():
        _Here.pid, _Here.passages = os.getpid(), 0
    _Here.passages += 1
    if _Here.passages == cut[1]:
        # One write, straight to the log of the attempt: this process flushes nothing any more.
        os.write(sys.stderr.fileno(), f"crash point {name}: killed here\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
