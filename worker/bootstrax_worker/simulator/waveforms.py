"""Ready-made waveforms from which pulses are drawn: computing each one would take too long."""

import numpy as np

BASELINE = 16_000
NOISE_ADC = 2.0
COPIES = 256
LONG_FRAGMENTS = (2, 3, 4, 5, 6)
# Straxen takes the baseline from the first 40 samples of a pulse: nothing may happen in them.
QUIET_SAMPLES = 44

# One photo-electron in ADC counts, per sample of the TPC (10 ns) and of the vetoes (2 ns).
_PHOTON = {
    10: np.array([12, 60, 36, 15, 6], dtype=np.float64),
    2: np.array([10, 45, 90, 110, 95, 70, 45, 28, 16, 8], dtype=np.float64),
}
SAMPLING_NS = tuple(_PHOTON)


class WaveformPool:
    """Fragments of `record_length` samples, addressed by row.

    `rows` holds the samples (ADC counts), `length` the number of valid samples of each row.
    """

    def __init__(self, record_length: int, seed: int):
        if record_length < 60:
            raise ValueError(
                f"fragments of {record_length} samples are too short for a simulated pulse: "
                "at least 60 (strax_fragment_payload_bytes 120)"
            )
        rng = np.random.default_rng([seed, 77])
        self.record_length = record_length
        self._rows: list[np.ndarray] = []
        self._lengths: list[np.ndarray] = []
        self._size = 0
        self.short = {dt: self._short(rng, dt) for dt in SAMPLING_NS}
        self.logic = self._logic()
        self.long = {n: self._long(rng, n, 1.0) for n in LONG_FRAGMENTS}
        # The high-energy boards see the same light at a tenth of the amplification.
        self.attenuated = {n: self._long(rng, n, 0.1) for n in LONG_FRAGMENTS}
        self.rows = np.concatenate(self._rows)
        self.length = np.concatenate(self._lengths)

    def pulse_length(self, fragments: int) -> int:
        """Samples in a pulse of this many fragments; the last fragment is not full."""
        return (fragments - 1) * self.record_length + int(0.9 * self.record_length)

    def _add(self, waves: np.ndarray, fragments: int) -> int:
        samples = waves.shape[1]
        padded = np.zeros((len(waves), fragments * self.record_length), dtype=np.int16)
        padded[:, :samples] = waves
        lengths = np.full(fragments, self.record_length, dtype=np.int32)
        lengths[-1] = samples - (fragments - 1) * self.record_length
        first = self._size
        self._rows.append(padded.reshape(-1, self.record_length))
        self._lengths.append(np.tile(lengths, len(waves)))
        self._size += len(waves) * fragments
        return first

    def _draw(self, rng, samples: int, photons, positions, photon, gain: float) -> np.ndarray:
        light = np.zeros((COPIES, samples + len(photon)))
        copy = np.repeat(np.arange(COPIES), photons)
        size = np.clip(rng.normal(1.0, 0.3, len(copy)), 0.2, 2.5) * gain
        for offset, height in enumerate(photon):
            np.add.at(light, (copy, positions + offset), size * height)
        noise = rng.normal(0.0, NOISE_ADC, (COPIES, samples))
        return np.clip(BASELINE + noise - light[:, :samples], 0, BASELINE + 300).round()

    def _short(self, rng, dt: int) -> int:
        samples = self.pulse_length(1)
        photons = 1 + rng.poisson(0.6, COPIES)
        spread = rng.exponential(2.0, photons.sum())
        positions = np.clip(QUIET_SAMPLES + 2 + spread, 0, samples - 1).astype(int)
        return self._add(self._draw(rng, samples, photons, positions, _PHOTON[dt], 1.0), 1)

    def _long(self, rng, fragments: int, gain: float) -> int:
        samples = self.pulse_length(fragments)
        photons = 1 + rng.poisson(4.0 + 2.0 * fragments, COPIES)
        centre = QUIET_SAMPLES + (samples - QUIET_SAMPLES) / 2
        positions = rng.normal(centre, samples / 9, photons.sum())
        positions = np.clip(positions, QUIET_SAMPLES, samples - 12).astype(int)
        waves = self._draw(rng, samples, photons, positions, _PHOTON[10], gain)
        return self._add(waves, fragments)

    def _logic(self) -> int:
        samples = self.pulse_length(1)
        wave = np.full((COPIES, samples), BASELINE, dtype=np.float64)
        wave[:, QUIET_SAMPLES : QUIET_SAMPLES + 5] -= 5_000
        return self._add(wave, 1)
