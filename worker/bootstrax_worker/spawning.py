"""Processes of the fork server that are not forked: they import everything anew."""

import os
import signal
import sys

from . import guardian


def spawn_cold(directory: str) -> int:
    """Start the guardian of an attempt; return its process number."""
    return spawn(directory, "attempt", os.path.join(directory, "log.txt"))


def spawn(directory: str, command: str, log: str) -> int:
    """Start `python -m bootstrax_worker COMMAND DIRECTORY` in a session of its own."""
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "bootstrax_worker", command, directory],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigdef=[signal.SIGCHLD, signal.SIGTERM],
        setsigmask=guardian.HELD_SIGNALS,
    )
