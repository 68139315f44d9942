"""Amounts over the time of a run, in a bounded number of bins."""

import numpy as np

SECOND_NS = 1_000_000_000


class TimeBins:
    """Amounts and live time by bins of one width, which doubles whenever the run outgrows them."""

    def __init__(self, most: int) -> None:
        """`most`: an even number of bins."""
        self._most = most
        self._step = SECOND_NS
        # Bins are counted from 1970, so that any two of the same width can be compared.
        self._first: int | None = None
        self._amounts: dict[str, np.ndarray] = {}
        self._live = np.zeros(most)

    def cover(self, start: int, end: int) -> None:
        """Count this stretch of time, ns, as live."""
        self._spread(None, start, end, (end - start) / SECOND_NS)

    def spread(self, label: str, start: int, end: int, amount: float) -> None:
        """Add an amount evenly over a stretch of time."""
        self._spread(label, start, end, amount)

    def add(self, label: str, times: np.ndarray) -> None:
        """Count one for each of the times, ns."""
        if not len(times):
            self._line(label)
            return
        self._make_room(int(times.min()), int(times.max()) + 1)
        index = np.asarray(times) // self._step - self._first
        self._line(label)[:] += np.bincount(index.astype(np.int64), minlength=self._most)

    def said(self, digits: int = 5) -> dict:
        """Start and width in seconds, and for each line amounts; null where nothing was live."""
        used = np.flatnonzero(self._live)
        if self._first is None or not len(used):
            return {"start": 0, "step": 1, "live": [], "lines": {}}
        shown = slice(used[0], used[-1] + 1)
        return {
            "start": (self._first + int(used[0])) * self._step / SECOND_NS,
            "step": self._step / SECOND_NS,
            "live": [round(float(each), 3) for each in self._live[shown]],
            "lines": {
                label: [rounded(each, digits) for each in line[shown]]
                for label, line in self._amounts.items()
            },
        }

    def rates(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Middles of the live bins, seconds since 1970, and by line amounts per live second."""
        live = self._live > 0
        middles = (np.flatnonzero(live) + (self._first or 0) + 0.5) * self._step / SECOND_NS
        rates = {label: line[live] / self._live[live] for label, line in self._amounts.items()}
        return middles, rates

    def _line(self, label: str) -> np.ndarray:
        return self._amounts.setdefault(label, np.zeros(self._most))

    def _spread(self, label: str | None, start: int, end: int, amount: float) -> None:
        if end <= start:
            return
        self._make_room(start, end)
        line = self._live if label is None else self._line(label)
        edges = (np.arange(self._most + 1) + self._first) * self._step
        within = np.clip(edges, start, end)
        line += amount * np.diff(within) / (end - start)

    def _make_room(self, start: int, end: int) -> None:
        if self._first is None:
            self._first = start // self._step
        while True:
            first = min(self._first, start // self._step)
            last = max(self._first + self._last_used(), (end - 1) // self._step)
            if last - first < self._most:
                break
            self._double()
        self._shift(self._first - first)

    def _last_used(self) -> int:
        used = np.flatnonzero(self._live)
        return max(
            [int(used[-1]) if len(used) else 0]
            + [int(np.flatnonzero(line)[-1]) for line in self._amounts.values() if line.any()]
        )

    def _double(self) -> None:
        odd = self._first % 2
        self._first, self._step = self._first // 2, self._step * 2
        self._live = _halved(self._live, odd)
        self._amounts = {label: _halved(line, odd) for label, line in self._amounts.items()}

    def _shift(self, by: int) -> None:
        if by <= 0:
            return
        self._first -= by
        self._live = _shifted(self._live, by)
        self._amounts = {label: _shifted(line, by) for label, line in self._amounts.items()}


def _halved(line: np.ndarray, odd: int) -> np.ndarray:
    padded = np.concatenate([np.zeros(odd), line, np.zeros(2 - odd)])
    pairs = padded.reshape(-1, 2).sum(axis=1)
    # Whatever was used fits into half of the bins and one more.
    return np.concatenate([pairs, np.zeros(len(line))])[: len(line)]


def _shifted(line: np.ndarray, by: int) -> np.ndarray:
    return np.concatenate([np.zeros(by), line])[: len(line)]


def rounded(value: float, digits: int = 5) -> float | int | None:
    """A number of this many digits, short in JSON; None for what JSON has no number for."""
    if not np.isfinite(value):
        return None
    if value == int(value) and abs(value) < 1e15:
        return int(value)
    return float(f"{value:.{digits}g}")
