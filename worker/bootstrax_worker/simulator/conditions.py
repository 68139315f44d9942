"""The state of the simulated time projection chamber, and what can be wrong with it.

Numbers that the reconstruction needs too come from the calibration files of `local_xenonnt`, so
that what is simulated and what is reconstructed is one detector.
"""

import json
from dataclasses import dataclass

import numpy as np

from . import layout
from .light import CALIBRATION
from .xenon import BACKGROUND

DEAD_TUBE = "dead-tube"
HOT_TUBE = "hot-tube"
NOISY_BOARD = "noisy-board"
FLASH = "flash"
HOT_SPOT = "hot-spot"
GAS_LEVEL = "gas-level"
FALLING_LIFETIME = "falling-lifetime"
DETECTOR_FAULTS = (
    *(DEAD_TUBE, HOT_TUBE, NOISY_BOARD, FLASH, HOT_SPOT),
    *(GAS_LEVEL, FALLING_LIFETIME),
)

_NUMBERS = json.loads((CALIBRATION / "numbers.json").read_text())
# XENONnT, first science run (arXiv:2207.11330, 2303.14729): 0.151 photo-electrons per photon, 16.5
# per electron of which 31 per electron that gets out, 15 ms lifetime, 0.677 mm/us.
PE_PER_PHOTON: float = _NUMBERS["g1"]
PE_PER_EXTRACTED_ELECTRON: float = _NUMBERS["single_electron_gain"]
EXTRACTED_SHARE: float = _NUMBERS["g2"] / PE_PER_EXTRACTED_ELECTRON
LIFETIME_NS: float = _NUMBERS["electron_lifetime"]
DRIFT_CM_PER_NS: float = _NUMBERS["electron_drift_velocity"]
GATE_NS: float = _NUMBERS["electron_drift_time_gate"]
# Length and radius of the drift region: XENONnT (arXiv:2402.10446).
DEPTH_CM = 148.6
RADIUS_CM = 66.4
# Longitudinal diffusion: 29.35 cm2/s, measured by XENON1T (arXiv:1906.04717). At the lower field of
# XENONnT it is larger.
DIFFUSION_CM2_PER_NS = 29.35e-9
# Crossing of the gas: 3 mm between surface and anode (arXiv:2402.10446) at some 6 mm/us.
GAS_NS = 500.0

# Tubes that have been off since the assembly: 17 of 494 in XENONnT (arXiv:2402.10446), 5 here.
OFF_TUBES = (27, 92, 187, 305, 441)
# Two tubes are always warm.
WARM_TUBES = (118, 366)
# The tubes of XENONnT have tens of dark counts per second. Fewer keep the data small.
DARK_HZ = 0.5
_DARK_SPREAD = 0.5
_WARM_FACTOR = 60.0
# What the faults do. A board digitises eight channels.
FAULTY_DEAD_TUBE = 60
FAULTY_HOT_TUBE = 170
HOT_FACTOR = 500.0
FAULTY_BOARD = tuple(range(40, 48))
_BOARD_RATE_FACTOR = 20.0
_BOARD_NOISE_FACTOR = 5.0
FLASHING_TUBE = 210
HOT_SPOT_CM = (30.0, -20.0)
_LOW_GAS_GAIN = 0.7
_LOW_GAS_WIDTH = 1.6
# The lifetime at the end of a run in which it falls, as a share of what it was.
_FALLEN_LIFETIME = 0.05
# The rate goes up and down by this share in this time.
_RATE_SWING = 0.25
_RATE_PERIOD_NS = 40e9


@dataclass(frozen=True)
class Conditions:
    """What kind of run the chamber sees, and how long it lasts.

    :param source: one of `xenon.SOURCES`.
    :param faults: some of `DETECTOR_FAULTS`.
    :param seconds: length of the run; some faults begin in its middle.
    """

    source: str = BACKGROUND
    faults: tuple[str, ...] = ()
    seconds: float = 22.0

    def __post_init__(self):
        unknown = [fault for fault in self.faults if fault not in DETECTOR_FAULTS]
        if unknown:
            raise ValueError(f"unknown faults {unknown}: choose from {', '.join(DETECTOR_FAULTS)}")

    @property
    def middle_ns(self) -> float:
        """The middle of the run."""
        return self.seconds * 0.5e9

    def off_tubes(self) -> tuple[int, ...]:
        """Tubes that see nothing."""
        return (*OFF_TUBES, FAULTY_DEAD_TUBE) if DEAD_TUBE in self.faults else OFF_TUBES

    def relative_rate(self, time: np.ndarray) -> np.ndarray:
        """The rate of events, as a share of the highest."""
        swing = np.sin(2 * np.pi * time / _RATE_PERIOD_NS)
        return (1 + _RATE_SWING * swing) / self.highest_rate()

    @staticmethod
    def highest_rate() -> float:
        """The highest rate of events, as a share of the average."""
        return 1 + _RATE_SWING

    def lifetime_ns(self, time: np.ndarray) -> np.ndarray:
        """The lifetime of electrons that drift at this time."""
        if FALLING_LIFETIME not in self.faults:
            return np.full(len(time), LIFETIME_NS)
        return LIFETIME_NS * _FALLEN_LIFETIME ** (time / max(2 * self.middle_ns, 1.0))

    def pe_per_electron(self, time: np.ndarray) -> np.ndarray:
        """Photo-electrons for an electron that is extracted at this time."""
        low = self._is_gas_low(time)
        return PE_PER_EXTRACTED_ELECTRON * np.where(low, _LOW_GAS_GAIN, 1.0)

    def gas_ns(self, time: np.ndarray) -> np.ndarray:
        """How long an electron takes through the gas."""
        return GAS_NS * np.where(self._is_gas_low(time), _LOW_GAS_WIDTH, 1.0)

    def _is_gas_low(self, time: np.ndarray) -> np.ndarray:
        return (time >= self.middle_ns) & (GAS_LEVEL in self.faults)

    def dark_hz(self) -> np.ndarray:
        """Dark counts per second of each tube."""
        # Tubes are the same in every run, whatever its seed.
        rates = np.random.default_rng(494).lognormal(0.0, _DARK_SPREAD, layout.TPC.count)
        rates *= DARK_HZ / rates.mean()
        rates[list(WARM_TUBES)] = DARK_HZ * _WARM_FACTOR
        if HOT_TUBE in self.faults:
            rates[FAULTY_HOT_TUBE] = DARK_HZ * HOT_FACTOR
        if NOISY_BOARD in self.faults:
            rates[list(FAULTY_BOARD)] *= _BOARD_RATE_FACTOR
        rates[list(self.off_tubes())] = 0.0
        return rates

    def noise_factors(self) -> np.ndarray:
        """How much stronger than usual the noise of each channel is."""
        factors = np.ones(layout.HIGH_ENERGY.last + 1)
        if NOISY_BOARD in self.faults:
            factors[list(FAULTY_BOARD)] = _BOARD_NOISE_FACTOR
        return factors


def diffusion_ns(drift_ns: np.ndarray) -> np.ndarray:
    """Standard deviation of the arrival of electrons after this drift time: sqrt(2 D t) / v."""
    return np.sqrt(2 * DIFFUSION_CM2_PER_NS * drift_ns) / DRIFT_CM_PER_NS


def longest_drift_ns() -> float:
    """Drift time from the cathode."""
    return GATE_NS + DEPTH_CM / DRIFT_CM_PER_NS
