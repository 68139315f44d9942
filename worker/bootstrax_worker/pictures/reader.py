"""The process that makes the pictures of one attempt, beside it and of no importance to it.

It is no descendant of the guardian: killed, hanging or wrong in whatever way it changes nothing of
the run. It ends by itself after the attempt, and is never waited for.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable

from .. import durable
from ..crash_points import crash_point
from ..versions import versions
from .finished import Finished
from .shapes import OddPicture, Picture
from .sums import Source
from .tap import Receiver

VERSION = 1
NAME = "pictures.json"
# All pictures of a run together, as they are written.
MOST_BYTES = 200_000
MOST_SCALARS = 12

_WAIT_SECONDS = 1.0
_DISK_SECONDS = 3.0
_WRITE_SECONDS = 3.0
# After the attempt: for what is published meanwhile, and for all that is still to be read.
_LAST_SECONDS = 600
_STILL_SECONDS = 3.0
_MOST_DATA_BYTES = 4 << 30
# Of one step, such as all that a picture does with a chunk: then the kernel ends the process.
_STEP_SECONDS = 60
_DECLARE_SECONDS = 300


def run(
    directory: str,
    plan: dict,
    pictures_of_context: Callable[[], object],
    receiver: Receiver | None,
) -> int:
    """Make pictures until the attempt in this directory has ended; return the exit code."""
    _step_back()
    # Nobody else would end a process that hangs, and Python itself may hang with it.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_DECLARE_SECONDS)
    reader = _Reader(directory, plan, receiver)
    reader.declare(pictures_of_context)
    reader.run()
    return 0


def run_cold(directory: str) -> int:
    """The same without a fork server: of what is on disk alone."""
    from .. import protocol
    from ..context import LoadedContext

    directory = os.path.abspath(directory)
    plan = protocol.read_plan(directory)
    loaded: list = []

    def pictures() -> object:
        loaded.append(LoadedContext(plan["context"], plan["contextOptions"]))
        return loaded[0].declared_pictures()

    return run(directory, plan, pictures, None)


def _step_back() -> None:
    """Leave processor, disk and memory to everybody else."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(19)
    with contextlib.suppress(Exception):
        import psutil

        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    with contextlib.suppress(Exception):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_DATA_BYTES, _MOST_DATA_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


