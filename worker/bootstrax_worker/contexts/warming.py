"""The tiny run that warms up a context."""

from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..simulator import RunShape, write_live_data
from ..simulator.layout import DETECTORS, processing_threads

WARM_UP_RUN_ID = "000000"
WARM_UP_START_SECONDS = 1_600_000_000.0


def no_monitor_thread() -> None:
    """Keep tqdm from starting a thread: a process with threads is not safe to fork."""
    tqdm.monitor_interval = 0
    if tqdm.monitor is not None:
        tqdm.monitor.exit()
        tqdm.monitor = None


def make_warm_up_run(directory: str, rate_hz: float = 20.0) -> tuple[str, dict[str, Any]]:
    """Write a run of three seconds, with all detectors, below `directory`.

    :param rate_hz: S1/S2 events per second.
    :return: its run id, and the strax options that read it.
    """
    shape = RunShape(
        detectors=DETECTORS,
        seconds=3.0,
        rate_hz=rate_hz,
        chunk_seconds=1.0,
        overlap_seconds=0.2,
    )
    live_data = Path(directory) / "live_data" / WARM_UP_RUN_ID
    write_live_data(live_data, shape)
    return WARM_UP_RUN_ID, {
        "readout_threads": processing_threads(shape.detectors),
        "daq_chunk_duration": int(shape.chunk_seconds * 1e9),
        "daq_overlap_chunk_duration": int(shape.overlap_seconds * 1e9),
        "record_length": shape.record_length,
        "daq_compressor": "lz4",
        "run_start_time": WARM_UP_START_SECONDS,
        "daq_input_dir": str(live_data),
        "check_raw_record_overlaps": True,
    }
