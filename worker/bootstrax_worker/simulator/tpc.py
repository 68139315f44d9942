"""What happens in the simulated dual-phase time projection chamber."""

from dataclasses import dataclass

import numpy as np

from . import conditions as c
from .conditions import Conditions
from .digitiser import PhotoElectrons, joined
from .light import Arrays, photo_electrons
from .xenon import SOURCES, interactions

SECOND = 1_000_000_000
# Electrons that the light of an S2 frees from impurities and electrodes, per photo-electron, within
# one full drift time; and those that come late from where the S2 was. Both are known from XENON1T
# (arXiv:2112.12116); the numbers are our choice.
_FREED_PER_PE = 5e-4
_LATE_PER_PE = 3e-4
_LATE_NS = 400_000.0
# Single electrons without any cause, and S2s from a hot spot, per event.
_LONE_ELECTRONS_PER_EVENT = 1.0
_HOT_SPOT_PER_EVENT = 5.0
# A flash: number of bursts of light, the time they take, photo-electrons of a burst in the tube
# that flashes and in all others.
_FLASH_BURSTS = 60
_FLASH_NS = 0.4e9
_FLASH_OWN_PE = 150
_FLASH_PE = 40
_FLASH_BURST_NS = 150.0
# The S2 across a border of chunks: it stays within `BORDER_REACH_NS` of it.
_BORDER_ELECTRONS = 40
_BORDER_SPREAD_NS = 1_500.0
BORDER_REACH_NS = 18_000


@dataclass(frozen=True)
class _S2s:
    """S2s: mean arrival of their electrons at the surface (ns), how many, from where."""

    time: np.ndarray
    electrons: np.ndarray
    xy: np.ndarray
    spread_ns: np.ndarray


