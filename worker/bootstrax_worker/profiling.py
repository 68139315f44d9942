"""Profiles an attempt, every thread of its child."""

import contextlib
import os

from . import durable
from .crash_points import crash_point


def path_of(directory: str, run_id: str, name: str) -> str:
    """The profile's file in an attempt directory."""
    suffix = "" if name.endswith(".prof") else ".prof"
    return os.path.join(directory, f"run{run_id}_{name}{suffix}")


@contextlib.contextmanager
def profiled(path: str):
    """Profile the body, threads included, and write the profile, also after an error.

    strax computes in threads, and since Python 3.12 a process may have only one profile of
    cProfile's, which sees one thread. yappi sees all of them. Processes that strax starts are not
    profiled. Without yappi there is no profile, and the log says so.
    """
    try:
        import yappi
    except ImportError:
        durable.say("no profile: this Python has no yappi (pip install yappi)")
        yield
        return
    yappi.set_clock_type("cpu")
    yappi.start(builtins=True, profile_threads=True)
    try:
        yield
    finally:
        yappi.stop()
        _write(path, yappi.get_func_stats())
        yappi.clear_stats()


def _write(path: str, stats) -> None:
    crash_point("profile:before")
    try:
        stats.save(path, type="pstat")
    except OSError as error:
        durable.say(f"cannot write the profile {path}: {error}")
    crash_point("profile:after")
