"""Ready-made waveforms of short pulses: computing each one would take too long."""

import numpy as np

BASELINE = 16_000
NOISE_ADC = 2.0
COPIES = 256
# Straxen takes the baseline from the first 40 samples of a pulse: nothing may happen in them.
QUIET_SAMPLES = 44

# One photo-electron in ADC counts, per sample of the TPC (10 ns) and of the vetoes (2 ns).
PHOTON = {
    10: np.array([12, 60, 36, 15, 6], dtype=np.float64),
    2: np.array([10, 45, 90, 110, 95, 70, 45, 28, 16, 8], dtype=np.float64),
}
SAMPLING_NS = tuple(PHOTON)


class WaveformPool:
    """Fragments of `record_length` samples, addressed by row.

    `rows` holds the samples (ADC counts), of which the first `samples` are valid.
    """

    def __init__(self, record_length: int, seed: int):
        if record_length < 60:
            raise ValueError(
                f"fragments of {record_length} samples are too short for a simulated pulse: "
                "at least 60 (strax_fragment_payload_bytes 120)"
            )
        rng = np.random.default_rng([seed, 77])
        self.record_length = record_length
        # The last fragment of a pulse is not full, and these pulses have one.
        self.samples = int(0.9 * record_length)
        waves = [*(self._short(rng, dt) for dt in SAMPLING_NS), self._logic()]
        self.short = {dt: number * COPIES for number, dt in enumerate(SAMPLING_NS)}
        self.logic = len(SAMPLING_NS) * COPIES
        self.rows = np.zeros((len(waves) * COPIES, record_length), dtype=np.int16)
        self.rows[:, : self.samples] = np.concatenate(waves)

    def _short(self, rng, dt: int) -> np.ndarray:
        samples = self.samples
        photon = PHOTON[dt]
        photons = 1 + rng.poisson(0.6, COPIES)
        spread = rng.exponential(2.0, photons.sum())
        positions = np.clip(QUIET_SAMPLES + 2 + spread, 0, samples - 1).astype(int)
        light = np.zeros((COPIES, samples + len(photon)))
        copy = np.repeat(np.arange(COPIES), photons)
        size = np.clip(rng.normal(1.0, 0.3, len(copy)), 0.2, 2.5)
        for offset, height in enumerate(photon):
            np.add.at(light, (copy, positions + offset), size * height)
        noise = rng.normal(0.0, NOISE_ADC, (COPIES, samples))
        return np.clip(BASELINE + noise - light[:, :samples], 0, BASELINE + 300).round()

    def _logic(self) -> np.ndarray:
        wave = np.full((COPIES, self.samples), BASELINE, dtype=np.float64)
        wave[:, QUIET_SAMPLES : QUIET_SAMPLES + 5] -= 5_000
        return wave
