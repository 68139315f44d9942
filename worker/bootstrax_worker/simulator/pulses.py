"""Pulses as the digitisers would send them.

In the time projection chamber they are made of the light that its tubes see: `tpc`, `digitiser`.
Everything that happens in another detector is a *group* of pulses, a flash. Groups are laid on the
time axis one after the other, never on top of each other, and within a group each channel speaks
once at a time: so pulses can not overlap within a channel, whatever the rate and the seed.
"""

from itertools import pairwise

import numpy as np

from . import layout
from .conditions import Conditions
from .digitiser import Digitiser
from .tpc import SECOND, Chamber
from .waveforms import COPIES, WaveformPool

# Groups and light keep away this far (ns) from the borders between chunk and overlap; there, one
# group or S2 is put across the border on purpose.
BORDER_NS = 20_000
BUSY_NS = 2_000_000
# Light is made for about this number of events at once. Between two slices is a dark margin: no
# pulse reaches from one into the other.
SLICE_EVENTS = 300
SLICE_MARGIN_NS = 1_000
# At this rate most S2s lie on top of others.
HIGHEST_RATE_HZ = 14_000


class RateTooHigh(ValueError):
    """More events than can be told apart on the time axis."""


class _Pulses:
    """Columns of pulses of one fragment each."""

    def __init__(self):
        self.columns: list[tuple[np.ndarray, ...]] = []

    def add(self, time, channel, row, dt):
        n = len(time)
        self.columns.append(
            tuple(
                np.broadcast_to(np.asarray(column, dtype=np.int64), n)
                for column in (time, channel, row, dt)
            )
        )

    def joined(self) -> list[np.ndarray]:
        if not self.columns:
            return [np.empty(0, dtype=np.int64)] * 4
        return [np.concatenate(column) for column in zip(*self.columns, strict=True)]


