"""Ledgers of the live data that an attempt reads: one file of lines per process.

A line is about one chunk, and has the sums of all that its process has read so far. For the sums of
the attempt only the last line of each file, and the few lines that name faults, have to be read.
Which stretches have been read is in memory that the processes share.
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

# Number of faults of each kind that are named; all are counted.
MAX_NAMED = 50
# Name of the folder of a stretch of live data, as redax writes it.
STRETCH = re.compile(r"(\d{6,})(_pre|_post)?")
_LEDGER = re.compile(r"input-\d+(-\d+)?\.ndjson")
# The last line of a file is searched in its last bytes of this number, then in more.
_TAIL_BYTES = 1 << 14
_NAMING = ("missing", "unreadable")


def reader_of(name: str) -> str:
    """The readout program that wrote a file: the file name without the number of the thread."""
    return "_".join(name.split("_")[:-1]) or name


class Stretch:
    """Counts of one folder by reader: files, empty files, bytes and rows."""

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
    """The sums of one process, or of all."""

    def __init__(self, said: dict | None = None) -> None:
        said = said or {}
        self.counts = {name: said.get(name, 0) for name in _COUNTS}
        # By reader: number of chunks in which it alone wrote nothing, and the first of them.
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
        """The sums, as they are written into a line."""
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
        # Where the lines that name faults begin, and how many of each kind they name.
        self._naming_at: list[int] = []
        self._named = dict.fromkeys(_NAMING, 0)

    def add(self, stretches: dict[str, Stretch]) -> None:
        """Account for the files of these folders; a repetition counts once."""
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
        """Name the unreadable files of a folder, which may be accounted for before or later."""
        with self._lock:
            unreadable = self._new_damage({name: stretch})
            if unreadable:
                self._append({"stretches": {}}, unreadable=unreadable)

    def add_unaccounted(self, chunk: int | None, plugin: str) -> None:
        """Record that a plugin has made a chunk from unknown files."""
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
            # A part of a line, written before the disk was full, does not count.
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
            # A full disk must not stop the attempt; the result says that the account is incomplete.
            self._torn = True
            self._state.unaccounted = 1
            durable.say(f"cannot write down what was read: {error}")
        crash_point("input.ndjson:after")


def _new_file(directory: str, pid: int) -> int:
    """Open a file of this process alone: an earlier process may have had its number."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    for earlier in range(1, 1000):
        suffix = "" if earlier == 1 else f"-{earlier}"
        with contextlib.suppress(FileExistsError):
            return os.open(os.path.join(directory, f"input-{pid}{suffix}.ndjson"), flags, 0o644)
    raise FileExistsError(f"too many files of process {pid} in {directory}")


def slot_of(name: str) -> int | None:
    """Index of this stretch in the shared state; None for a folder of another name."""
    match = STRETCH.fullmatch(name)
    if match is None:
        return None
    slot = 3 * int(match[1]) + (None, "_pre", "_post").index(match[2])
    return slot if slot < STRETCHES else None


def lacking(name: str, threads: dict[str, int], readers: dict[str, list[int]]) -> list[dict]:
    """Readers with fewer files in a stretch than they have threads."""
    found = []
    for reader, expected in threads.items():
        files = expected - readers.get(reader, [0])[0]
        if files > 0:
            found.append({"chunk": name, "reader": reader, "files": files})
    return found


def _silent(name: str, readers: dict[str, list[int]]) -> list[str]:
    """Readers whose files are all empty, although other readers have data."""
    match = STRETCH.fullmatch(name)
    # The short stretch between two chunks may be empty.
    if match is None or match[2] is not None:
        return []
    silent = [reader for reader, (files, empty, *_) in readers.items() if files == empty]
    return [] if len(silent) == len(readers) else silent


class Summary:
    """The summary of all ledgers of an attempt: `sums`, and the first faults that they name."""

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
    """The last complete line, and whether an incomplete one follows."""
    size = file.seek(0, os.SEEK_END)
    length = _TAIL_BYTES
    while True:
        begin = max(0, size - length)
        file.seek(begin)
        pieces = file.read(size - begin).split(b"\n")
        # Text after the last line end is a line whose process was killed.
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
    """Folders of unread stretches, in their order: strax ends at the first gap."""
    with os.scandir(live) as entries:
        left = [
            (match, entry)
            for entry in entries
            if (match := STRETCH.fullmatch(entry.name)) and not _was_read(entry.name, state)
        ]
    for match, entry in sorted(left, key=lambda each: each[1].name):
        before = int(match[1]) - 1
        # There is no overlap before the first chunk; every other overlap is stored twice.
        overlap_was_read = before < 0 or _was_read(f"{before:06d}_post", state)
        if match[2] != "_pre" or not overlap_was_read:
            yield entry


def _was_read(name: str, state: SharedState) -> bool:
    slot = slot_of(name)
    return slot is not None and state.is_read(slot)
