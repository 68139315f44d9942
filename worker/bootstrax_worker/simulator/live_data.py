"""Live data of one run on disk, as redax leaves it for strax's DAQ reader."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import lz4.frame
import numpy as np

from . import layout
from .conditions import Conditions
from .pulses import PulseGenerator
from .tpc import SECOND
from .xenon import BACKGROUND

# Faults that live in the files; those of the documents are in `taking.py`.
FILE_FAULTS = ("corrupt-chunk", "missing-reader-file", "never-ends", "empty-run", "no-the-end")


@dataclass(frozen=True)
class RunShape:
    """The properties of a simulated run.

    :param detectors: detectors of the run, some of `layout.DETECTORS` and of `others`.
    :param seconds: length of the run, detector time.
    :param rate_hz: S1/S2 events per second in the TPC in a background run; the vetoes follow it.
    :param chunk_seconds: length of a chunk.
    :param overlap_seconds: length of the stretch between two chunks that is stored twice.
    :param payload_bytes: bytes of samples per fragment (two bytes a sample).
    :param seed: same seed, same data.
    :param fault: name of a fault, or None.
    :param others: detectors that are none of XENONnT's.
    :param source: what the TPC sees, one of `xenon.SOURCES`.
    :param detector_faults: what is wrong with the TPC, some of `conditions.DETECTOR_FAULTS`.
    """

    detectors: tuple[str, ...] = ("tpc",)
    seconds: float = 22.0
    rate_hz: float = 5.0
    chunk_seconds: float = 5.0
    overlap_seconds: float = 0.5
    payload_bytes: int = 220
    seed: int = 1
    fault: str | None = None
    others: tuple[layout.OtherDetector, ...] = ()
    source: str = BACKGROUND
    detector_faults: tuple[str, ...] = ()

    def __post_init__(self):
        known = (*(other.name for other in self.others), *layout.DETECTORS)
        unknown = [d for d in self.detectors if d not in known]
        if unknown or not self.detectors:
            raise ValueError(f"unknown detectors {unknown}: choose from {', '.join(known)}")
        if self.seconds < 0 or self.chunk_seconds <= 0 or self.overlap_seconds <= 0:
            raise ValueError(
                "lengths of run, chunk and overlap must be positive numbers of seconds"
            )
        # Refuses what is unknown.
        Conditions(self.source, self.detector_faults, self.seconds)

    @property
    def record_length(self) -> int:
        """Samples per fragment."""
        return self.payload_bytes // 2

    @property
    def conditions(self) -> Conditions:
        """The state of the TPC."""
        return Conditions(self.source, self.detector_faults, self.seconds)


@dataclass(frozen=True)
class Interval:
    """A stretch of detector time, [start, end) in ns, and the directories it is stored in."""

    index: int
    start: int
    end: int
    directories: tuple[str, ...]
    last: bool


@dataclass
class Written:
    """Counts of the live data prepared so far, up to `covered_seconds` of detector time.

    `records` and `bytes` (uncompressed, as sent by the digitisers) are by detector and count the
    stretches that are stored twice once; `disk_bytes` is what lies on disk.
    """

    directory: Path
    chunks: int = 0
    covered_seconds: float = 0.0
    disk_bytes: int = 0
    records: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)


def intervals(shape: RunShape) -> list[Interval]:
    """Chunks and overlaps of a run, in order of time."""
    total = round(shape.seconds * SECOND)
    chunk = round(shape.chunk_seconds * SECOND)
    overlap = round(shape.overlap_seconds * SECOND)
    found: list[tuple[int, int, tuple[str, ...]]] = []
    number = 0
    while number == 0 or number * (chunk + overlap) < total:
        start = number * (chunk + overlap)
        middle, end = start + chunk, start + chunk + overlap
        found.append((start, min(middle, total), (f"{number:06d}",)))
        if middle < total:
            following = f"{number + 1:06d}_pre"
            found.append((middle, min(end, total), (f"{number:06d}_post", following)))
        elif number == 0:
            # The DAQ reader takes chunk 0 only with the folder after it, even if that is empty.
            found.append((total, total, ("000000_post",)))
        number += 1
    return [
        Interval(index, start, end, directories, last=end == total)
        for index, (start, end, directories) in enumerate(found)
    ]


class LiveData:
    """Writes the live data of one run into `directory`, one interval after the other."""

    def __init__(self, directory: Path, shape: RunShape):
        self.shape = shape
        self.intervals = intervals(shape)
        self.written = Written(directory)
        self._pulses = PulseGenerator(
            rate_hz=shape.rate_hz,
            record_length=shape.record_length,
            seed=shape.seed,
            others=shape.others,
            conditions=shape.conditions,
        )
        central = [i.index for i in self.intervals if len(i.directories[0]) == 6]
        self._faulty_interval = central[len(central) // 2]
        self._files = [
            name for d in shape.detectors for name in layout.reader_files(d, shape.others)
        ]

    def begin(self) -> None:
        """Make the folder of the first chunk as the readers do: before there is anything in it."""
        first = self.intervals[0].directories[0]
        (self.written.directory / f"{first}_temp").mkdir(parents=True, exist_ok=True)

    def prepare(self, interval: Interval) -> dict[str, bytes]:
        """Contents of the readers' files for this interval, by file name."""
        files: dict[str, bytes] = {}
        self.written.covered_seconds = interval.end / SECOND
        for detector in self.shape.detectors:
            names = layout.reader_files(detector, self.shape.others)
            parts = self._parts(detector, interval)
            written = self.written
            for counts, sizes in (
                (written.records, map(len, parts)),
                (written.bytes, (part.nbytes for part in parts)),
            ):
                counts[detector] = counts.get(detector, 0) + sum(sizes)
            # A digitiser channel is always read out by the same thread.
            threads = [part["channel"] % len(names) for part in parts]
            for number, name in enumerate(names):
                own = [part[thread == number] for part, thread in zip(parts, threads, strict=True)]
                records = own[0] if len(own) == 1 else np.concatenate(own)
                files[name] = lz4.frame.compress(records) if len(records) else b""
        return self._spoil(interval, files)

    def publish(self, interval: Interval, files: dict[str, bytes]) -> None:
        """Let the prepared files appear, each by rename out of a `_temp` directory."""
        for directory in interval.directories:
            self._write(directory, files)
        if len(interval.directories[0]) == 6:
            self.written.chunks += 1

    def finish(self) -> None:
        """Write `THE_END`: every thread says that it has nothing more to write."""
        if self.shape.fault in ("never-ends", "no-the-end"):
            return
        names = [name for name in self._files if not self._is_missing(name)]
        self._write("THE_END", dict.fromkeys(names, b"end\n"))

    def _parts(self, detector: str, interval: Interval) -> list[np.ndarray]:
        if self.shape.fault == "empty-run" or interval.start == interval.end:
            return [np.empty(0, dtype=self._pulses.dtype)]
        return self._pulses.parts(
            detector, interval.index, interval.start, interval.end, last=interval.last
        )

    def _is_missing(self, name: str) -> bool:
        return self.shape.fault == "missing-reader-file" and name == self._files[-1]

    def _spoil(self, interval: Interval, files: dict[str, bytes]) -> dict[str, bytes]:
        if interval.index < self._faulty_interval:
            return files
        if self.shape.fault == "corrupt-chunk" and interval.index == self._faulty_interval:
            return files | {self._files[0]: b"this was never sent by a digitiser"}
        return {name: content for name, content in files.items() if not self._is_missing(name)}

    def _write(self, directory: str, files: dict[str, bytes]) -> None:
        final = self.written.directory / directory
        temporary = self.written.directory / f"{directory}_temp"
        temporary.mkdir(parents=True, exist_ok=True)
        final.mkdir(exist_ok=True)
        for name, content in files.items():
            (temporary / name).write_bytes(content)
            os.rename(temporary / name, final / name)
            self.written.disk_bytes += len(content)
        temporary.rmdir()


def write_live_data(directory: Path | str, shape: RunShape) -> Written:
    """Write a whole run's live data at once, without any database.

    :param directory: the run's own directory, `<live data>/<run id>`; made if absent.
    :param shape: the properties of the run.
    :return: what was written.
    """
    live = LiveData(Path(directory), shape)
    for interval in live.intervals:
        live.publish(interval, live.prepare(interval))
    live.finish()
    return live.written
