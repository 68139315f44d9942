"""The shapes of pictures, and how a picture is filled from the rows of one chunk.

Whatever a picture shows is a sum over chunks: for each line an array, and where a mean is shown a
second array with its weights. So chunks may come in any order and in any size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

# Of one line: sums, and weights where the picture shows sum over weight.
Filled = tuple[np.ndarray, np.ndarray | None]
Lines = Mapping[str, np.ndarray]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST_CELLS = 20_000
_MOST_LINES = 8


class OddPicture(ValueError):
    """A picture that is declared in a way that cannot be drawn."""


@dataclass(frozen=True)
class Axis:
    """An axis with fixed bins: `log` means that the bins are equal on a logarithmic scale."""

    label: str
    unit: str
    low: float
    high: float
    bins: int
    log: bool = False

    def edges(self) -> np.ndarray:
        """The `bins` + 1 edges."""
        space = np.geomspace if self.log else np.linspace
        return space(self.low, self.high, self.bins + 1)

    def centres(self) -> np.ndarray:
        """The middle of each bin, on its own scale."""
        edges = self.edges()
        if self.log:
            return np.sqrt(edges[1:] * edges[:-1])
        return (edges[1:] + edges[:-1]) / 2


@dataclass(frozen=True)
class Value:
    """What the height or colour of a picture means."""

    label: str
    unit: str = ""
    log: bool = False


@dataclass(frozen=True)
class Result:
    """A filled picture, as a scalar is made of it: scaled by live time, if it may be."""

    centres: np.ndarray
    lines: Lines
    seconds: float


@dataclass(frozen=True)
class Scalar:
    """One number of a run that is kept for ever."""

    label: str
    unit: str
    of: Callable[[Result], float | None]


@dataclass(frozen=True)
class Picture:
    """What all pictures declare.

    :param name: of this picture, for ever; letters, digits and underscores.
    :param of: the data type from whose chunks it is made.
    :param title: a few words.
    :param normal: how it looks when all is well.
    :param otherwise: what to think of, or to do, when it does not look so.
    :param minimum: entries below which it cannot be judged.
    :param scaled: divide by live time. Not for what is a mean, or is drawn against time.
    :param version: to be raised with each change of bins or meaning: a new history begins.
    :param scalars: by name.
    """

    name: str
    of: str
    title: str
    normal: str
    otherwise: str
    value: Value
    minimum: int = 100
    scaled: bool = False
    version: int = 1
    scalars: Mapping[str, Scalar] = field(default_factory=dict)

    shape = ""

    def check(self) -> None:
        """Raise OddPicture unless it can be drawn."""
        if not _NAME.fullmatch(self.name):
            raise OddPicture(f"picture {self.name!r}: its name is not of a-z, 0-9 and _")
        for what in ("of", "title", "normal", "otherwise"):
            text = getattr(self, what)
            if not isinstance(text, str) or not 0 < len(text) <= 400:
                raise OddPicture(f"picture {self.name}: {what} is empty or longer than 400")
        if self.cells() > _MOST_CELLS:
            raise OddPicture(f"picture {self.name} has more than {_MOST_CELLS} cells")

    def cells(self) -> int:
        """Numbers of one line."""
        raise NotImplementedError

    def axes(self) -> dict[str, Axis]:
        """Its axes by name."""
        raise NotImplementedError

    def fill(self, rows: np.ndarray) -> tuple[dict[str, Filled], int, int]:
        """Lines of these rows, entries in them, and entries outside the axes."""
        raise NotImplementedError

    def nothing(self) -> dict[str, Filled]:
        """Lines that are there although a chunk has no rows."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Histogram(Picture):
    """Counts along one axis. `values(rows)` gives by line the values to count."""

    x: Axis
    values: Callable[[np.ndarray], Mapping[str, np.ndarray]]

    shape = "histogram"

    def cells(self) -> int:
        """Bins."""
        return self.x.bins

    def axes(self) -> dict[str, Axis]:
        """Its one axis."""
        return {"x": self.x}

    def fill(self, rows: np.ndarray) -> tuple[dict[str, Filled], int, int]:
        """Count."""
        lines: dict[str, Filled] = {}
        entries = outside = 0
        for label, values in _few(self.name, self.values(rows)).items():
            finite = np.asarray(values)[np.isfinite(values)]
            counts, _ = np.histogram(finite, bins=self.x.edges())
            lines[label] = counts, None
            entries += int(counts.sum())
            outside += len(finite) - int(counts.sum())
        return lines, entries, outside


