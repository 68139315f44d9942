"""Pulses as the digitisers would send them.

Everything that happens in one detector is a *group* of pulses: an S1 with its S2, a single photon,
a flash in a veto. Groups are laid on the time axis one after the other, never on top of each other,
and within a group each channel speaks once at a time: so pulses can not overlap within a channel,
whatever the rate and the seed.
"""

import numpy as np

from . import layout
from .waveforms import COPIES, LONG_FRAGMENTS, WaveformPool

SECOND = 1_000_000_000
# Groups keep away this far (ns) from the borders between chunk and overlap; there, one group of
# known shape is put across the border on purpose.
BORDER_NS = 20_000
LONE_PER_EVENT = 15
BUSY_NS = 2_000_000


class RateTooHigh(ValueError):
    """More groups than fit one after the other on the time axis."""


class _Pulses:
    """Columns of pulses collected before they are cut into fragments."""

    def __init__(self):
        self.columns: list[tuple[np.ndarray, ...]] = []

    def add(self, time, channel, fragments, first_row, dt):
        n = len(time)
        self.columns.append(
            tuple(
                np.broadcast_to(np.asarray(column, dtype=np.int64), n)
                for column in (time, channel, fragments, first_row, dt)
            )
        )

    def joined(self) -> list[np.ndarray]:
        if not self.columns:
            return [np.empty(0, dtype=np.int64)] * 5
        return [np.concatenate(column) for column in zip(*self.columns, strict=True)]


