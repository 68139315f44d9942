"""Which tubes see the light of a signal, and when."""

import json
from pathlib import Path

import numpy as np

from . import layout
from .digitiser import PhotoElectrons

CALIBRATION = Path(__file__).parent.parent / "contexts" / "calibration"
TOP_TUBES = 253
# Light of an S2 is made this far (cm) below the top array: its spread over the array.
_HEIGHT_CM = 7.0
# Share of the S2 light on the top array that comes from reflections: the same for all tubes.
_REFLECTED = 0.15
# Share of the light on the bottom array: NEST's file of XENONnT gives 0.252 for S2s and about 0.8
# for S1s, which depends on the depth because light from below is reflected at the surface.
S2_TOP_SHARE = 1 - 0.252
_S1_TOP_SHARE_ABOVE = 0.29
_S1_TOP_SHARE_BELOW = 0.13
# Decay of the scintillation with recombination at this field, ns; travel times in the detector, ns:
# LUX, arXiv:1802.06162.
_S1_DECAY_NS = 35.0
_TRAVEL_NS = 11.0
# Spread of the size of one photo-electron.
_SIZE_SPREAD = 0.3
# The high-energy boards have a tenth of the gain; they send what is bright in one tube.
_ATTENUATION = 0.1
_BRIGHT_TUBE_PE = 100
_BRIGHT_SIGNAL_PE = 4_000


def photo_electrons(rng, channel: np.ndarray, time: np.ndarray) -> PhotoElectrons:
    """Photo-electrons of random size."""
    size = rng.normal(1.0, _SIZE_SPREAD, len(channel))
    return PhotoElectrons(channel, time, np.clip(size, 0.2, 2.5))


class Arrays:
    """The two arrays of tubes."""

    def __init__(self):
        self.positions = np.array(
            json.loads((CALIBRATION / "positions_top_array.json").read_text()), dtype=np.float64
        )

    def s1(self, rng, time: np.ndarray, size: np.ndarray, depth: np.ndarray) -> PhotoElectrons:
        """Light of S1s.

        :param time: of the interactions, ns.
        :param size: photo-electrons of each.
        :param depth: of each, as a share of the whole depth.
        """
        at = np.repeat(np.arange(len(time)), size)
        share = _S1_TOP_SHARE_ABOVE + depth * (_S1_TOP_SHARE_BELOW - _S1_TOP_SHARE_ABOVE)
        is_top = rng.random(len(at)) < share[at]
        channel = np.where(
            is_top,
            rng.integers(0, TOP_TUBES, len(at)),
            rng.integers(TOP_TUBES, layout.TPC.last + 1, len(at)),
        )
        delay = rng.exponential(_S1_DECAY_NS, len(at)) + rng.exponential(_TRAVEL_NS, len(at))
        return self._with_high_energy(photo_electrons(rng, channel, time[at] + delay), size, at)

    def s2(self, rng, at: np.ndarray, time: np.ndarray, xy: np.ndarray) -> PhotoElectrons:
        """Light of S2s.

        :param at: for each photo-electron the number of its S2; ascending.
        :param time: of each photo-electron, ns; in no order within an S2.
        :param xy: position of each S2, cm.
        """
        size = np.bincount(at, minlength=len(xy))
        above = rng.binomial(size, S2_TOP_SHARE)
        channel = rng.integers(TOP_TUBES, layout.TPC.last + 1, len(at))
        if len(xy):
            counts = rng.multinomial(above, self.pattern(xy))
            tubes = np.tile(np.arange(TOP_TUBES), len(xy))
            within = np.arange(len(at)) - np.repeat(np.cumsum(size) - size, size)
            channel[within < above[at]] = np.repeat(tubes, counts.ravel())
        return self._with_high_energy(photo_electrons(rng, channel, time), size, at)

    def pattern(self, xy: np.ndarray) -> np.ndarray:
        """Share of the light on the top array that each tube sees, for S2s at these positions."""
        distance = self.positions[np.newaxis] - xy[:, np.newaxis]
        # The solid angle under which a tube appears from the place of the light.
        direct = (1 + (distance**2).sum(axis=2) / _HEIGHT_CM**2) ** -1.5
        direct /= direct.sum(axis=1, keepdims=True)
        return (1 - _REFLECTED) * direct + _REFLECTED / TOP_TUBES

    def _with_high_energy(
        self, light: PhotoElectrons, size: np.ndarray, at: np.ndarray
    ) -> PhotoElectrons:
        """The same light and, where it is bright, what the high-energy boards send of it."""
        bright = np.flatnonzero((size[at] > _BRIGHT_SIGNAL_PE) & (light.channel < TOP_TUBES))
        if not len(bright):
            return light
        tube = at[bright] * TOP_TUBES + light.channel[bright]
        bright = bright[np.bincount(tube)[tube] >= _BRIGHT_TUBE_PE]
        return PhotoElectrons(
            np.concatenate([light.channel, light.channel[bright] + layout.HIGH_ENERGY.first]),
            np.concatenate([light.time, light.time[bright]]),
            np.concatenate([light.size, light.size[bright] * _ATTENUATION]),
        )
