"""Simulated runs for the tests of the contexts."""

from pathlib import Path
from typing import Any

import numpy as np
import strax

from bootstrax_worker.simulator import RunShape, run_id
from bootstrax_worker.simulator.layout import processing_threads, record_dtype

ALL = ("tpc", "neutron_veto", "muon_veto")
START_SECONDS = 1_700_000_000.0


def strax_config(live_data: Path, shape: RunShape, number: int = 7) -> dict[str, Any]:
    """The strax options that a plan takes from this run's document."""
    return {
        "readout_threads": processing_threads(shape.detectors),
        "daq_chunk_duration": int(shape.chunk_seconds * 1e9),
        "daq_overlap_chunk_duration": int(shape.overlap_seconds * 1e9),
        "record_length": shape.record_length,
        "daq_compressor": "lz4",
        "run_start_time": START_SECONDS,
        "daq_input_dir": str(live_data / run_id(number)),
        "check_raw_record_overlaps": True,
    }


def stored_records(directory: Path, samples: int = 110) -> np.ndarray:
    """All records of a run's live data, those that are stored twice taken once, by time."""
    parts = [
        strax.load_file(str(file), "lz4", record_dtype(samples))
        for folder in sorted(directory.iterdir())
        if folder.name != "THE_END" and not folder.name.endswith("_pre")
        for file in sorted(folder.iterdir())
    ]
    return strax.sort_by_time(np.concatenate(parts))


def assert_nothing_lost(context, number: int, directory: Path, ranges: dict[str, tuple[int, int]]):
    """Each raw type of the context holds exactly the records of its channels, once."""
    stored = stored_records(directory)
    stored["time"] += int(START_SECONDS) * 1_000_000_000
    found = 0
    for data_type, (first, last) in ranges.items():
        made = context.get_array(run_id(number), data_type, progress_bar=False)
        in_range = (stored["channel"] >= first) & (stored["channel"] <= last)
        expected = stored[in_range]
        assert len(made) == len(expected), data_type
        made = strax.sort_by_time(made)
        for field in ("time", "channel", "length", "record_i", "data"):
            assert (made[field] == expected[field]).all(), (data_type, field)
        found += len(made)
    assert found == len(stored)
