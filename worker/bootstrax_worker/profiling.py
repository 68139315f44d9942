"""Profiles an attempt: cProfile for every thread of its child."""

import contextlib
import cProfile
import os
import pstats
import sys
import threading

from . import durable
from .crash_points import crash_point


def path_of(directory: str, run_id: str, name: str) -> str:
    """The profile's file in an attempt directory."""
    suffix = "" if name.endswith(".prof") else ".prof"
    return os.path.join(directory, f"run{run_id}_{name}{suffix}")


@contextlib.contextmanager
def profiled(path: str):
    """Profile the body, threads included, and write the profile, also after an error.

    strax computes in threads, and cProfile sees only its own thread: each thread gets a profile,
    and all go into one file. Processes that strax starts are not profiled.
    """
    profiles: list[cProfile.Profile] = []

    def begin() -> None:
        profile = cProfile.Profile()
        profiles.append(profile)
        profile.enable()

    def in_new_thread(*_) -> None:
        # Called at the thread's first step; the profile then takes the place of this function.
        sys.setprofile(None)
        begin()

    threading.setprofile(in_new_thread)
    begin()
    try:
        yield
    finally:
        threading.setprofile(None)
        profiles[0].disable()
        _write(path, profiles)


def _write(path: str, profiles: list[cProfile.Profile]) -> None:
    crash_point("profile:before")
    try:
        stats = pstats.Stats(profiles[0])
        for profile in profiles[1:]:
            with contextlib.suppress(TypeError):  # A thread that has never run.
                stats.add(profile)
        stats.dump_stats(path)
    except OSError as error:
        durable.say(f"cannot write the profile {path}: {error}")
    crash_point("profile:after")
