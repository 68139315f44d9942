"""Command line: python -m bootstrax_worker.simulator"""

import argparse
import json
import signal
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bson import json_util

from .conditions import DETECTOR_FAULTS
from .layout import DETECTORS, ChannelGroup, OtherDetector
from .live_data import FILE_FAULTS, RunShape, write_live_data
from .pulses import RateTooHigh
from .run_document import default_mode, end_of_run, rates, run_document, run_id
from .taking import FAULTS, Daq, Settings, Stopped, take_run
from .waveforms import SAMPLING_NS
from .xenon import SOURCES, source_of


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    p = argparse.ArgumentParser(
        prog="bootstrax simulate-daq",
        description="Take simulated runs: run documents, redax live data, detector status.",
    )
    p.add_argument("--mongo-url", help="MongoDB that holds both databases")
    p.add_argument("--runs-db", default="xenonnt", help="database with the collection runs")
    p.add_argument("--daq-db", default="daq", help="database with the collection aggregate_status")
    p.add_argument("--live-data", required=True, type=Path, help="folder the readers write into")
    p.add_argument(
        "--runs", type=int, default=1, help="runs to take, of each --detectors; 0: endless"
    )
    p.add_argument("--seconds", type=float, default=22.0, help="length of a run, detector seconds")
    p.add_argument(
        "--rate", type=float, default=5.0, help="S1/S2 events per second of a background run"
    )
    p.add_argument(
        "--mode",
        help="run mode (default: tpc_bkg, nveto_bkg or mveto_bkg), or several separated by commas: "
        f"runs take them by turns. A mode with {', '.join(SOURCES)} in its name has this source",
    )
    p.add_argument(
        "--detectors",
        action="append",
        help=f"detectors of the run, separated by commas, of {', '.join(DETECTORS)} (default tpc) "
        "and those of --channels; "
        "given several times, these detectors take runs of their own at the same time",
    )
    p.add_argument(
        "--channels",
        action="append",
        type=other_detector,
        default=[],
        metavar="NAME:FIRST:LAST:NS:THREADS",
        help="a detector that is none of XENONnT's: its channels, ns per sample (2 or 10), threads",
    )
    p.add_argument("--speed", type=float, default=1.0, help="factor on real time; 0: take no time")
    p.add_argument("--fault", choices=FAULTS, help="fault in every run")
    p.add_argument(
        "--detector-fault",
        action="append",
        default=[],
        choices=DETECTOR_FAULTS,
        help="what is wrong with the TPC in every run; may be given several times",
    )
    p.add_argument("--seed", type=int, default=1, help="the same seed makes the same pulses")
    p.add_argument("--gap-seconds", type=float, default=1.0, help="pause between runs")
    p.add_argument("--chunk-seconds", type=float, default=5.0, help="length of a chunk")
    p.add_argument("--overlap-seconds", type=float, default=0.5, help="stretch stored twice")
    p.add_argument("--reported-rate", type=float, help="MB/s that aggregate_status claims")
    p.add_argument("--no-database", action="store_true", help="write one run's live data only")
    p.add_argument("--number", type=int, help="run number, with --no-database")
    p.add_argument("--json", action="store_true", help="one JSON object per line")
    return p


def other_detector(text: str) -> OtherDetector:
    """A detector from its description on the command line."""
    try:
        name, *numbers = text.split(":")
        first, last, dt, threads = map(int, numbers)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not NAME:FIRST:LAST:NS:THREADS") from None
    if name in DETECTORS:
        raise argparse.ArgumentTypeError(f"{name} is a detector of XENONnT: take another name")
    if not 0 <= first <= last < 2**15 or dt not in SAMPLING_NS or threads < 1:
        raise argparse.ArgumentTypeError(
            f"{text}: channels must be 0 to 32767, the last not below the first, "
            f"ns per sample {' or '.join(map(str, SAMPLING_NS))}, threads at least 1"
        )
    return OtherDetector(name, ChannelGroup(first, last, dt), threads)


def detector_groups(given: list[str] | None) -> list[tuple[str, ...]]:
    """Detectors of each concurrent run. A detector can be in one run at a time."""
    groups = [tuple(d.strip() for d in one.split(",") if d.strip()) for one in given or ["tpc"]]
    flat = [detector for group in groups for detector in group]
    if len(flat) != len(set(flat)):
        raise ValueError("a detector can take part in one run at a time")
    return groups


def run_mode(args: argparse.Namespace, shape: RunShape, taken: int) -> str:
    """Mode of a run after `taken` others of the same detectors."""
    modes = [mode.strip() for mode in (args.mode or "").split(",") if mode.strip()]
    return modes[taken % len(modes)] if modes else default_mode(shape.detectors)