class PulseGenerator:
    """Makes the records of each detector, interval by interval.

    :param rate_hz: S1/S2 events per second of detector time in the TPC; the vetoes follow it.
    :param record_length: samples per fragment.
    :param seed: same seed, same data.
    :param others: detectors that are none of XENONnT's: flashes in several of their channels.
    """

    def __init__(
        self,
        *,
        rate_hz: float,
        record_length: int,
        seed: int,
        others: tuple[layout.OtherDetector, ...] = (),
    ):
        self.rate_hz = rate_hz
        self.seed = seed
        self.record_length = record_length
        self.pool = WaveformPool(record_length, seed)
        self.dtype = layout.record_dtype(record_length)
        self._others = {other.name: other.channels for other in others}
        self._names = (*layout.DETECTORS, *self._others)

    def records(
        self, detector: str, interval: int, start: int, end: int, *, last: bool
    ) -> np.ndarray:
        """Fragments of `detector` that start in [start, end) ns since the start of the run.

        :param interval: running number of the interval; one follows where the one before ends.
        :param last: nothing comes after `end`: no pulse crosses it.
        """
        pulses = _Pulses()
        rng = self._rng(detector, interval)
        if end - start > 2 * BORDER_NS:
            self._make(detector, rng, start + BORDER_NS, end - BORDER_NS, pulses)
        self._monitors(detector, start, end - BORDER_NS if last else end, pulses)
        if interval > 0:
            self._across_border(detector, interval, start, pulses)
        if not last:
            self._across_border(detector, interval + 1, end, pulses)
        return self._fragments(pulses, start, end)

    def _make(self, detector: str, rng, start: int, end: int, pulses: _Pulses) -> None:
        if detector in self._others:
            group = self._others[detector]
            # Half of the flashes are in one or two channels, the rest in more.
            sizes = 1 + rng.poisson(group.count / 4, 100_000)
            self._veto(rng, start, end, group, sizes, pulses)
        elif detector == "tpc":
            self._tpc(rng, start, end, pulses)
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
            raise RateTooHigh(
                f"{self.rate_hz} events per second do not fit side by side: take a lower rate"
            )
        gaps = np.sort(rng.integers(0, free, len(durations)))
        before = np.concatenate([[0], np.cumsum(durations)[:-1]]) if len(durations) else 0
        return (start + gaps + before).astype(np.int64)

    def _tpc(self, rng, start: int, end: int, pulses: _Pulses) -> None:
        seconds = (end - start) / SECOND
        long_ns = (max(LONG_FRAGMENTS) + 2) * self.record_length * layout.TPC.dt
        event_ns = int(np.clip(0.4 / max(self.rate_hz, 1e-9) * SECOND, 4 * long_ns, 500_000))
        lone_ns = 2 * self.record_length * layout.TPC.dt
        n_events = rng.poisson(self.rate_hz * seconds)
        n_lone = rng.poisson(LONE_PER_EVENT * self.rate_hz * seconds)
        is_event = rng.permutation(np.arange(n_events + n_lone) < n_events)
        times = self._place(rng, start, end, np.where(is_event, event_ns, lone_ns))
        events, lone = times[is_event], times[~is_event]

        self._flash(rng, events, 15 + rng.poisson(30, n_events), layout.TPC, 60, pulses)
        s2 = events + rng.integers(2 * long_ns, event_ns - long_ns, n_events)
        self._s2(rng, s2, 60 + rng.poisson(90, n_events), pulses)
        channel = rng.integers(layout.TPC.first, layout.TPC.last + 1, n_lone)
        row = self.pool.short[layout.TPC.dt] + rng.integers(0, COPIES, n_lone)
        pulses.add(lone, channel, 1, row, layout.TPC.dt)

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
        pulses.add(times[at] + jitter, channel, 1, row, group.dt)

    def _s2(self, rng, times, sizes, pulses: _Pulses) -> None:
        shortest, longest = LONG_FRAGMENTS[0], LONG_FRAGMENTS[-1]
        fragments = rng.integers(shortest, longest + 1, len(times))
        bright = rng.random(len(times)) < 0.2
        first_long = np.zeros(longest + 1, dtype=np.int64)
        first_attenuated = np.zeros(longest + 1, dtype=np.int64)
        for n in LONG_FRAGMENTS:
            first_long[n] = self.pool.long[n]
            first_attenuated[n] = self.pool.attenuated[n]
        at, channel = self._channels(rng, sizes, layout.TPC)
        n = fragments[at]
        time = times[at] + rng.integers(0, 10, len(at)) * layout.TPC.dt
        copy = rng.integers(0, COPIES, len(at))
        pulses.add(time, channel, n, first_long[n] + copy * n, layout.TPC.dt)
        also = bright[at] & (channel < layout.HIGH_ENERGY.count)
        pulses.add(
            time[also],
            channel[also] + layout.HIGH_ENERGY.first,
            n[also],
            (first_attenuated[n] + copy * n)[also],
            layout.HIGH_ENERGY.dt,
        )

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
        pulses.add(times, channel, 1, self.pool.logic, dt)

    def _across_border(self, detector, border, time, pulses: _Pulses) -> None:
        rng = self._rng(detector, border, border=True)
        if detector == "tpc":
            # Three fragments, of which the second is cut by the border.
            length = self.record_length * layout.TPC.dt
            n = 3
            _, channel = self._channels(rng, np.array([20]), layout.TPC)
            row = self.pool.long[n] + rng.integers(0, COPIES, len(channel)) * n
            start = _aligned(time - (3 * length) // 2, layout.TPC.dt)
            pulses.add(np.full(len(channel), start), channel, n, row, layout.TPC.dt)
            return
        group = self._group(detector)
        _, channel = self._channels(rng, np.array([12]), group)
        row = self.pool.short[group.dt] + rng.integers(0, COPIES, len(channel))
        steps = np.arange(len(channel)) - len(channel) // 2
        pulses.add(_aligned(time, group.dt) + steps * 10 * group.dt, channel, 1, row, group.dt)

    def _group(self, detector: str) -> layout.ChannelGroup:
        vetoes = {"neutron_veto": layout.NEUTRON_VETO, "muon_veto": layout.MUON_VETO}
        return self._others.get(detector) or vetoes[detector]

    def _fragments(self, pulses: _Pulses, start: int, end: int) -> np.ndarray:
        time, channel, fragments, first_row, dt = pulses.joined()
        time = _aligned(time, dt)
        at = np.repeat(np.arange(len(time)), fragments)
        index = np.arange(len(at)) - np.repeat(np.cumsum(fragments) - fragments, fragments)
        begin = time[at] + index * self.record_length * dt[at]
        keep = (begin >= start) & (begin < end)
        at, index, begin = at[keep], index[keep], begin[keep]
        row = first_row[at] + index

        records = np.empty(len(at), dtype=self.dtype)
        records["time"] = begin
        records["length"] = self.pool.length[row]
        records["dt"] = dt[at]
        records["channel"] = channel[at]
        count = fragments[at]
        last_row = first_row[at] + count - 1
        records["pulse_length"] = (count - 1) * self.record_length + self.pool.length[last_row]
        records["record_i"] = index
        records["baseline"] = 0
        records["data"] = self.pool.rows[row]
        return records


def _aligned(time, dt):
    return time // dt * dt