@dataclass(frozen=True, kw_only=True)
class Histogram2D(Picture):
    """Counts over two axes: `values(rows)` gives x and y, or `counts(rows)` an array [x, y]."""

    x: Axis
    y: Axis
    values: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None
    counts: Callable[[np.ndarray], np.ndarray] | None = None

    shape = "histogram2d"

    def cells(self) -> int:
        """Bins of both axes."""
        return self.x.bins * self.y.bins

    def axes(self) -> dict[str, Axis]:
        """Both axes."""
        return {"x": self.x, "y": self.y}

    def fill(self, rows: np.ndarray) -> tuple[dict[str, Filled], int, int]:
        """Count. The numbers go along y first."""
        if self.counts is not None:
            counts = np.asarray(self.counts(rows))
            if counts.shape != (self.x.bins, self.y.bins):
                raise OddPicture(f"picture {self.name}: counts have shape {counts.shape}")
            return {"all": (counts.ravel(), None)}, int(counts.sum()), 0
        xs, ys = (np.asarray(each) for each in self.values(rows))
        finite = np.isfinite(xs) & np.isfinite(ys)
        counts, _, _ = np.histogram2d(xs[finite], ys[finite], bins=(self.x.edges(), self.y.edges()))
        entries = int(counts.sum())
        return {"all": (counts.ravel(), None)}, entries, int(finite.sum()) - entries


@dataclass(frozen=True, kw_only=True)
class Channels(Picture):
    """One number for each channel: `sums(rows)` gives by line sums, or (sums, weights) for a mean.

    :param dead: at or below this value a channel is dead, in the first line; None: not tested.
    :param hot: a channel above this multiple of the median of its neighbours is hot.
    """

    channels: int
    sums: Callable[[np.ndarray], Mapping[str, np.ndarray | Filled]]
    first_channel: int = 0
    dead: float | None = None
    hot: float | None = None

    shape = "channels"

    def cells(self) -> int:
        """Channels."""
        return self.channels

    def axes(self) -> dict[str, Axis]:
        """The channels as an axis of whole numbers."""
        first = self.first_channel
        return {"x": Axis("channel", "", first, first + self.channels, self.channels)}

    def fill(self, rows: np.ndarray) -> tuple[dict[str, Filled], int, int]:
        """Sum."""
        lines: dict[str, Filled] = {}
        for label, given in _few(self.name, self.sums(rows)).items():
            sums, weights = given if isinstance(given, tuple) else (given, None)
            if len(sums) != self.channels or (weights is not None and len(weights) != len(sums)):
                raise OddPicture(f"picture {self.name}: {label} has {len(sums)} channels")
            lines[label] = sums, weights
        first, weights = next(iter(lines.values()))
        return lines, int(np.nansum(first if weights is None else weights)), 0


@dataclass(frozen=True, kw_only=True)
class Series(Picture):
    """Events per second over the run's time: `times(rows)` gives by line the times, ns."""

    times: Callable[[np.ndarray], Mapping[str, np.ndarray]]

    shape = "series"

    def cells(self) -> int:
        """The number of its points is bounded elsewhere."""
        return 0

    def axes(self) -> dict[str, Axis]:
        """The axis is the time of the run."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Shares(Picture):
    """Percent of the run's time by kind: `intervals(rows)` gives by kind starts and ends, ns.

    Intervals of a kind may overlap: they are merged first. `kinds` are those that are drawn even
    if there is none of them.
    """

    intervals: Callable[[np.ndarray], Mapping[str, tuple[np.ndarray, np.ndarray]]]
    kinds: tuple[str, ...] = ()

    shape = "shares"

    def cells(self) -> int:
        """Kinds."""
        return _MOST_LINES

    def axes(self) -> dict[str, Axis]:
        """None: the kinds are the lines."""
        return {}

    def fill(self, rows: np.ndarray) -> tuple[dict[str, Filled], int, int]:
        """Seconds of each kind, and of all kinds together."""
        found = _few(self.name, self.intervals(rows))
        lines = self.nothing()
        lines |= {kind: _covered([each]) for kind, each in found.items()}
        lines["any"] = _covered(list(found.values()))
        return lines, len(rows), 0

    def nothing(self) -> dict[str, Filled]:
        """No time of any kind."""
        return {kind: _covered([]) for kind in (*self.kinds, "any")}


def _covered(intervals: list[tuple[np.ndarray, np.ndarray]]) -> Filled:
    """Seconds covered by at least one of the intervals."""
    pairs = [np.stack([starts, ends], axis=1) for starts, ends in intervals if len(starts)]
    if not pairs:
        return np.zeros(1), None
    both = np.concatenate(pairs)
    both = both[np.argsort(both[:, 0], kind="stable")]
    reached = np.maximum.accumulate(both[:, 1])
    begins = np.maximum(both[1:, 0], reached[:-1])
    covered = np.maximum(0, reached[1:] - begins).sum() + max(0, both[0, 1] - both[0, 0])
    return np.array([covered / 1e9]), None


def _few(name: str, lines: Mapping) -> Mapping:
    if len(lines) > _MOST_LINES:
        raise OddPicture(f"picture {name} has {len(lines)} lines: at most {_MOST_LINES}")
    return lines
