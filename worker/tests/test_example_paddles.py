"""The reader of examples/paddles, on sound and faulty live data."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import strax

from bootstrax_worker.simulator import RunShape, write_live_data
from bootstrax_worker.simulator.layout import ChannelGroup, OtherDetector, processing_threads

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/paddles"))
import paddles

TELESCOPE = OtherDetector("telescope", ChannelGroup(0, 7, 10), 2)
START = 1_700_000_000


def taken(tmp_path, **changes):
    """Live data of a run, and a context that reads it."""
    shape = RunShape(
        **{
            "detectors": ("telescope",),
            "others": (TELESCOPE,),
            "rate_hz": 20.0,
            "chunk_seconds": 1.0,
            "overlap_seconds": 0.2,
            **changes,
        }
    )
    written = write_live_data(tmp_path / "live", shape)
    context = paddles.context(
        daq_input_dir=str(tmp_path / "live"),
        readout_threads=processing_threads(shape.detectors, shape.others),
        daq_chunk_duration=int(shape.chunk_seconds * 1e9),
        daq_overlap_chunk_duration=int(shape.overlap_seconds * 1e9),
        run_start_time=float(START),
    )
    context.storage = [strax.DataDirectory(str(tmp_path / "out"))]
    return written, context


def load(context, name):
    return context.get_array("000001", name, progress_bar=False)


# One chunk; ending in a chunk, at its end, within the overlap after it, at the overlap's end.
@pytest.mark.parametrize("seconds", [0.5, 3.0, 3.4, 3.5, 3.6])
def test_every_record_is_read_once(tmp_path, seconds):
    written, context = taken(tmp_path, seconds=seconds)
    pulses = load(context, "raw_pulses")
    assert len(pulses) == written.records["telescope"]
    assert len(np.unique(pulses[["time", "channel", "record_i"]])) == len(pulses)
    assert pulses["time"].min() >= START * 10**9
    assert strax.endtime(pulses).max() <= (START + seconds + 1) * 10**9


def test_a_muon_on_the_border_between_chunks_is_one(tmp_path):
    _, context = taken(tmp_path, seconds=3.0)
    muons, hits = load(context, "muons"), load(context, "hits")
    assert (np.diff(muons["time"]) > paddles.COINCIDENCE_NS).all()
    # The simulator puts a group of pulses across each border.
    for border in (1.0, 1.2, 2.2, 2.4):
        here = START * 10**9 + int(border * 1e9)
        near = hits[np.abs(hits["time"] - here) < 1000]
        assert len(np.unique(near["paddle"])) == 8
        assert (np.abs(muons["time"] - here) < 1000).sum() == 1


def test_a_quiet_run_has_chunks(tmp_path):
    _, context = taken(tmp_path, seconds=3.0, fault="empty-run")
    assert len(load(context, "raw_pulses")) == 0
    monitor = load(context, "rate_monitor")
    assert len(monitor) > 1
    assert (monitor["rate"] == 0).all()


def test_a_corrupt_file_is_named(tmp_path):
    _, context = taken(tmp_path, seconds=3.0, fault="corrupt-chunk")
    with pytest.raises(Exception, match=re.escape(str(tmp_path / "live/0000"))):
        load(context, "raw_pulses")


def test_what_is_not_complete_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(paddles.PaddleReader, "input_timeout", 1)
    _, context = taken(tmp_path, seconds=3.0, fault="no-the-end")
    with pytest.raises(Exception, match="waited for more than 1 sec"):
        load(context, "raw_pulses")


def test_the_warm_up_leaves_the_context_as_it_was(tmp_path):
    context = paddles.context(min_paddles=4)
    paddles.warm_up(context, str(tmp_path))
    assert context.storage == []
    assert context.config == {"min_paddles": 4}