class Reporter:
    """Prints what happens, from several threads."""

    def __init__(self, as_json: bool):
        self.as_json = as_json
        self._lock = threading.Lock()

    def __call__(self, event: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        with self._lock:
            if self.as_json:
                line = json.dumps({"time": now.isoformat(timespec="milliseconds"), **event})
            else:
                line = f"{now:%H:%M:%S} run {event['run']:06d} {_sentence(event)}"
            print(line, flush=True)


def _sentence(event: dict[str, Any]) -> str:
    match event["event"]:
        case "start":
            return f"starts with {', '.join(event['detectors'])}"
        case "document":
            return f"document inserted, mode {event['mode']}"
        case "chunk":
            return f"wrote {' and '.join(event['directories'])}"
        case "the_end":
            return "the readers have stopped"
        case "end":
            return "has its end"
        case "rate":
            return "has its rate"
        case "taken":
            return f"is taken, {event['megabytes']} MB"
        case other:
            return f"{other}: {event.get('reason', '')}"


def write_without_database(args: argparse.Namespace, shape: RunShape) -> None:
    """Write one finished run and print its document as Extended JSON."""
    number = 1 if args.number is None else args.number
    if shape.fault is not None and shape.fault not in FILE_FAULTS:
        raise ValueError(f"--fault {shape.fault} needs a database")
    mode = run_mode(args, shape, 0)
    shape = replace(shape, source=source_of(mode))
    live_data = args.live_data.resolve()
    written = write_live_data(live_data / run_id(number), shape)
    document = run_document(
        number=number,
        shape=shape,
        mode=mode,
        start=datetime.now(UTC) - timedelta(seconds=shape.seconds),
        output_path=str(live_data),
    )
    if shape.fault != "never-ends":
        document["end"] = end_of_run(document, shape)
        document["rate"] = rates(shape, written)
    print(json_util.dumps(document, json_options=json_util.RELAXED_JSON_OPTIONS))


def take_runs(args: argparse.Namespace, shapes: list[RunShape]) -> int:
    """Take runs of all groups of detectors at the same time; return 0 on success."""
    stop = threading.Event()
    daq = Daq(args.mongo_url, args.runs_db, args.daq_db, stop)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    report = Reporter(args.json)
    failures: list[BaseException] = []

    def one_after_the_other(shape: RunShape) -> None:
        taken = 0
        try:
            while not stop.is_set() and (args.runs == 0 or taken < args.runs):
                if taken and stop.wait(args.gap_seconds):
                    return
                mode = run_mode(args, shape, taken)
                settings = Settings(
                    live_data=args.live_data.resolve(),
                    # Each run has pulses of its own, the same ones for the same seed.
                    shape=replace(shape, seed=shape.seed + taken, source=source_of(mode)),
                    mode=mode,
                    speed=args.speed,
                    reported_rate=args.reported_rate,
                )
                take_run(daq, settings, report, stop)
                taken += 1
        except Stopped:
            print("stopped while a run was being taken: it has no end", file=sys.stderr)
        except Exception as error:
            failures.append(error)
            stop.set()

    threads = [threading.Thread(target=one_after_the_other, args=(shape,)) for shape in shapes]
    for thread in threads:
        thread.start()
    for thread in threads:
        # A join without a limit would keep signals from being handled.
        while thread.is_alive():
            thread.join(0.2)
    daq.client.close()
    for failure in failures:
        print(f"simulate-daq: {type(failure).__name__}: {failure}", file=sys.stderr)
    return 1 if failures else 0


def main(argv: list[str] | None = None) -> int:
    """Run the simulator; return the exit code: 0 success, 1 failure, 2 usage error."""
    args = parser().parse_args(argv)
    try:
        if args.speed < 0 or args.runs < 0 or args.rate < 0:
            raise ValueError("--speed, --runs and --rate must not be negative")
        shapes = [
            RunShape(
                detectors=group,
                seconds=args.seconds,
                rate_hz=args.rate,
                chunk_seconds=args.chunk_seconds,
                overlap_seconds=args.overlap_seconds,
                seed=args.seed,
                fault=args.fault,
                others=tuple(args.channels),
                detector_faults=tuple(args.detector_fault),
            )
            for group in detector_groups(args.detectors)
        ]
        if args.no_database:
            if len(shapes) > 1:
                raise ValueError("--no-database writes one run: give --detectors once")
            write_without_database(args, shapes[0])
            return 0
        if not args.mongo_url:
            raise ValueError("--mongo-url is needed (or --no-database)")
    except (ValueError, RateTooHigh) as error:
        print(f"simulate-daq: {error}", file=sys.stderr)
        return 2
    return take_runs(args, shapes)


if __name__ == "__main__":
    sys.exit(main())
