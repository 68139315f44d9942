"""What the processes of an attempt have read of the live data, one file of appended lines each.

A line tells of one chunk, and carries the sums of all that its process has read so far: whoever
wants the sums of the attempt reads the last line of each file, and those few lines that name
something. Which stretches have been read at all is in memory that the processes share.
"""

import contextlib
import json
import os
import re
import threading
from collections.abc import Iterator

from . import durable
from .crash_points import crash_point
from .shared_state import STRETCHES, SharedState

# Of each kind of what is wrong, so many are named; all are counted.
MAX_NAMED = 50
# A stretch of live data, as redax names its folder.
STRETCH = re.compile(r"(\d{6,})(_pre|_post)?")
_LEDGER = re.compile(r"input-\d+(-\d+)?\.ndjson")
# The end of a file is looked for in its last so many bytes, then in more.
_TAIL_BYTES = 1 << 14
_NAMING = ("missing", "unreadable")


def reader_of(name: str) -> str:
    """The readout program that wrote a file: its name goes up to the number of the thread."""
    return "_".join(name.split("_")[:-1]) or name


class Stretch:
    """What was read of one folder: by reader, number of files, empty ones, bytes and rows."""

    def __init__(self) -> None:
        self.readers: dict[str, list[int]] = {}
        self.bad: list[dict] = []
        self._names: set[str] = set()

    def add(self, name: str, size: int, rows: int, problem: str | None) -> None:
        """Count a file, once; `problem` says why no more could be read of it."""
        if name in self._names:
            return
        self._names.add(name)
        sums = self.readers.setdefault(reader_of(name), [0, 0, 0, 0])
        for index, value in enumerate((1, size == 0, size, rows)):
            sums[index] += int(value)
        if problem is not None:
            self.bad.append({"file": name, "bytes": size, "rows": rows, "problem": problem})


class Sums:
    """Of one process, or of all of them."""

    def __init__(self, said: dict | None = None) -> None:
        said = said or {}
        self.counts = {name: said.get(name, 0) for name in _COUNTS}
        # By reader: chunks in which it alone wrote nothing, and the first of them.
        self.quiet: dict[str, list] = said.get("quiet", {})

    def add(self, other: "Sums") -> None:
        """Add those of another process."""
        for name, count in other.counts.items():
            self.counts[name] += count
        for reader, (chunks, first) in other.quiet.items():
            self.add_quiet(reader, chunks, first)

    def add_quiet(self, reader: str, chunks: int, first: str) -> None:
        """Count chunks in which a reader was silent."""
        before = self.quiet.get(reader, [0, first])
        self.quiet[reader] = [before[0] + chunks, min(before[1], first)]

    def said(self) -> dict:
        """As a line says them."""
        return {**self.counts, "quiet": self.quiet}


_COUNTS = ("chunks", "files", "bytes", "rows", "missing", "unreadable", "unaccounted")


class Ledger:
    """The file of this process; threads may share it, forked processes may not."""

    def __init__(self, directory: str, threads: dict[str, int], state: SharedState) -> None:
        """`threads`: how many files each reader writes in a stretch."""
        self.pid = os.getpid()
        self._directory = directory
        self._threads = threads
        self._state = state
        self._lock = threading.Lock()
        self._fd: int | None = None
        self._torn = False
        self._sums = Sums()
        self._odd_names: set[str] = set()
        self._damaged: set[tuple[str, str]] = set()
        # Where lines begin that name something, and how much of each kind they name.
        self._naming_at: list[int] = []
        self._named = dict.fromkeys(_NAMING, 0)

    def add(self, stretches: dict[str, Stretch]) -> None:
        """Account for what was read of these folders; what was accounted for before counts once."""
        with self._lock:
            new = {name: each for name, each in stretches.items() if not self._is_known(name)}
            missing: list[dict] = []
            for name, stretch in new.items():
                self._count(name, stretch)
                missing += lacking(name, self._threads, stretch.readers)
            unreadable = self._new_damage(stretches)
            if new or unreadable:
                readers = {name: each.readers for name, each in new.items()}
                self._append({"stretches": readers}, missing=missing, unreadable=unreadable)
            for name in new:
                self._note_known(name)

    def add_damage(self, name: str, stretch: Stretch) -> None:
        """Name what could not be read of a folder, which may be accounted for before or later."""
        with self._lock:
            unreadable = self._new_damage({name: stretch})
            if unreadable:
                self._append({"stretches": {}}, unreadable=unreadable)

    def add_unaccounted(self, chunk: int | None, plugin: str) -> None:
        """A plugin has made a chunk, and nobody knows of what."""
        with self._lock:
            self._sums.counts["unaccounted"] += 1
            self._append({"unaccounted": chunk, "plugin": plugin})

    def _is_known(self, name: str) -> bool:
        slot = slot_of(name)
        return name in self._odd_names if slot is None else self._state.is_read(slot)

    def _note_known(self, name: str) -> None:
        slot = slot_of(name)
        if slot is None:
            self._odd_names.add(name)
        else:
            self._state.stretch_read(slot)

    def _new_damage(self, stretches: dict[str, Stretch]) -> list[dict]:
        """A file that is read again is damaged once."""
        found = []
        for name, stretch in stretches.items():
            for bad in stretch.bad:
                if (name, bad["file"]) not in self._damaged:
                    self._damaged.add((name, bad["file"]))
                    found.append({"chunk": name, "reader": reader_of(bad["file"]), **bad})
        return found

    def _count(self, name: str, stretch: Stretch) -> None:
        counts = self._sums.counts
        counts["chunks"] += "_" not in name
        for files, _, size, rows in stretch.readers.values():
            counts["files"] += files
            counts["bytes"] += size
            counts["rows"] += rows
        for reader in _silent(name, stretch.readers):
            self._sums.add_quiet(reader, 1, name)

    def _append(self, line: dict, **naming: list[dict]) -> None:
        naming = {kind: items for kind, items in naming.items() if items}
        for kind, items in naming.items():
            self._sums.counts[kind] += len(items)
        crash_point("input.ndjson:before")
        try:
            if self._fd is None:
                self._fd = _new_file(self._directory, self.pid)
            # What could be written of a line before the disk was full is none.
            begin = os.lseek(self._fd, 0, os.SEEK_END) + self._torn
            named = any(self._named[kind] < MAX_NAMED for kind in naming)
            naming_at = [*self._naming_at, begin] if named else self._naming_at
            line = {**line, **naming, "sums": self._sums.said(), "naming": naming_at}
            text = json.dumps(line, allow_nan=False).encode() + b"\n"
            durable.write_all(self._fd, b"\n" * self._torn + text)
            self._torn, self._naming_at = False, naming_at
            for kind, items in naming.items():
                self._named[kind] += len(items)
        except OSError as error:
            # A full disk must not end the attempt; the result says that not all was accounted for.
            self._torn = True
            self._state.unaccounted = 1
            durable.say(f"cannot write down what was read: {error}")
        crash_point("input.ndjson:after")