class Chamber:
    """Makes the light of each interval of a run.

    :param rate_hz: events per second in a background run.
    """

    def __init__(self, rate_hz: float, conditions: Conditions):
        self._conditions = conditions
        self._rate_hz = rate_hz * SOURCES[conditions.source].relative_rate
        self._arrays = Arrays()
        self._dark_hz = conditions.dark_hz()
        self._off = np.zeros(len(conditions.noise_factors()), dtype=bool)
        self._off[list(conditions.off_tubes())] = True

    def light(self, rng: np.random.Generator, start: int, end: int) -> PhotoElectrons:
        """All light of [start, end) ns."""
        parts = [self._dark_counts(rng, start, end)]
        s2s = [self._lone_electrons(rng, start, end)]
        if end - start > 2 * c.longest_drift_ns():
            s1, s2 = self._events(rng, start, end)
            parts.append(s1)
            s2s.append(s2)
        if c.HOT_SPOT in self._conditions.faults:
            s2s.append(self._hot_spot(rng, start, end))
        if c.FLASH in self._conditions.faults:
            parts.append(self._flash(rng, start, end))
        for s2 in s2s:
            parts += self._with_followers(rng, s2)
        return self._seen(joined(parts), start, end)

    def across_border(self, rng: np.random.Generator, time: int) -> PhotoElectrons:
        """Light of an S2 at this time, and of nothing else."""
        s2 = _S2s(
            time=np.array([float(time)]),
            electrons=np.array([_BORDER_ELECTRONS]),
            xy=_somewhere(rng, 1),
            spread_ns=np.array([_BORDER_SPREAD_NS]),
        )
        return self._seen(self._s2_light(rng, s2), time - BORDER_REACH_NS, time + BORDER_REACH_NS)

    def _seen(self, light: PhotoElectrons, start: int, end: int) -> PhotoElectrons:
        inside = (light.time >= start) & (light.time < end)
        return light.where(inside & ~self._off[light.channel])

    def _events(self, rng, start: int, end: int) -> tuple[PhotoElectrons, _S2s]:
        state = self._conditions
        longest = c.longest_drift_ns()
        mean = self._rate_hz * state.highest_rate() * (end - start) / SECOND
        time = rng.uniform(start, end - 1.5 * longest, rng.poisson(mean))
        time = time[rng.random(len(time)) < state.relative_rate(time)]
        quanta = interactions(rng, state.source, len(time))
        depth = rng.random(len(time))
        drift = c.GATE_NS + depth * c.DEPTH_CM / c.DRIFT_CM_PER_NS
        s1 = self._arrays.s1(rng, time, rng.binomial(quanta.photons, c.PE_PER_PHOTON), depth)
        survival = np.exp(-drift / state.lifetime_ns(time)) * c.EXTRACTED_SHARE
        electrons = rng.binomial(quanta.electrons, survival)
        xy = _somewhere(rng, len(time))
        # Few electrons without light come mostly from near the surface: they have spread little.
        drift = np.where(quanta.photons > 0, drift, drift * rng.random(len(time)) ** 2)
        return s1, _S2s(time + drift, electrons, xy, c.diffusion_ns(drift))

    def _lone_electrons(self, rng, start: int, end: int) -> _S2s:
        n = rng.poisson(_LONE_ELECTRONS_PER_EVENT * self._rate_hz * (end - start) / SECOND)
        return _single_electrons(rng.uniform(start, end, n), _somewhere(rng, n))

    def _hot_spot(self, rng, start: int, end: int) -> _S2s:
        n = rng.poisson(_HOT_SPOT_PER_EVENT * self._rate_hz * (end - start) / SECOND)
        xy = np.array(c.HOT_SPOT_CM) + rng.normal(0.0, 0.5, (n, 2))
        return _S2s(
            time=rng.uniform(start, end, n),
            electrons=1 + rng.poisson(2.0, n),
            xy=xy,
            spread_ns=np.full(n, 300.0),
        )

    def _flash(self, rng, start: int, end: int) -> PhotoElectrons:
        begin = self._conditions.middle_ns
        first, last = max(begin, start), min(begin + _FLASH_NS, end)
        n = rng.poisson(_FLASH_BURSTS * max(last - first, 0.0) / _FLASH_NS)
        bursts = rng.uniform(first, max(last, first), n)
        own = np.repeat(bursts, rng.poisson(_FLASH_OWN_PE, n))
        other = np.repeat(bursts, rng.poisson(_FLASH_PE, n))
        channel = np.concatenate(
            [np.full(len(own), c.FLASHING_TUBE), rng.integers(0, len(self._dark_hz), len(other))]
        )
        time = np.concatenate([own, other])
        return photo_electrons(rng, channel, time + rng.exponential(_FLASH_BURST_NS, len(time)))

    def _dark_counts(self, rng, start: int, end: int) -> PhotoElectrons:
        counts = rng.poisson(self._dark_hz * (end - start) / SECOND)
        channel = np.repeat(np.arange(len(counts)), counts)
        return photo_electrons(rng, channel, rng.uniform(start, end, len(channel)))

    def _with_followers(self, rng, s2: _S2s) -> list[PhotoElectrons]:
        """The light of S2s, and of the electrons that it frees."""
        size = s2.electrons * self._conditions.pe_per_electron(s2.time)
        freed = np.repeat(s2.time, rng.poisson(size * _FREED_PER_PE))
        freed = freed + rng.random(len(freed)) * c.longest_drift_ns()
        late = np.repeat(np.arange(len(size)), rng.poisson(size * _LATE_PER_PE))
        late_time = s2.time[late] + rng.exponential(_LATE_NS, len(late))
        return [
            self._s2_light(rng, s2),
            self._s2_light(rng, _single_electrons(freed, _somewhere(rng, len(freed)))),
            self._s2_light(rng, _single_electrons(late_time, s2.xy[late])),
        ]

    def _s2_light(self, rng, s2: _S2s) -> PhotoElectrons:
        state = self._conditions
        of_electron = np.repeat(np.arange(len(s2.time)), s2.electrons)
        spread = s2.spread_ns[of_electron]
        arrival = s2.time[of_electron] + rng.normal(0.0, 1.0, len(spread)) * spread
        size = rng.poisson(s2.electrons * state.pe_per_electron(s2.time))
        at = np.repeat(np.arange(len(size)), size)
        first = np.cumsum(s2.electrons) - s2.electrons
        electron = first[at] + (rng.random(len(at)) * s2.electrons[at]).astype(np.int64)
        crossing = rng.random(len(at)) * state.gas_ns(s2.time)[at]
        return self._arrays.s2(rng, at, arrival[electron] + crossing, s2.xy)


def _single_electrons(time: np.ndarray, xy: np.ndarray) -> _S2s:
    n = len(time)
    return _S2s(time, np.ones(n, dtype=np.int64), xy, np.zeros(n))


def _somewhere(rng, n: int) -> np.ndarray:
    """Positions evenly over the disc, cm."""
    radius = c.RADIUS_CM * np.sqrt(rng.random(n))
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
