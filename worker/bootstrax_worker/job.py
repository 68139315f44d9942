"""One attempt as a job of a batch system: begun once, and only while a manager follows it.

The job system may start a job twice (a requeue, a doubled submission, a node that was taken for
dead), or long after its run was given to somebody else. So the job takes the attempt by renaming a
folder of its own onto `begun`, and waits for its manager's next sign before it opens any data.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable

# Exit codes of a job that did not begin.
EXIT_NOT_MINE = 75
EXIT_NOBODY_FOLLOWS = 76

_FOLLOWED_SECONDS = 120
_LOOK_SECONDS = 0.5


class NotBegunError(Exception):
    """This job may not carry out the attempt; the text says why."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


def begin(directory: str, environment: dict[str, str]) -> None:
    """Take the attempt for this job, and wait until its manager follows it.

    NotBegunError if another job has it, or no manager follows in time.
    """
    if environment.get("SLURM_RESTART_COUNT", "0") not in ("", "0"):
        raise NotBegunError(EXIT_NOT_MINE, "the batch system started this job once more")
    if _is_listed(directory, "superseded"):
        raise NotBegunError(EXIT_NOT_MINE, "the run was given to another attempt")
    _take(directory, environment)
    first = _read_sign(directory)
    deadline = time.monotonic() + _FOLLOWED_SECONDS
    while _read_sign(directory) == first:
        if _is_listed(directory, "superseded"):
            raise NotBegunError(EXIT_NOT_MINE, "the run was given to another attempt")
        if time.monotonic() > deadline:
            why = f"no manager was seen for {_FOLLOWED_SECONDS} s"
            raise NotBegunError(EXIT_NOBODY_FOLLOWS, why)
        time.sleep(_LOOK_SECONDS)


def run(directory: str, carry_out: Callable[[str], int] | None = None) -> int:
    """Carry out the attempt in this directory as a job; return the exit code."""
    directory = os.path.abspath(directory)
    # Nobody to ask yet; the guardian passes it on.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        begin(directory, dict(os.environ))
    except NotBegunError as refusal:
        print(f"this job does not begin attempt {directory}: {refusal}", file=sys.stderr)
        return refusal.code
    if carry_out is None:
        from .attempt import run_cold as carry_out
    return carry_out(directory)


def _take(directory: str, environment: dict[str, str]) -> None:
    """Only one rename onto `begun` can succeed, on NFS too, where its answer may be lost."""
    token = secrets.token_hex(16)
    mine = os.path.join(directory, f"begun.{token}")
    begun = os.path.join(directory, "begun")
    owner = {
        "token": token,
        "job": environment.get("SLURM_JOB_ID"),
        "node": environment.get("SLURMD_NODENAME") or socket.gethostname(),
    }
    os.mkdir(mine, 0o700)
    with open(os.path.join(mine, "owner.json"), "w") as file:
        json.dump(owner, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.rename(mine, begun)
    except OSError:
        if _read_owner(begun).get("token") != token:
            _remove(mine)
            by = _read_owner(begun).get("job", "the manager")
            raise NotBegunError(EXIT_NOT_MINE, f"it was begun already, by {by}") from None


def _remove(folder: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, "owner.json"))
        os.rmdir(folder)


def _read_owner(begun: str) -> dict:
    try:
        os.listdir(os.path.dirname(begun))
        with open(os.path.join(begun, "owner.json")) as file:
            owner = json.load(file)
    except (OSError, ValueError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _read_sign(directory: str) -> str | None:
    """Opened and read: attributes of a file on NFS may be a minute old."""
    try:
        with open(os.path.join(directory, "followed")) as file:
            return file.read(64)
    except OSError:
        return None


def _is_listed(directory: str, name: str) -> bool:
    """Listed first: NFS may deny a file that it has until its folder has been listed."""
    return name in os.listdir(directory)