def _new_file(directory: str, pid: int) -> int:
    """Of this process alone: an earlier one may have had its number."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    for earlier in range(1, 1000):
        suffix = "" if earlier == 1 else f"-{earlier}"
        with contextlib.suppress(FileExistsError):
            return os.open(os.path.join(directory, f"input-{pid}{suffix}.ndjson"), flags, 0o644)
    raise FileExistsError(f"too many files of process {pid} in {directory}")


def slot_of(name: str) -> int | None:
    """Where the shared state has this stretch; None for a folder of another name."""
    match = STRETCH.fullmatch(name)
    if match is None:
        return None
    slot = 3 * int(match[1]) + (None, "_pre", "_post").index(match[2])
    return slot if slot < STRETCHES else None


def lacking(name: str, threads: dict[str, int], readers: dict[str, list[int]]) -> list[dict]:
    """Readers of which fewer files were read of a stretch than they have threads."""
    found = []
    for reader, expected in threads.items():
        files = expected - readers.get(reader, [0])[0]
        if files > 0:
            found.append({"chunk": name, "reader": reader, "files": files})
    return found


def _silent(name: str, readers: dict[str, list[int]]) -> list[str]:
    """Readers of which all files are empty, beside others."""
    match = STRETCH.fullmatch(name)
    # In the short stretch between two chunks nothing need happen.
    if match is None or match[2] is not None:
        return []
    silent = [reader for reader, (files, empty, *_) in readers.items() if files == empty]
    return [] if len(silent) == len(readers) else silent


class Summary:
    """What all ledgers of an attempt say together: `sums`, and the first of what they name."""

    def __init__(self, directory: str) -> None:
        self.asked = False
        self.sums = Sums()
        named: dict[str, list[dict]] = {kind: [] for kind in _NAMING}
        for name in sorted(os.listdir(directory)):
            if _LEDGER.fullmatch(name):
                with open(os.path.join(directory, name), "rb") as file:
                    self._add(file, named)
        self.missing, self.unreadable = (
            sorted(named[kind], key=lambda item: item["chunk"])[:MAX_NAMED] for kind in _NAMING
        )

    def _add(self, file, named: dict[str, list[dict]]) -> None:
        self.asked = True
        line, torn = _last_line(file)
        self.sums.counts["unaccounted"] += torn
        if line is None:
            return
        self.sums.add(Sums(line["sums"]))
        for begin in line["naming"]:
            file.seek(begin)
            naming = _parsed(file.readline()) or {}
            for kind in _NAMING:
                named[kind] += naming.get(kind, [])[:MAX_NAMED]


def _last_line(file) -> tuple[dict | None, bool]:
    """The last line that is whole, and whether something after it is not."""
    size = file.seek(0, os.SEEK_END)
    length = _TAIL_BYTES
    while True:
        begin = max(0, size - length)
        file.seek(begin)
        pieces = file.read(size - begin).split(b"\n")
        # Behind the last line end there is nothing, or a line whose process was killed.
        torn = pieces.pop() != b""
        for piece in reversed(pieces if begin == 0 else pieces[1:]):
            line = _parsed(piece)
            if line is not None:
                return line, torn
            torn = torn or piece != b""
        if begin == 0:
            return None, torn
        length *= 4


def _parsed(text: bytes) -> dict | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "sums" in line else None


def unread(live: str, state: SharedState) -> Iterator[os.DirEntry]:
    """Folders of stretches that nobody has read, in their order: strax ends at the first gap."""
    with os.scandir(live) as entries:
        left = [
            (match, entry)
            for entry in entries
            if (match := STRETCH.fullmatch(entry.name)) and not _was_read(entry.name, state)
        ]
    for match, entry in sorted(left, key=lambda each: each[1].name):
        before = int(match[1]) - 1
        # Nothing lies before the first chunk; every other overlap is stored twice.
        overlap_was_read = before < 0 or _was_read(f"{before:06d}_post", state)
        if match[2] != "_pre" or not overlap_was_read:
            yield entry


def _was_read(name: str, state: SharedState) -> bool:
    slot = slot_of(name)
    return slot is not None and state.is_read(slot)