class _Reader:
    def __init__(self, directory: str, plan: dict, receiver: Receiver | None) -> None:
        self._directory = directory
        self._plan = plan
        self._receiver = receiver
        self._problem: str | None = None
        self._live = self._disk = Source([])
        self._finished = Finished(directory, plan)
        self._looked = self._wrote = -1e9
        self._written = ""
        self._followed: int | None = None
        self._followed_at = time.monotonic()

    def declare(self, pictures_of_context: Callable[[], object]) -> None:
        """Ask the context for its pictures; without them the stored types are still counted."""
        try:
            pictures = checked(pictures_of_context())
        except Exception as error:
            self._problem = f"pictures() of the context: {type(error).__name__}: {error}"[:400]
            pictures = []
        self._live, self._disk = Source(pictures), Source(pictures)
        if self._receiver is not None:
            self._receiver.want(sorted({picture.of for picture in pictures}))

    def run(self) -> None:
        while not self._is_over():
            signal.alarm(_STEP_SECONDS)
            self._take_results()
            now = time.monotonic()
            # Without results of its own making it lives on what is on disk alone.
            if now - self._looked >= _DISK_SECONDS:
                self._looked = now
                self._take_finished(self._needed())
            if now - self._wrote >= _WRITE_SECONDS:
                self._wrote = now
                self._write(final=False)
        if durable.is_gone(self._directory):
            return
        self._finish()
        self._write(final=True)

    def _needed(self) -> set[str] | None:
        """Metadata of a long run are megabytes: only what pictures are made of, if that will do."""
        if self._receiver is None:
            return None
        return {each.picture.of for each in self._disk.pictures}

    def _finish(self) -> None:
        self._take_results()
        deadline = time.monotonic() + _LAST_SECONDS
        still = time.monotonic()
        while time.monotonic() < deadline and time.monotonic() - still < _STILL_SECONDS:
            if self._take_finished(None):
                still = time.monotonic()
            elif self._has("concluded"):
                return
            signal.alarm(_STEP_SECONDS)
            time.sleep(0.3)

    def _take_results(self) -> None:
        if self._receiver is None or self._receiver.has_ended:
            time.sleep(_WAIT_SECONDS)
            return
        self._receiver.wait(_WAIT_SECONDS)
        for result in self._receiver.counts():
            self._live.count(*result)
        for copy in self._receiver.rows():
            signal.alarm(_STEP_SECONDS)
            self._live.fill(*copy)

    def _take_finished(self, types: set[str] | None) -> bool:
        found = False
        needed = {each.picture.of for each in self._disk.pictures}
        for chunk in self._finished.new_chunks(types):
            signal.alarm(_STEP_SECONDS)
            rows = None
            if chunk.data_type in needed:
                try:
                    rows = chunk.load()
                except OSError:
                    self._finished.forget(chunk)
                    continue
                self._disk.fill(chunk.data_type, rows, chunk.start, chunk.end)
            self._disk.count(chunk.data_type, chunk.rows, chunk.size, chunk.start, chunk.end)
            found = True
        return found

    def _is_over(self) -> bool:
        if any(self._has(name) for name in ("exit.json", "concluded", "superseded")):
            return True
        if self._receiver is not None and self._receiver.has_ended:
            return True
        if durable.is_gone(self._directory):
            return True
        # As the child: no manager has been there for the orphan limit.
        try:
            followed = os.stat(os.path.join(self._directory, "followed")).st_mtime_ns
        except OSError:
            followed = None
        if followed != self._followed:
            self._followed, self._followed_at = followed, time.monotonic()
        return time.monotonic() - self._followed_at > self._plan["orphanLimitSeconds"]

    def _has(self, name: str) -> bool:
        return os.path.exists(os.path.join(self._directory, name))

    def _write(self, *, final: bool) -> None:
        document = {
            "version": VERSION,
            "attempt": self._plan["attempt"],
            "run": self._plan["run"],
            "final": final,
            "problem": self._problem,
            "stored": [self._said_of_type(name, final) for name in self._finished.types],
            "pictures": [],
            "strax": versions().get("strax"),
        }
        room = MOST_BYTES - len(json.dumps(document))
        scalars = MOST_SCALARS
        for live, disk in zip(self._live.pictures, self._disk.pictures, strict=True):
            said = (disk if disk.live_ns >= live.live_ns else live).said()
            said["scalars"] = dict(list(said["scalars"].items())[:scalars])
            scalars -= len(said["scalars"])
            size = len(json.dumps(said, separators=(",", ":")))
            if size > room:
                said |= {"lines": [], "problem": f"it does not fit into {MOST_BYTES} bytes a run"}
                size = 1000
            room -= size
            document["pictures"].append(said)
        text = json.dumps(document, allow_nan=False, separators=(",", ":"))
        if text != self._written:
            self._written = text
            self._replace(text)

    def _said_of_type(self, name: str, final: bool) -> dict:
        live, disk = self._live.types.get(name), self._disk.types.get(name)
        # Chunks on disk may be as long as the run: what was counted as it was made shows more.
        seen = max(
            (each for each in (disk, live) if each is not None),
            key=lambda each: each.live_ns,
            default=None,
        )
        if final and live is not None and disk is not None and live.live_ns >= 0.9 * disk.live_ns:
            seen = live
        total = disk if final and disk is not None else seen
        return {
            "type": name,
            "rows": 0 if total is None else total.rows,
            "bytes": 0 if total is None else total.bytes,
            "series": None if seen is None else seen.series(),
        }

    def _replace(self, text: str) -> None:
        path = os.path.join(self._directory, NAME)
        crash_point(f"{NAME}:before")
        try:
            with open(f"{path}.tmp", "w") as file:
                file.write(text)
            # Nothing is forced to disk: a power cut costs a picture.
            os.replace(f"{path}.tmp", path)
        except OSError as error:
            durable.say(f"cannot write {path}: {error}")
        crash_point(f"{NAME}:after")


def checked(pictures: object) -> list[Picture]:
    """The pictures of a context; OddPicture names what is wrong with them."""
    found = list(pictures)
    names: set[str] = set()
    for picture in found:
        if not isinstance(picture, Picture):
            raise OddPicture(f"{type(picture).__name__} is no picture")
        picture.check()
        if picture.name in names:
            raise OddPicture(f"two pictures are named {picture.name}")
        names.add(picture.name)
    return found
