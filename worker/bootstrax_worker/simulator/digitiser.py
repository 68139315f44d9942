"""From photo-electrons to the fragments that the digitisers send.

Each channel is read out from a little before a photo-electron to a little after the last that
follows it closely. So pulses can not overlap within a channel, whatever happens in the detector.
"""

from dataclasses import dataclass

import numpy as np

from . import layout
from .waveforms import BASELINE, NOISE_ADC, PHOTON, QUIET_SAMPLES

# Read out after the last photo-electron of a pulse.
TAIL_SAMPLES = 26
# One number holds the channel, the sample since the start of the run and the size.
_SAMPLE_BITS = 40
_SIZE_BITS = 10
# Steps of the size of one photo-electron.
_SIZE_STEPS = 256
_NOISE_ROWS = 4096
# Waveforms are made for this many fragments at a time: they fit a processor's cache.
_BLOCK_FRAGMENTS = 1024
# Fields that are the same in each fragment.
_CONSTANTS = {"dt": layout.TPC.dt, "baseline": 0}


@dataclass(frozen=True)
class PhotoElectrons:
    """Photo-electrons in any order: channel, time (ns since the start of the run) and size."""

    channel: np.ndarray
    time: np.ndarray
    size: np.ndarray

    def where(self, keep: np.ndarray) -> "PhotoElectrons":
        """Those where `keep` is true."""
        return PhotoElectrons(self.channel[keep], self.time[keep], self.size[keep])

    def between(self, start: int, end: int) -> "PhotoElectrons":
        """Those of the times [start, end)."""
        return self.where((self.time >= start) & (self.time < end))


def joined(parts: list[PhotoElectrons]) -> PhotoElectrons:
    """All photo-electrons of the parts."""
    return PhotoElectrons(
        np.concatenate([part.channel for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.size for part in parts]),
    )


@dataclass(frozen=True)
class _Pulses:
    """Pulses by channel and time: where each begins, in samples, and how long it is."""

    channel: np.ndarray
    start: np.ndarray
    length: np.ndarray
    fragments: np.ndarray
    # First row of each pulse among the rows of all.
    row: np.ndarray


class Digitiser:
    """Makes records of `record_length` samples of 10 ns."""

    def __init__(self, record_length: int, seed: int):
        self._record_length = record_length
        self._dtype = layout.record_dtype(record_length)
        noise = np.random.default_rng([seed, 78]).normal(
            0.0, NOISE_ADC, (_NOISE_ROWS, record_length)
        )
        self._numbers = np.arange(record_length, dtype=np.int16)
        self._baseline = (BASELINE + noise.round()).astype(np.int16)

    def records(
        self, light: PhotoElectrons, rng: np.random.Generator, noise_factors: np.ndarray
    ) -> np.ndarray:
        """All fragments, by channel and time.

        :param noise_factors: by channel, how much stronger than usual its noise is.
        """
        channel, sample, size = self._sorted(light)
        reach = QUIET_SAMPLES + TAIL_SAMPLES
        apart = (np.diff(channel) != 0) | (np.diff(sample) > reach)
        first = np.flatnonzero(np.r_[True, apart]) if len(channel) else np.empty(0, dtype=np.int64)
        pulses = self._pulses(channel, sample, first)
        columns = self._columns_of(pulses)
        records = np.empty(len(columns["time"]), dtype=self._dtype)
        of_pulse = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(channel)]))
        position = pulses.row[of_pulse] * self._record_length + sample - pulses.start[of_pulse]
        for begin in range(0, len(records), _BLOCK_FRAGMENTS):
            block = slice(begin, begin + _BLOCK_FRAGMENTS)
            values = {name: column[block] for name, column in columns.items()}
            samples = self._dark(rng, noise_factors[values["channel"]])
            self._add_light(samples, begin, position, size)
            samples *= self._numbers < values["length"].astype(np.int16)[:, np.newaxis]
            for name, value in {**values, **_CONSTANTS, "data": samples}.items():
                records[name][block] = value
        return records

    def _sorted(self, light: PhotoElectrons) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # One sort of plain numbers is several times faster than sorting by two columns.
        size = np.clip(light.size * _SIZE_STEPS, 1, 2**_SIZE_BITS - 1).astype(np.int64)
        sample = light.time.astype(np.int64) // layout.TPC.dt
        key = (light.channel.astype(np.int64) << _SAMPLE_BITS) | sample
        key = np.sort((key << _SIZE_BITS) | size)
        size = key & (2**_SIZE_BITS - 1)
        key >>= _SIZE_BITS
        return key >> _SAMPLE_BITS, key & (2**_SAMPLE_BITS - 1), size / _SIZE_STEPS

    def _pulses(self, channel: np.ndarray, sample: np.ndarray, first: np.ndarray) -> _Pulses:
        last = np.r_[first[1:] - 1, len(channel) - 1] if len(first) else first
        start = sample[first] - QUIET_SAMPLES
        length = sample[last] + TAIL_SAMPLES - start
        fragments = -(-length // self._record_length)
        row = np.cumsum(fragments) - fragments
        return _Pulses(channel[first], start, length, fragments, row)

    def _columns_of(self, pulses: _Pulses) -> dict[str, np.ndarray]:
        """What the fields of each fragment hold, but for the samples."""
        at = np.repeat(np.arange(len(pulses.row)), pulses.fragments)
        index = np.arange(len(at)) - pulses.row[at]
        before = index * self._record_length
        return {
            "time": (pulses.start[at] + before) * layout.TPC.dt,
            "length": np.minimum(pulses.length[at] - before, self._record_length),
            "channel": pulses.channel[at],
            "pulse_length": pulses.length[at],
            "record_i": index,
        }

    def _dark(self, rng, loudness: np.ndarray) -> np.ndarray:
        """Rows of samples without light."""
        samples = self._baseline[rng.integers(0, _NOISE_ROWS, len(loudness))]
        loud = np.flatnonzero(loudness != 1)
        if len(loud):
            spread = NOISE_ADC * np.sqrt(loudness[loud, np.newaxis] ** 2 - 1)
            noise = rng.normal(0.0, 1.0, (len(loud), self._record_length)) * spread
            samples[loud] += noise.round().astype(np.int16)
        return samples

    def _add_light(self, samples: np.ndarray, row: int, position, size) -> None:
        """Add the light to rows of samples, of which `row` is the first."""
        photon = PHOTON[layout.TPC.dt]
        begin = row * self._record_length
        # The positions are ascending. A photon in the last samples of a full row goes on in the
        # next, which may be the first of the next block.
        bounds = [begin - len(photon), begin + samples.size]
        one, other = np.searchsorted(position, bounds)
        where = (position[one:other, np.newaxis] - begin + np.arange(len(photon))).ravel()
        height = (size[one:other, np.newaxis] * photon).ravel()
        inside = (where >= 0) & (where < samples.size)
        if not inside.all():
            where, height = where[inside], height[inside]
        light = np.bincount(where, height, minlength=samples.size)[where]
        lit = samples.ravel()
        # Light pulls the signal down, at most to 0. A sample that is named twice is set twice.
        lit[where] = np.maximum(lit[where] - (light + 0.5).astype(np.int32), 0)
