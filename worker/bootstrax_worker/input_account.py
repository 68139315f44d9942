"""Accounts for the live data that an attempt reads: present, missing and unreadable files.

Each process writes what it reads into a ledger of its own; the child sums them up at the end. After
the end of a run strax takes a reader without a file for one without data, so the files have to be
counted here.
"""

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator

import numpy as np
import strax

from . import durable, frames
from .ledger import MAX_NAMED, STRETCH, Ledger, Stretch, Summary, lacking, reader_of, unread
from .shared_state import SharedState

MAX_PROBLEM_CHARACTERS = 300

_current: "InputAccount | None" = None


def count_file(path: str, rows: int) -> None:
    """Account for a file of live data that was read without `strax.load_file`.

    For readers of a site, while they compute the chunk. Outside of an attempt it does nothing.
    """
    if _current is not None:
        _current.count(os.fspath(path), rows)


class NothingReadable(Exception):
    """There is live data, but none of it can be read."""


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
        self._open: tuple[int, list[_Chunk]] = (os.getpid(), [])
        self._ledger: Ledger | None = None

    def begin(self) -> None:
        """Let strax load files through this account; call it in the process of the attempt."""
        global _current
        _current = self
        frames.refuse_cut_files()
        load = strax.io.load_file

        def load_file(f, compressor, dtype):
            where = self._where(f)
            if where is None:
                return load(f, compressor, dtype)
            return self._load(where, load, f, compressor, dtype)

        strax.load_file = strax.io.load_file = load_file

    @contextlib.contextmanager
    def chunk(self, plugin: strax.Plugin, number: int | None) -> Iterator[None]:
        """Context in which a plugin with a reader of its own makes a chunk."""
        chunk = _Chunk(number, plugin)
        opened = self._opened()
        opened.append(chunk)
        self._reading.chunk = chunk
        try:
            yield
        finally:
            del self._reading.chunk
            opened.remove(chunk)
            if chunk.stretches:
                self._own_ledger().add(chunk.stretches)
            else:
                self._own_ledger().add_unaccounted(number, type(plugin).__name__)

    def count(self, path: str, rows: int) -> None:
        """See `count_file`."""
        where = self._where(path)
        if where is not None:
            self._note(*where, os.path.getsize(path), rows, None)

    def _opened(self) -> list["_Chunk"]:
        """Chunks that this process makes now, without those that its parent made at the fork."""
        if self._open[0] != os.getpid():
            self._open = (os.getpid(), [])
        return self._open[1]

    def _own_ledger(self) -> Ledger:
        if self._ledger is None or self._ledger.pid != os.getpid():
            threads = self._config.get("readout_threads") or {}
            self._ledger = Ledger(self._directory, threads, self._state)
        return self._ledger

    def _chunk_of(self, folder: str) -> "_Chunk | None":
        """The chunk that is being made from this folder: a reader may have threads of its own."""
        mine = getattr(self._reading, "chunk", None)
        if mine is not None:
            return mine
        opened = list(self._opened())
        match = STRETCH.fullmatch(folder)
        same = [chunk for chunk in opened if match and chunk.number == int(match[1])]
        candidates = same or opened
        return candidates[0] if len(candidates) == 1 else None

    def _where(self, file) -> tuple[str, str] | None:
        """Folder within the live data, and name of the file; None for other files."""
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
            problem = _short(error)
            print(f"left out: what cannot be read of {path} ({problem})", flush=True)
            self._note(folder, name, size, len(rows), problem)
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
        """Raise if decompressed bytes are no data, for which strax would fail."""
        stretch = STRETCH.fullmatch(folder)
        chunk_ns = self._config.get("daq_chunk_duration")
        overlap_ns = self._config.get("daq_overlap_chunk_duration")
        names = rows.dtype.names or ()
        if not len(rows) or stretch is None or not chunk_ns or "time" not in names:
            return
        begin = int(stretch[1]) * (chunk_ns + (overlap_ns or 0))
        start, end = {
            "_pre": (begin - (overlap_ns or 0), begin),
            None: (begin, begin + chunk_ns),
            "_post": (begin + chunk_ns, begin + chunk_ns + (overlap_ns or 0)),
        }[stretch[2]]
        if rows["time"].min() < start or rows["time"].max() >= end:
            raise _Implausible(f"times outside of [{start}, {end}) ns")
        chunk = self._chunk_of(folder)
        channels = None if chunk is None else chunk.plugin.config.get("channel_map")
        if channels and "channel" in names:
            ranges = list(channels.values())
            known = np.zeros(len(rows), bool)
            for first, last in ranges:
                known |= (rows["channel"] >= first) & (rows["channel"] <= last)
            if not known.all():
                raise _Implausible("channels that do not exist")

    def _note(self, folder: str, name: str, size: int, rows: int, problem: str | None) -> None:
        chunk = self._chunk_of(folder)
        if chunk is not None:
            chunk.add(folder, name, size, rows, problem)
        elif problem is not None:
            # It is unknown which chunk lacks the file, but one does.
            stretch = Stretch()
            stretch.add(name, size, rows, problem)
            self._own_ledger().add_damage(folder, stretch)

    def sum_up(self) -> dict | None:
        """The protocol's `result.input`; None if no live data was asked for."""
        summary = Summary(self._directory)
        if not summary.asked:
            return None
        counts = summary.sums.counts
        if summary.unreadable and not counts["rows"]:
            first = summary.unreadable[0]
            raise NothingReadable(
                f"nothing of the live data in {self._live} can be read: of {counts['files']} files "
                f"{counts['unreadable']} are damaged, among them {first['chunk']}/"
                f"{first['file']} ({first['bytes']} bytes): {first['problem']}"
            )
        missing, unread_stretches = self._left(summary)
        return {
            "accounted": not (counts["unaccounted"] or self._state.unaccounted),
            **{name: counts[name] for name in ("chunks", "files", "bytes", "rows")},
            "missing": missing.first,
            "missingCount": missing.count,
            "unreadable": summary.unreadable,
            "unreadableCount": counts["unreadable"],
            "unread": unread_stretches.first,
            "unreadCount": unread_stretches.count,
            "quiet": [
                {"reader": reader, "chunks": chunks, "first": first}
                for reader, (chunks, first) in sorted(summary.sums.quiet.items())[:MAX_NAMED]
            ],
        }

    def _left(self, summary: Summary) -> tuple["_Named", "_Named"]:
        """Missing files, also in unread stretches, and the unread stretches with data."""
        missing, found = _Named(summary.missing, summary.sums.counts["missing"]), _Named([], 0)
        if not summary.sums.counts["files"]:
            return missing, found
        threads = self._config.get("readout_threads") or {}
        try:
            for entry in unread(self._live, self._state):
                readers: Counter[str] = Counter()
                with contextlib.suppress(OSError), os.scandir(entry.path) as files:
                    for file in files:
                        readers[reader_of(file.name)] += file.stat().st_size
                if any(readers.values()):
                    found.add({"chunk": entry.name, "bytes": sum(readers.values())})
                elif not readers:
                    for each in lacking(entry.name, threads, {}):
                        missing.add(each)
        except OSError as error:
            durable.say(f"cannot search for live data that was not read: {error}")
        return missing, found


class _Chunk:
    """The files that a plugin, or its threads, reads for one chunk."""

    def __init__(self, number: int | None, plugin: strax.Plugin) -> None:
        self.number = number
        self.plugin = plugin
        self.stretches: dict[str, Stretch] = {}
        self._lock = threading.Lock()

    def add(self, folder: str, name: str, size: int, rows: int, problem: str | None) -> None:
        with self._lock:
            self.stretches.setdefault(folder, Stretch()).add(name, size, rows, problem)


class _Implausible(Exception):
    """The file decompresses without an error, but is not data of this chunk."""


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
    """The first items of a list, and their number."""

    def __init__(self, first: list[dict], count: int) -> None:
        self.count = count
        self.first = list(first)

    def add(self, item: dict) -> None:
        self.count += 1
        if len(self.first) < MAX_NAMED:
            self.first.append(item)
