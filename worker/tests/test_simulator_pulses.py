"""Simulated pulses are what digitisers could send."""

import numpy as np
import pytest
import strax
from straxen.plugins.records.records import check_overlaps

from bootstrax_worker.simulator import RunShape
from bootstrax_worker.simulator.layout import DETECTORS, record_dtype
from bootstrax_worker.simulator.live_data import intervals
from bootstrax_worker.simulator.pulses import PulseGenerator, RateTooHigh

SHAPE = RunShape(seconds=2.3, chunk_seconds=0.5, overlap_seconds=0.1)


def whole_run(detector: str, rate_hz: float, seed: int, samples: int = 110) -> list[np.ndarray]:
    """Records of each interval of a run."""
    generator = PulseGenerator(rate_hz=rate_hz, record_length=samples, seed=seed)
    return [
        generator.records(detector, i.index, i.start, i.end, last=i.last) for i in intervals(SHAPE)
    ]


def test_the_layout_is_the_one_of_strax():
    for samples in (60, 110, 250):
        expected = strax.remove_titles_from_dtype(np.dtype(strax.raw_record_dtype(samples)))
        assert record_dtype(samples) == expected


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize(("rate_hz", "seed"), [(0, 1), (5, 2), (300, 3), (3000, 4)])
def test_pulses_never_overlap_within_a_channel(detector, rate_hz, seed):
    records = np.concatenate(whole_run(detector, rate_hz, seed))
    records = strax.sort_by_time(records)
    assert len(records)
    check_overlaps(records, n_channels=3000)


@pytest.mark.parametrize("detector", DETECTORS)
def test_records_start_in_their_interval(detector):
    for interval, records in zip(intervals(SHAPE), whole_run(detector, 50, 1), strict=True):
        assert (records["time"] >= interval.start).all()
        assert (records["time"] < interval.end).all()
        assert (records["time"] % records["dt"] == 0).all()


def test_pulses_are_whole_although_borders_cut_them():
    parts = whole_run("tpc", 50, 1)
    records = np.concatenate(parts)
    length = 110 * records["dt"].astype(np.int64)
    pulse = np.stack([records["channel"], records["time"] - records["record_i"] * length])
    _, index = np.unique(pulse, axis=1, return_inverse=True)
    samples = np.bincount(index.ravel(), weights=records["length"])
    expected = np.bincount(index.ravel(), weights=records["pulse_length"]) / np.bincount(
        index.ravel()
    )
    assert (samples == expected).all()
    crossing = [part["record_i"][part["time"].argsort()][0] for part in parts[1:]]
    assert max(crossing) > 0, "no pulse was cut by a border: the test shows nothing"


def test_the_last_interval_keeps_its_pulses_to_itself():
    last = whole_run("tpc", 50, 1)[-1]
    ends = last["time"] + last["length"].astype(np.int64) * last["dt"]
    assert ends.max() < intervals(SHAPE)[-1].end - 1_000


def test_same_seed_same_data():
    first, again, other = (np.concatenate(whole_run("tpc", 20, seed)) for seed in (5, 5, 6))
    assert (first == again).all()
    assert len(first) != len(other) or not (first == other).all()


def test_padding_is_zero():
    records = np.concatenate(whole_run("tpc", 20, 5, samples=80))
    beyond = np.arange(80)[np.newaxis, :] >= records["length"][:, np.newaxis]
    assert beyond.any()
    assert not records["data"][beyond].any()


def test_a_rate_that_does_not_fit_is_refused():
    with pytest.raises(RateTooHigh):
        whole_run("tpc", 1e6, 1)
