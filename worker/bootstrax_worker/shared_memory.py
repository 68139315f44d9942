"""Shared memory that carries the attempt's id in its name.

strax's own worker processes pass arrays through named segments in /dev/shm. A process that is
killed between making and reading a segment leaves it there for good. The name distinguishes it from
segments that other programs and attempts still use.
"""

import importlib
import importlib.util
import secrets
from multiprocessing import shared_memory


def label(attempt: str) -> None:
    """Name the segments that this process and those it forks make from now on."""
    shared_memory._make_filename = lambda: f"/bootstrax_{attempt}_{secrets.token_hex(8)}"
    if importlib.util.find_spec("npshmex") is not None:
        # npshmex names its segments npshmex_KIND_RANDOM_[TEMP], and splits the names at the
        # underscores.
        importlib.import_module("npshmex").random = _RandomWithLabel(attempt)


class _RandomWithLabel:
    """What npshmex uses of Python's `random`."""

    def __init__(self, attempt: str) -> None:
        self._attempt = attempt

    def choices(self, population: str, *, k: int) -> list[str]:
        return [self._attempt, *(secrets.choice(population) for _ in range(k))]
