"""Taking runs: documents in the databases and live data on disk, in the order of the real DAQ.

All moments are detector time, seconds since the start of the run; `speed` turns them into waiting.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pymongo import MongoClient, WriteConcern
from pymongo.errors import AutoReconnect, DuplicateKeyError

from .live_data import FILE_FAULTS, Interval, LiveData, RunShape
from .run_document import data_rates, end_of_run, rates, run_document, run_id

# The DAQ writes 32 bits.
LARGEST_NUMBER = 2**31 - 1
FAULTS = (*FILE_FAULTS, "no-live-data", "no-data-field", "late-end", "silent-status", "no-document")

# The dispatcher waits this long after the start before it inserts the document.
DOCUMENT_AFTER_SECONDS = 2.0
STATUS_EVERY_SECONDS = 3.0
END_AFTER_SECONDS = 1.0
RATE_AFTER_END_SECONDS = 0.5
LATE_END_SECONDS = 60.0
SILENT_SECONDS = 9.0
OUTAGE_PAUSE_SECONDS = 0.3
STATUS_RUNNING = 3
STATUS_IDLE = 0

Report = Callable[[dict[str, Any]], None]
T = TypeVar("T")


class Stopped(Exception):
    """The simulator was stopped while it was taking a run."""


@dataclass(frozen=True)
class Settings:
    """How runs are taken.

    :param live_data: folder into which the readers write; each run has its folder below it.
    :param mode: run mode in the document.
    :param speed: detector seconds per second of the clock; 0 takes no time at all.
    :param reported_rate: MB/s that `aggregate_status` claims for each detector; None: the true.
    """

    live_data: Path
    shape: RunShape
    mode: str
    speed: float = 1.0
    reported_rate: float | None = None


class Daq:
    """The databases as the DAQ programs write to them.

    :param url: MongoDB connection string.
    :param runs_db: name of the database with the collection `runs`.
    :param daq_db: name of the database with the collection `aggregate_status`.
    :param stop: once set, an outage of the database is not waited for any longer.
    """

    def __init__(self, url: str, runs_db: str, daq_db: str, stop: threading.Event | None = None):
        self.client: MongoClient[dict[str, Any]] = MongoClient(
            url,
            serverSelectionTimeoutMS=10_000,
            connectTimeoutMS=10_000,
            socketTimeoutMS=30_000,
            appname="bootstrax-simulate-daq",
        )
        safe = WriteConcern(w="majority", j=True, wtimeout=30_000)
        self.runs = self.client[runs_db].get_collection("runs", write_concern=safe)
        self.status = self.client[daq_db].get_collection("aggregate_status")
        self._lock = threading.Lock()
        self._highest: int | None = None
        self._answered = False
        self._stop = stop or threading.Event()

    def next_number(self) -> int:
        """A run number above every other, reserved for the caller."""
        with self._lock:
            # Looking only above the last known number keeps this an index range.
            known = {} if self._highest is None else {"number": {"$gt": self._highest}}
            highest = self._until_answered(lambda: self._newest(known))
            self._highest = (self._highest or 0 if highest is None else highest) + 1
            return self._highest

    def _newest(self, known: dict[str, Any]) -> int | None:
        """The highest run number; values that are no run number do not count."""
        documents = self.runs.find(known, {"number": 1}).sort("number", -1)
        numbers = (each.get("number") for each in documents)
        return next((number for number in numbers if _is_number(number)), None)

    def insert_run(self, document: dict[str, Any]) -> bool:
        """Insert a run document; False if another DAQ took the number meanwhile."""

        def insert() -> bool:
            try:
                self.runs.insert_one(document)
            except DuplicateKeyError:
                # The document may be this one, if only the answer of the insert was lost.
                return self.runs.find_one({"_id": document["_id"]}, {"_id": 1}) is not None
            return True

        return self._until_answered(insert)

    def update_run(self, number: int, fields: dict[str, Any]) -> None:
        """Set fields of a run document."""
        self._until_answered(lambda: self.runs.update_one({"number": number}, {"$set": fields}))

    def report_status(self, detector: str, number: int | None, mode: str, rate: float) -> None:
        """One line of `aggregate_status`; without a number the detector is idle. Rate in MB/s."""
        # During an outage the line is dropped: the next one is due soon.
        with contextlib.suppress(AutoReconnect):
            self.status.insert_one(
                {
                    "status": STATUS_IDLE if number is None else STATUS_RUNNING,
                    "detector": detector,
                    "rate": rate,
                    "readers": 1,
                    "time": datetime.now(UTC),
                    "buff": 0.0,
                    "mode": mode,
                    "number": number,
                    "pll_unlocks": 0,
                }
            )

    def _until_answered(self, call: Callable[[], T]) -> T:
        """Repeat a call during an outage; a repetition must do no harm.

        If the database has never answered, this is no outage but a mistake.
        """
        while True:
            try:
                answer = call()
            except AutoReconnect:
                if not self._answered:
                    raise
                if self._stop.wait(OUTAGE_PAUSE_SECONDS):
                    raise Stopped from None
                continue
            self._answered = True
            return answer


class _Timetable:
    """Moments of detector time, turned into waiting."""

    def __init__(self, speed: float, stop: threading.Event):
        self.speed = speed
        self.stop = stop
        self.began = time.monotonic()

    def wait_until(self, moment: float) -> None:
        delay = self.began + moment / self.speed - time.monotonic() if self.speed else 0.0
        if self.stop.wait(max(delay, 0.0)):
            raise Stopped


def take_run(daq: Daq, settings: Settings, report: Report, stop: threading.Event) -> int:
    """Take one run from start to end and return its number.

    :param report: called with an object for each event.
    :param stop: once set, the run is left as it is and `Stopped` is raised.
    """
    shape = settings.shape
    number = daq.next_number()
    began = datetime.now(UTC)
    # The run is over, by the clock, when its last second has been taken: so a run that is taken
    # faster than real time began longer ago.
    ahead = shape.seconds * (1 - 1 / settings.speed) if settings.speed else shape.seconds
    document = run_document(
        number=number,
        shape=shape,
        mode=settings.mode,
        start=began - timedelta(seconds=ahead),
        output_path=str(settings.live_data),
    )
    live = LiveData(settings.live_data / run_id(number), shape)
    timetable = _Timetable(settings.speed, stop)
    report({"event": "start", "run": number, "detectors": list(shape.detectors)})
    for moment, action in _actions(daq, settings, document, live, report):
        prepared = action()
        timetable.wait_until(moment)
        prepared()
    report({"event": "taken", "run": number, "megabytes": _megabytes(live)})
    return number


Action = Callable[[], Callable[[], None]]


def _actions(
    daq: Daq, settings: Settings, document: dict[str, Any], live: LiveData, report: Report
) -> list[tuple[float, Action]]:
    """The schedule of a run; each action prepares, and returns what to do at its time."""
    shape = settings.shape
    number = document["number"]
    actions: list[tuple[float, Action]] = []

    def at(moment: float, what: Callable[[], None]) -> None:
        actions.append((moment, lambda: what))

    def insert() -> None:
        if not daq.insert_run(document):
            raise RuntimeError(
                f"run {number}: its number was taken by another DAQ; nothing was inserted"
            )
        report({"event": "document", "run": number, "mode": settings.mode})

    def chunk(interval: Interval, files: dict[str, bytes]) -> None:
        live.publish(interval, files)
        report({"event": "chunk", "run": number, "directories": list(interval.directories)})

    def prepare_chunk(interval: Interval) -> Action:
        def prepare() -> Callable[[], None]:
            return partial(chunk, interval, live.prepare(interval))

        return prepare

    def status() -> None:
        for detector, rate in data_rates(shape, live.written).items():
            claimed = rate if settings.reported_rate is None else settings.reported_rate
            daq.report_status(detector, number, settings.mode, claimed)

    def the_end() -> None:
        live.finish()
        report({"event": "the_end", "run": number})

    def end() -> None:
        daq.update_run(number, {"end": end_of_run(document, shape)})
        report({"event": "end", "run": number})

    def rate() -> None:
        daq.update_run(number, {"rate": rates(shape, live.written)})
        for detector in shape.detectors:
            daq.report_status(detector, None, settings.mode, 0.0)
        report({"event": "rate", "run": number})

    if shape.fault != "no-document":
        at(DOCUMENT_AFTER_SECONDS, insert)
    if shape.fault != "no-live-data":
        at(0.0, live.begin)
        # The first chunk is made beforehand, so that the first status knows a rate.
        first, *others = live.intervals
        at(first.end / 1e9, partial(chunk, first, live.prepare(first)))
        actions += [(interval.end / 1e9, prepare_chunk(interval)) for interval in others]
    silent_until = DOCUMENT_AFTER_SECONDS + SILENT_SECONDS if shape.fault == "silent-status" else 0
    for step in range(int(shape.seconds // STATUS_EVERY_SECONDS) + 1):
        moment = step * STATUS_EVERY_SECONDS
        if moment >= silent_until:
            at(moment, status)
    if shape.fault != "never-ends":
        over = shape.seconds + END_AFTER_SECONDS
        over += LATE_END_SECONDS if shape.fault == "late-end" else 0.0
        if shape.fault != "no-live-data":
            at(shape.seconds, the_end)
        if shape.fault != "no-document":
            at(over, end)
            at(over + RATE_AFTER_END_SECONDS, rate)
    # Sorting is stable: actions due at the same time keep the order above.
    return sorted(actions, key=lambda action: action[0])


def _megabytes(live: LiveData) -> float:
    return round(sum(live.written.bytes.values()) / 1e6, 3)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_NUMBER