class PulseGenerator:
    """Makes the records of each detector, interval by interval.

    :param rate_hz: S1/S2 events per second of detector time in the TPC; the vetoes follow it.
    :param record_length: samples per fragment.
    :param seed: same seed, same data.
    :param others: detectors that are none of XENONnT's: flashes in several of their channels.
    :param conditions: what kind of run the time projection chamber sees.
    """

    def __init__(
        self,
        *,
        rate_hz: float,
        record_length: int,
        seed: int,
        others: tuple[layout.OtherDetector, ...] = (),
        conditions: Conditions | None = None,
    ):
        self.rate_hz = rate_hz
        self.seed = seed
        self.record_length = record_length
        self.pool = WaveformPool(record_length, seed)
        self.dtype = layout.record_dtype(record_length)
        self._others = {other.name: other.channels for other in others}
        self._names = (*layout.DETECTORS, *self._others)
        conditions = conditions or Conditions()
        self._chamber = Chamber(rate_hz, conditions)
        self._digitiser = Digitiser(record_length, seed)
        self._noise_factors = conditions.noise_factors()

    def records(
        self, detector: str, interval: int, start: int, end: int, *, last: bool
    ) -> np.ndarray:
        """Fragments of `detector` that start in [start, end) ns since the start of the run."""
        return np.concatenate(self.parts(detector, interval, start, end, last=last))

    def parts(
        self, detector: str, interval: int, start: int, end: int, *, last: bool
    ) -> list[np.ndarray]:
        """The same as `records`, in parts: to join them takes time.

        :param interval: running number of the interval; one follows where the one before ends.
        :param last: nothing comes after `end`: no pulse crosses it.
        """
        pulses = _Pulses()
        self._monitors(detector, start, end - BORDER_NS if last else end, pulses)
        borders = [(interval, start)] * (interval > 0) + [(interval + 1, end)] * (not last)
        inner: list[np.ndarray] = []
        crossing: list[np.ndarray] = []
        if detector == "tpc":
            if self.rate_hz > HIGHEST_RATE_HZ:
                raise self._too_high()
            crossing = [self._s2_across(border, time) for border, time in borders]
            inner = self._chamber_records(interval, start + BORDER_NS, end - BORDER_NS)
        else:
            if end - start > 2 * BORDER_NS:
                rng = self._rng(detector, interval)
                self._make(detector, rng, start + BORDER_NS, end - BORDER_NS, pulses)
            for border, time in borders:
                self._across_border(detector, border, time, pulses)
        cut = np.concatenate([self._records_of(pulses), *crossing])
        return [*inner, cut[(cut["time"] >= start) & (cut["time"] < end)]]

    def _chamber_records(self, interval: int, start: int, end: int) -> list[np.ndarray]:
        """Records within [start, end), made slice by slice: memory does not grow with the rate."""
        rng = self._rng("tpc", interval)
        slices = max(1, round((end - start) / SECOND * self.rate_hz / SLICE_EVENTS))
        edges = np.linspace(start, end, slices + 1).astype(np.int64)
        return [
            self._digitiser.records(
                self._chamber.light(rng, begin + SLICE_MARGIN_NS, until - SLICE_MARGIN_NS),
                rng,
                self._noise_factors,
            )
            for begin, until in pairwise(edges.tolist())
            if until - begin > 2 * SLICE_MARGIN_NS
        ]

    def _s2_across(self, border: int, time: int) -> np.ndarray:
        """Records of an S2 that lies across a border."""
        rng = self._rng("tpc", border, border=True)
        light = self._chamber.across_border(rng, time)
        return self._digitiser.records(light, rng, self._noise_factors)

    def _make(self, detector: str, rng, start: int, end: int, pulses: _Pulses) -> None:
        if detector in self._others:
            group = self._others[detector]
            # Half of the flashes are in one or two channels, the rest in more.
            sizes = 1 + rng.poisson(group.count / 4, 100_000)
            self._veto(rng, start, end, group, sizes, pulses)
        elif detector == "neutron_veto":
            self._veto(rng, start, end, layout.NEUTRON_VETO, 4 + rng.poisson(8, 100_000), pulses)
        else:
            self._veto(rng, start, end, layout.MUON_VETO, 6 + rng.poisson(12, 100_000), pulses)

    def _rng(self, detector: str, interval: int, border: bool = False):
        return np.random.default_rng(
            [self.seed, self._names.index(detector), interval, int(border)]
        )

    def _place(self, rng, start: int, end: int, durations: np.ndarray) -> np.ndarray:
        """Start times (ns) of groups of these `durations`, one after the other in [start, end)."""
        free = end - start - int(durations.sum())
        if free <= 0:
            raise self._too_high()
        gaps = np.sort(rng.integers(0, free, len(durations)))
        before = np.concatenate([[0], np.cumsum(durations)[:-1]]) if len(durations) else 0
        return (start + gaps + before).astype(np.int64)

    def _too_high(self) -> RateTooHigh:
        return RateTooHigh(
            f"{self.rate_hz} events per second do not fit side by side: take a lower rate"
        )

    def _monitors(self, detector: str, start: int, end: int, pulses: _Pulses) -> None:
        if detector == "tpc":
            begin = 300_000_000
            self._every_second(start, end, begin, layout.BUSY_START_CHANNEL, 10, pulses)
            self._every_second(start, end, begin + BUSY_NS, layout.BUSY_STOP_CHANNEL, 10, pulses)
        elif detector == "neutron_veto":
            self._every_second(start, end, 100_000_000, layout.GPS_SYNC_NV_CHANNEL, 2, pulses)

    def _veto(self, rng, start, end, group, sizes, pulses: _Pulses) -> None:
        n = min(rng.poisson(2 * self.rate_hz * (end - start) / SECOND), len(sizes))
        duration = 3 * self.record_length * group.dt + 1_000
        times = self._place(rng, start, end, np.full(n, duration, dtype=np.int64))
        self._flash(rng, times, sizes[:n], group, 100, pulses)

    def _flash(self, rng, times, sizes, group, jitter_ns: int, pulses: _Pulses) -> None:
        """Short pulses in `sizes` channels of `group`, all within `jitter_ns`."""
        at, channel = self._channels(rng, sizes, group)
        n = len(at)
        jitter = rng.integers(0, jitter_ns // group.dt + 1, n) * group.dt
        row = self.pool.short[group.dt] + rng.integers(0, COPIES, n)
        pulses.add(times[at] + jitter, channel, row, group.dt)

    def _channels(self, rng, sizes, group) -> tuple[np.ndarray, np.ndarray]:
        """For each pulse of each group of pulses: index of its group, and a channel of its own."""
        sizes = np.minimum(sizes, group.count)
        strides = np.array(
            [s for s in range(1, max(group.count, 2)) if np.gcd(s, group.count) == 1]
        )
        at = np.repeat(np.arange(len(sizes)), sizes)
        within = np.arange(len(at)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        offset = rng.integers(0, group.count, len(sizes))
        stride = rng.choice(strides, len(sizes))
        return at, group.first + (offset[at] + stride[at] * within) % group.count

    def _every_second(self, start, end, offset_ns, channel, dt, pulses: _Pulses) -> None:
        first = -(-(start - offset_ns) // SECOND)
        times = np.arange(max(first, 0), (end - offset_ns) // SECOND + 1) * SECOND + offset_ns
        times = times[(times >= start) & (times < end)]
        pulses.add(times, channel, self.pool.logic, dt)

    def _across_border(self, detector, border, time, pulses: _Pulses) -> None:
        rng = self._rng(detector, border, border=True)
        group = self._group(detector)
        _, channel = self._channels(rng, np.array([12]), group)
        row = self.pool.short[group.dt] + rng.integers(0, COPIES, len(channel))
        steps = np.arange(len(channel)) - len(channel) // 2
        pulses.add(_aligned(time, group.dt) + steps * 10 * group.dt, channel, row, group.dt)

    def _group(self, detector: str) -> layout.ChannelGroup:
        vetoes = {"neutron_veto": layout.NEUTRON_VETO, "muon_veto": layout.MUON_VETO}
        return self._others.get(detector) or vetoes[detector]

    def _records_of(self, pulses: _Pulses) -> np.ndarray:
        time, channel, row, dt = pulses.joined()
        records = np.empty(len(time), dtype=self.dtype)
        records["time"] = _aligned(time, dt)
        records["length"] = records["pulse_length"] = self.pool.samples
        records["dt"] = dt
        records["channel"] = channel
        records["record_i"] = records["baseline"] = 0
        records["data"] = self.pool.rows[row]
        return records


def _aligned(time, dt):
    return time // dt * dt
