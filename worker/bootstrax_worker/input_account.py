"""What an attempt has read of the live data: what was there, what was not, what could not be read.

Each process that reads appends to a file of its own in the attempt directory, a line for each
stretch of a chunk; the child sums them up at the end. strax takes a reader without a file for one
without data once the run has ended, and so it has to be counted here.
"""

import contextlib
import json
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator

import numpy as np
import strax

from . import durable, frames
from .crash_points import crash_point
from .shared_state import SharedState

# Of each kind of what is wrong, so many are named; all are counted.
MAX_NAMED = 50
MAX_PROBLEM_CHARACTERS = 300
_LEDGER = re.compile(r"input-\d+\.ndjson")
# A stretch of live data, as redax names its folder.
_PIECE = re.compile(r"(\d{6,})(_pre|_post)?")


class NothingReadable(Exception):
    """There is live data, and nothing of it can be read."""


class InputAccount:
    """Wraps strax's loading of files, for the live data of one plan; survives forks."""

    def __init__(self, directory: str, plan: dict, state: SharedState) -> None:
        """`directory`: of the attempt."""
        self._directory = directory
        self._state = state
        self._live = os.path.realpath(plan["liveDataDirectory"])
        self._live_prefixes = tuple(
            {path.rstrip("/") + "/" for path in (plan["liveDataDirectory"], self._live)}
        )
        self._config = plan["runConfig"]
        self._salvage = bool(plan.get("salvage"))
        self._reading = threading.local()
        self._ledger: tuple[int, int] | None = None

    def begin(self) -> None:
        """Let strax load files through this account; call it in the process of the attempt."""
        frames.refuse_cut_files()
        load = strax.io.load_file

        def load_file(f, compressor, dtype):
            where = self._where(f)
            if where is None:
                return load(f, compressor, dtype)
            return self._load(where, load, f, compressor, dtype)

        strax.load_file = strax.io.load_file = load_file

    @contextlib.contextmanager
    def chunk(self, plugin: strax.Plugin, chunk: int | None) -> Iterator[None]:
        """While a plugin makes a chunk of what it reads by itself."""
        self._reading.pieces = pieces = {}
        self._reading.plugin = plugin
        try:
            yield
        finally:
            del self._reading.pieces, self._reading.plugin
            for name, piece in pieces.items():
                self._write({"piece": name, **piece})
            if not pieces:
                self._write({"unaccounted": chunk, "plugin": type(plugin).__name__})

    def _where(self, file) -> tuple[str, str] | None:
        """Folder within the live data, and name of the file; None if it is no live data."""
        if not isinstance(file, str) or not file.startswith(self._live_prefixes):
            return None
        folder, name = os.path.split(os.path.normpath(file))
        return os.path.basename(folder), name

    def _load(self, where: tuple[str, str], load, path: str, compressor, dtype) -> np.ndarray:
        folder, name = where
        size = os.path.getsize(path)
        try:
            rows = load(path, compressor, dtype)
            if self._salvage:
                self._check(folder, rows)
        except (strax.DataCorrupted, _Implausible) as error:
            if not self._salvage or not _is_damage(error):
                raise
            rows = self._salvaged(folder, path, compressor, np.dtype(dtype))
            bad = {
                "file": name,
                "bytes": size,
                "rows": len(rows),
                "problem": _short(error),
            }
            print(f"left out: what cannot be read of {path} ({bad['problem']})", flush=True)
            self._note(folder, name, size, len(rows), bad)
            return rows
        self._note(folder, name, size, len(rows), None)
        return rows

    def _salvaged(self, folder: str, path: str, compressor, dtype: np.dtype) -> np.ndarray:
        data = frames.recover(path, compressor)
        whole = len(data) // dtype.itemsize * dtype.itemsize
        rows = np.frombuffer(data[:whole], dtype)
        try:
            self._check(folder, rows)
        except _Implausible:
            return rows[:0].copy()
        return rows

    def _check(self, folder: str, rows: np.ndarray) -> None:
        """What was decompressed may still be no data; strax would fail for it."""
        piece = _PIECE.fullmatch(folder)
        chunk_ns = self._config.get("daq_chunk_duration")
        overlap_ns = self._config.get("daq_overlap_chunk_duration")
        names = rows.dtype.names or ()
        if not len(rows) or piece is None or not chunk_ns or "time" not in names:
            return
        begin = int(piece[1]) * (chunk_ns + (overlap_ns or 0))
        start, end = {
            "_pre": (begin - (overlap_ns or 0), begin),
            None: (begin, begin + chunk_ns),
            "_post": (begin + chunk_ns, begin + chunk_ns + (overlap_ns or 0)),
        }[piece[2]]
        if rows["time"].min() < start or rows["time"].max() >= end:
            raise _Implausible(f"times outside of [{start}, {end}) ns")
        plugin = getattr(self._reading, "plugin", None)
        channels = None if plugin is None else plugin.config.get("channel_map")
        if channels and "channel" in names:
            ranges = list(channels.values())
            known = np.zeros(len(rows), bool)
            for first, last in ranges:
                known |= (rows["channel"] >= first) & (rows["channel"] <= last)
            if not known.all():
                raise _Implausible("channels that do not exist")

    def _note(self, folder: str, name: str, size: int, rows: int, bad: dict | None) -> None:
        pieces = getattr(self._reading, "pieces", None)
        outside = pieces is None
        if pieces is None:
            pieces = {}
        piece = pieces.setdefault(folder, {"readers": {}})
        # Files, empty ones of them, bytes, rows.
        sums = piece["readers"].setdefault(reader_of(name), [0, 0, 0, 0])
        for index, value in enumerate((1, size == 0, size, rows)):
            sums[index] += int(value)
        if bad is not None:
            piece.setdefault("bad", []).append(bad)
        if outside:
            self._write({"piece": folder, **piece})

    def _write(self, line: dict) -> None:
        crash_point("input.ndjson:before")
        try:
            if self._ledger is None or self._ledger[0] != os.getpid():
                path = os.path.join(self._directory, f"input-{os.getpid()}.ndjson")
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                self._ledger = (os.getpid(), os.open(path, flags, 0o644))
            durable.write_all(self._ledger[1], json.dumps(line, allow_nan=False).encode() + b"\n")
        except OSError as error:
            # A full disk must not end the attempt; the result says that not all was accounted for.
            self._state.unaccounted = 1
            durable.say(f"cannot write down what was read: {error}")
        crash_point("input.ndjson:after")

    def sum_up(self) -> dict | None:
        """The protocol's `result.input`; None if no live data was asked for."""
        found = _Sum(self._directory, self._live, self._config).result()
        if found is not None and self._state.unaccounted:
            found["accounted"] = False
        return found


