"""Peaks from raw records, in plain numpy: enough of strax to see the simulated physics."""

from dataclasses import dataclass

import numpy as np

TPC_CHANNELS = 494
TOP_TUBES = 253
# ADC counts times samples of one photo-electron.
PE_AREA = 129.0
BASELINE = 16_000
THRESHOLD = 15
# As strax joins hits to peaklets.
GAP_NS = 700


@dataclass(frozen=True)
class Peaks:
    """Peaks in order of time: area (PE), width of the middle half (ns), share of the top array."""

    time: np.ndarray
    area: np.ndarray
    width: np.ndarray
    top_share: np.ndarray
    largest_share: np.ndarray
    xy: np.ndarray

    def where(self, keep: np.ndarray) -> "Peaks":
        """The peaks where `keep` is true."""
        return Peaks(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


def find_peaks(records: np.ndarray, positions: np.ndarray, least_pe: float = 4.0) -> Peaks:
    """Peaks of at least `least_pe` in the records of the TPC."""
    records = records[records["channel"] < TPC_CHANNELS]
    depth = BASELINE - records["data"].astype(np.int32)
    columns = np.arange(depth.shape[1])
    over = (depth > THRESHOLD) & (columns < records["length"][:, np.newaxis])
    row, column = np.nonzero(over)
    time = records["time"][row] + column * records["dt"][row].astype(np.int64)
    order = np.argsort(time, kind="stable")
    time, row = time[order], row[order]
    light = depth[over][order] / PE_AREA
    channel = records["channel"][row].astype(np.int64)

    first = np.flatnonzero(np.r_[True, np.diff(time) > GAP_NS])
    area = np.add.reduceat(light, first)
    peak = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(time)]))
    wanted = np.flatnonzero(area >= least_pe)
    number = np.full(len(first), -1)
    number[wanted] = np.arange(len(wanted))
    kept = number[peak] >= 0
    peak, time, light, channel = number[peak][kept], time[kept], light[kept], channel[kept]
    area = area[wanted]
    first = np.searchsorted(peak, np.arange(len(area)))
    by_tube = np.bincount(
        peak * TPC_CHANNELS + channel, light, minlength=len(area) * TPC_CHANNELS
    ).reshape(-1, TPC_CHANNELS)
    top = by_tube[:, :TOP_TUBES]
    on_top = top.sum(axis=1)
    return Peaks(
        time=time[first],
        area=area,
        width=_middle_half(peak, time, light, area, first),
        top_share=on_top / area,
        largest_share=by_tube.max(axis=1) / area,
        xy=(top @ positions) / np.maximum(on_top, 1e-9)[:, np.newaxis],
    )


def _middle_half(peak, time, light, area, first) -> np.ndarray:
    """Time between a quarter and three quarters of the area."""
    total = np.cumsum(light)
    before = total[first] - light[first]
    # Within a peak the share of its area grows from 0 to 1: so this grows over all peaks.
    grown = peak + (total - before[peak]) / (area[peak] * (1 + 1e-9))
    number = np.arange(len(area))
    quarter, rest = (np.searchsorted(grown, number + share) for share in (0.25, 0.75))
    return (time[np.minimum(rest, len(time) - 1)] - time[quarter]).astype(np.float64) + 10.0


@dataclass(frozen=True)
class Events:
    """Pairs of an S1 and the largest S2 after it."""

    drift: np.ndarray
    s1: Peaks
    s2: Peaks


def find_events(peaks: Peaks, longest_drift_ns: float, least_s2_pe: float = 150.0) -> Events:
    """Each large S2 with the largest S1 within one drift time before it."""
    is_s1 = (peaks.width < 150) & (peaks.top_share < 0.45)
    s1s = peaks.where(is_s1)
    s2s = peaks.where(~is_s1 & (peaks.area >= least_s2_pe) & (peaks.width > 150))
    pairs: list[tuple[int, int]] = []
    for number, time in enumerate(s2s.time):
        low, high = np.searchsorted(s1s.time, [time - longest_drift_ns * 1.02, time])
        if high > low:
            pairs.append((low + int(np.argmax(s1s.area[low:high])), number))
    one = s1s.where(np.array([pair[0] for pair in pairs], dtype=np.int64))
    other = s2s.where(np.array([pair[1] for pair in pairs], dtype=np.int64))
    return Events((other.time - one.time).astype(np.float64), one, other)
