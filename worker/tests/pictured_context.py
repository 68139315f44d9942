"""The tiny context with pictures, each of which misbehaves on request."""

import os
import signal
import time

import numpy as np
import strax
from tiny_context import CHUNK_NS, Double, Late, Source, Sum

from bootstrax_worker.pictures import Axis, Histogram, Series, Value

_faults = ""


def pictured(faults: str = "") -> strax.Context:
    """The context; `faults`: a file that says what its pictures do."""
    global _faults
    _faults = faults
    return strax.Context(register=[Source, Double, Sum, Late])


def misbehave(where: str) -> None:
    """Do what the fault says, if it is for this place."""
    if not os.path.exists(_faults):
        return
    with open(_faults) as file:
        place, _, what = file.read().partition(":")
    if place != where:
        return
    match what:
        case "raise":
            raise ValueError("this picture cannot be made")
        case "hang":
            time.sleep(3600)
        case "spin":
            while True:
                pass
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "memory":
            np.ones(1 << 40)
        case "exit":
            raise SystemExit(3)


def places(rows: np.ndarray) -> dict:
    """The place of each row in its chunk."""
    misbehave("fill")
    return {"rows": (rows["time"] % CHUNK_NS).astype(float)}


def pictures() -> list:
    """Of a type that strax stores in one chunk at the end."""
    misbehave("declare")
    common = {"normal": "flat.", "otherwise": "the clock is wrong."}
    return [
        Histogram(
            "places",
            of="tiny_double",
            title="Places",
            value=Value("rows", "1/s"),
            scaled=True,
            x=Axis("place", "ns", 0, 100, 10),
            values=places,
            **common,
        ),
        Series(
            "rate",
            of="tiny_double",
            title="Rate",
            value=Value("rate", "Hz"),
            times=lambda rows: {"rows": rows["time"]},
            **common,
        ),
    ]


def warm_up(context: strax.Context, directory: str) -> None:
    """Make all types of a tiny run once."""
    context.storage = [strax.DataDirectory(directory)]
    context.make("999999", "tiny_late")
