"""What an interaction in liquid xenon gives: photons and electrons.

The yields are rounded values for the drift field of XENONnT, 23 V/cm. They put the populations
where a physicist expects them, and claim no more.
"""

from dataclasses import dataclass

import numpy as np

# Energy per photon or electron, keV (Dahl, Princeton 2009; used by NEST).
QUANTUM_KEV = 0.0137
# Share of the quanta that are electrons, by energy in keV. Electronic recoils: rounded from NEST
# (arXiv:2211.10726) at this field; the last point is about 1 MeV.
_ELECTRONIC_KEV = np.array([0.5, 1.0, 2.8, 6.0, 10.0, 41.5, 200.0, 1000.0])
_ELECTRON_SHARE = np.array([0.72, 0.65, 0.50, 0.42, 0.37, 0.25, 0.28, 0.32])
# Nuclear recoils: quanta per keV (most of the energy is heat) and the share of electrons, rounded
# from the XENONnT measurement with YBe (arXiv:2412.10451) and from NEST.
_NUCLEAR_KEV = np.array([1.0, 5.0, 20.0, 50.0, 100.0])
_NUCLEAR_QUANTA_PER_KEV = np.array([12.0, 13.0, 15.0, 17.0, 18.0])
_NUCLEAR_ELECTRON_SHARE = np.array([0.58, 0.45, 0.28, 0.20, 0.15])
# Spread of the electrons from fluctuating recombination, as a share of all quanta. With it the
# 41.5 keV line has a resolution of about 11 % in S2 and is anti-correlated with S1.
_RECOMBINATION_SPREAD = 0.025
# Alpha particles are nearly all light. The share is our choice.
_ALPHA_ELECTRON_SHARE = 0.005

# The two steps of the decay of 83mKr, here taken as one deposit; 37Ar from its K shell.
KRYPTON_KEV = 32.1 + 9.4
ARGON_KEV = 2.82

# Electrons that come without light: from electrodes and impurities.
_FEW_ELECTRONS = 12.0


@dataclass(frozen=True)
class Quanta:
    """Photons and electrons of each interaction, before anything is lost."""

    photons: np.ndarray
    electrons: np.ndarray


@dataclass(frozen=True)
class Source:
    """What happens in the detector in one kind of run.

    :param shares: share of each kind of interaction.
    :param relative_rate: events per event of a background run: where events are larger there are
        fewer, so that a run of any kind is about as many bytes.
    """

    shares: dict[str, float]
    relative_rate: float = 1.0


BACKGROUND = "background"
_BACKGROUND_SHARES = {"electronic": 0.735, "gamma": 0.01, "alpha": 0.005, "few_electrons": 0.25}
SOURCES = {
    BACKGROUND: Source(_BACKGROUND_SHARES),
    "kr83m": Source({"krypton": 0.9, "electronic": 0.07, "few_electrons": 0.03}, 0.25),
    "ar37": Source({"argon": 0.85, "electronic": 0.1, "few_electrons": 0.05}),
    "ambe": Source({"nuclear": 0.7, "electronic": 0.2, "gamma": 0.02, "few_electrons": 0.08}),
}


def source_of(mode: str) -> str:
    """The source of a run of this mode: the one that its name contains, or none."""
    return next((name for name in SOURCES if name in mode.lower()), BACKGROUND)


def interactions(rng: np.random.Generator, source: str, n: int) -> Quanta:
    """Quanta of `n` interactions of this source."""
    shares = SOURCES[source].shares
    kinds = list(shares)
    kind = rng.choice(len(kinds), n, p=np.array(list(shares.values())))
    photons, electrons = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for number, name in enumerate(kinds):
        these = np.flatnonzero(kind == number)
        quanta = _MAKERS[name](rng, len(these))
        photons[these], electrons[these] = quanta.photons, quanta.electrons
    return Quanta(photons, electrons)


def _split(rng, quanta: np.ndarray, electron_share: np.ndarray | float) -> Quanta:
    total = np.maximum(rng.normal(quanta, np.sqrt(0.06 * quanta)), 1)
    electrons = rng.normal(total * electron_share, total * _RECOMBINATION_SPREAD)
    electrons = np.clip(electrons, 0, total).round().astype(np.int64)
    return Quanta(total.round().astype(np.int64) - electrons, electrons)


def _electronic(rng, kev: np.ndarray) -> Quanta:
    share = np.interp(np.log(kev), np.log(_ELECTRONIC_KEV), _ELECTRON_SHARE)
    return _split(rng, kev / QUANTUM_KEV, share)


def _log_uniform(rng, low: float, high: float, n: int) -> np.ndarray:
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def _low_energy(rng, n: int) -> Quanta:
    return _electronic(rng, _log_uniform(rng, 0.6, 14.0, n))


def _gamma(rng, n: int) -> Quanta:
    return _electronic(rng, _log_uniform(rng, 60.0, 500.0, n))


def _alpha(rng, n: int) -> Quanta:
    # 222Rn and 218Po.
    kev = rng.choice([5490.0, 6002.0], n)
    return _split(rng, kev / QUANTUM_KEV * 0.75, _ALPHA_ELECTRON_SHARE)


def _nuclear(rng, n: int) -> Quanta:
    kev = np.clip(rng.exponential(12.0, n) + 1.0, 1.0, 100.0)
    quanta = kev * np.interp(kev, _NUCLEAR_KEV, _NUCLEAR_QUANTA_PER_KEV)
    return _split(rng, quanta, np.interp(kev, _NUCLEAR_KEV, _NUCLEAR_ELECTRON_SHARE))


def _few_electrons(rng, n: int) -> Quanta:
    electrons = 1 + rng.exponential(_FEW_ELECTRONS, n).astype(np.int64)
    return Quanta(np.zeros(n, dtype=np.int64), electrons)


_MAKERS = {
    "electronic": _low_energy,
    "gamma": _gamma,
    "alpha": _alpha,
    "nuclear": _nuclear,
    "few_electrons": _few_electrons,
    "krypton": lambda rng, n: _electronic(rng, np.full(n, KRYPTON_KEV)),
    "argon": lambda rng, n: _electronic(rng, np.full(n, ARGON_KEV)),
}