class _Implausible(Exception):
    """Decompressed without an error, and no data of this chunk."""


def reader_of(name: str) -> str:
    """The readout program that wrote a file: its name goes up to the number of the thread."""
    return "_".join(name.split("_")[:-1]) or name


def _is_damage(error: BaseException) -> bool:
    cause = error.__context__ or error.__cause__
    if isinstance(cause, MemoryError):
        return False
    return not (isinstance(cause, OSError) and cause.errno is not None)


def _short(error: BaseException) -> str:
    cause = error.__context__ if isinstance(error, strax.DataCorrupted) else None
    cause = cause or error
    text = str(cause).strip().replace("\n", " ") or type(cause).__name__
    return text[:MAX_PROBLEM_CHARACTERS]


class _Named:
    """The first of many, and how many there are."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[dict] = []

    def add(self, item: dict) -> None:
        self.count += 1
        if len(self.first) < MAX_NAMED:
            self.first.append(item)


class _Sum:
    """Of all ledgers of an attempt; a stretch that was read again counts once."""

    def __init__(self, directory: str, live: str, config: dict) -> None:
        self._live = live
        self._threads = config.get("readout_threads") or {}
        self._seen: set[str] = set()
        self._asked = False
        self._unaccounted = 0
        self._totals = [0, 0, 0]
        self._missing, self._unreadable = _Named(), _Named()
        self._quiet: dict[str, list] = {}
        for name in sorted(os.listdir(directory)):
            if _LEDGER.fullmatch(name):
                with open(os.path.join(directory, name)) as file:
                    for line in file:
                        self._add_line(line)

    def _add_line(self, text: str) -> None:
        try:
            line = json.loads(text)
        except ValueError:
            # Its disk was full.
            line = {"unaccounted": None}
        self._add(line)

    def _add(self, line: dict) -> None:
        self._asked = True
        if "unaccounted" in line:
            self._unaccounted += 1
            return
        piece, readers = line["piece"], line["readers"]
        if piece in self._seen:
            return
        self._seen.add(piece)
        for files, _, size, rows in readers.values():
            for index, value in enumerate((files, size, rows)):
                self._totals[index] += value
        for reader, threads in self._threads.items():
            lacking = threads - readers.get(reader, [0])[0]
            if lacking > 0:
                self._missing.add({"chunk": piece, "reader": reader, "files": lacking})
        for bad in line.get("bad", []):
            self._unreadable.add({"chunk": piece, "reader": reader_of(bad["file"]), **bad})
        self._note_quiet(piece, readers)

    def _note_quiet(self, piece: str, readers: dict) -> None:
        # In the short stretch between two chunks nothing need happen.
        match = _PIECE.fullmatch(piece)
        if match is None or match[2] is not None:
            return
        silent = [name for name, (files, empty, _, _) in readers.items() if files == empty]
        if len(silent) == len(readers):
            return
        for reader in silent:
            self._quiet.setdefault(reader, [0, piece])[0] += 1
            self._quiet[reader][1] = min(self._quiet[reader][1], piece)

    def result(self) -> dict | None:
        if not self._asked:
            return None
        files, size, rows = self._totals
        if self._unreadable.count and not rows:
            first = self._unreadable.first[0]
            raise NothingReadable(
                f"nothing of the live data in {self._live} can be read: of {files} files "
                f"{self._unreadable.count} are damaged, among them {first['chunk']}/"
                f"{first['file']} ({first['bytes']} bytes): {first['problem']}"
            )
        unread = self._unread()
        return {
            "accounted": self._unaccounted == 0,
            "chunks": sum(1 for piece in self._seen if len(piece.split("_")) == 1),
            "files": files,
            "bytes": size,
            "rows": rows,
            "missing": self._missing.first,
            "missingCount": self._missing.count,
            "unreadable": self._unreadable.first,
            "unreadableCount": self._unreadable.count,
            "unread": unread.first,
            "unreadCount": unread.count,
            "quiet": [
                {"reader": reader, "chunks": chunks, "first": first}
                for reader, (chunks, first) in sorted(self._quiet.items())[:MAX_NAMED]
            ],
        }

    def _unread(self) -> _Named:
        """Stretches that strax passed by: it ends at the first chunk that is not there."""
        found = _Named()
        if not self._seen:
            return found
        try:
            names = sorted(os.listdir(self._live))
        except OSError as error:
            durable.say(f"cannot look for live data that was not read: {error}")
            return found
        for name in names:
            piece = _PIECE.fullmatch(name)
            if piece is None or name in self._seen:
                continue
            before = int(piece[1]) - 1
            # Nothing lies before the first chunk; every other overlap is stored twice.
            if piece[2] == "_pre" and (before < 0 or f"{before:06d}_post" in self._seen):
                continue
            readers: Counter[str] = Counter()
            with contextlib.suppress(OSError), os.scandir(os.path.join(self._live, name)) as files:
                for file in files:
                    readers[reader_of(file.name)] += file.stat().st_size
            if any(readers.values()):
                found.add({"chunk": name, "bytes": sum(readers.values())})
            elif not readers:
                for reader, threads in self._threads.items():
                    self._missing.add({"chunk": name, "reader": reader, "files": threads})
        return found
