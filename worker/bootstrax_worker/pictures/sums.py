"""The pictures of one run as they fill, from one source of chunks."""

import time

import numpy as np

from .shapes import Picture, Result, Series, Shares
from .time_bins import SECOND_NS, TimeBins, rounded

# Points of a series over the run, and of the rates of a stored type.
_SERIES_POINTS = 240
_RATE_POINTS = 60
_MOST_PROBLEM = 300


class PictureSum:
    """One picture. A function of its own that raises ends this picture and no other."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.problem: str | None = None
        self.live_ns = 0
        self.entries = 0
        self.outside = 0
        self.seconds_spent = 0.0
        self._sums: dict[str, np.ndarray] = {}
        self._weights: dict[str, np.ndarray] = {}
        self._bins = TimeBins(_SERIES_POINTS) if isinstance(picture, Series) else None

    def add(self, rows: np.ndarray | None, start: int, end: int) -> None:
        """Add a chunk that covers this time, ns; None: it has no rows."""
        if self.problem is not None:
            return
        begin = time.process_time()
        try:
            self._add(rows, start, end)
            self.live_ns += end - start
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"[:_MOST_PROBLEM]
        self.seconds_spent += time.process_time() - begin

    def _add(self, rows: np.ndarray | None, start: int, end: int) -> None:
        if self._bins is not None:
            self._bins.cover(start, end)
        if rows is None:
            for label, (sums, _) in self.picture.nothing().items():
                self._sums[label] = self._sums.get(label, 0) + sums
            return
        if self._bins is not None:
            for label, times in self.picture.times(rows).items():
                self._bins.add(label, times)
                self.entries += len(times)
            return
        lines, entries, outside = self.picture.fill(rows)
        for label, (sums, weights) in lines.items():
            self._sums[label] = self._sums.get(label, 0) + np.asarray(sums, float)
            if weights is not None:
                self._weights[label] = self._weights.get(label, 0) + np.asarray(weights, float)
        self.entries += entries
        self.outside += outside

    def said(self) -> dict:
        """As it is written."""
        picture = self.picture
        said = {
            **declared(picture),
            "entries": self.entries,
            "outside": self.outside,
            "seconds": round(self.live_ns / SECOND_NS, 3),
            "problem": self.problem,
            "lines": [],
            "scalars": {},
        }
        if self.problem is not None:
            return said
        if self._bins is not None:
            time_axis = self._bins.said()
            said["time"] = {key: time_axis[key] for key in ("start", "step", "live")}
            lines = [(label, sums, None) for label, sums in time_axis["lines"].items()]
        else:
            lines = [
                (label, _numbers(sums), _numbers(self._weights.get(label)))
                for label, sums in self._sums.items()
            ]
        said["lines"] = [
            {"label": label, "sums": sums, "weights": weights} for label, sums, weights in lines
        ]
        said["scalars"] = self._scalars()
        return said

    def _scalars(self) -> dict:
        if not self.live_ns or self._is_empty():
            return {}
        found = {}
        result = self._result()
        for name, scalar in self.picture.scalars.items():
            try:
                value = scalar.of(result)
            except Exception as error:
                self.problem = f"scalar {name}: {type(error).__name__}: {error}"[:_MOST_PROBLEM]
                continue
            found[name] = {
                "label": scalar.label,
                "unit": scalar.unit,
                "value": None if value is None else rounded(float(value)),
            }
        return found

    def _is_scaled(self) -> bool:
        return self.picture.scaled or isinstance(self.picture, Shares)

    def _is_empty(self) -> bool:
        return self.entries == 0 and not isinstance(self.picture, Shares)

    def _result(self) -> Result:
        seconds = self.live_ns / SECOND_NS
        if self._bins is not None:
            centres, lines = self._bins.rates()
            return Result(centres, lines, seconds)
        axes = self.picture.axes()
        centres = axes["x"].centres() if "x" in axes else np.zeros(1)
        lines = {}
        for label, sums in self._sums.items():
            weights = self._weights.get(label)
            if weights is not None:
                with np.errstate(divide="ignore", invalid="ignore"):
                    lines[label] = sums / weights
            else:
                lines[label] = sums / seconds if self._is_scaled() else sums
        return Result(centres, lines, seconds)


def declared(picture: Picture) -> dict:
    """What does not depend on data."""
    return {
        "name": picture.name,
        "type": picture.of,
        "shape": picture.shape,
        "title": picture.title,
        "normal": picture.normal,
        "otherwise": picture.otherwise,
        "version": picture.version,
        "minimum": picture.minimum,
        "scaled": picture.scaled or isinstance(picture, Series | Shares),
        "value": {
            "label": picture.value.label,
            "unit": picture.value.unit,
            "log": picture.value.log,
        },
        "axes": {
            name: {
                "label": axis.label,
                "unit": axis.unit,
                "low": axis.low,
                "high": axis.high,
                "bins": axis.bins,
                "log": axis.log,
            }
            for name, axis in picture.axes().items()
        },
        "dead": getattr(picture, "dead", None),
        "hot": getattr(picture, "hot", None),
    }


def _numbers(values: np.ndarray | None) -> list | None:
    return None if values is None else [rounded(each) for each in values]


class TypeSum:
    """Rows and bytes of one data type over the run's time."""

    def __init__(self) -> None:
        self.rows = 0
        self.bytes = 0
        self.live_ns = 0
        self._bins = TimeBins(_RATE_POINTS)

    def add(self, rows: int, size: int, start: int, end: int) -> None:
        """Add a chunk; `size`: bytes in memory."""
        self.rows += rows
        self.bytes += size
        self.live_ns += end - start
        self._bins.cover(start, end)
        self._bins.spread("rows", start, end, rows)
        self._bins.spread("bytes", start, end, size)

    def series(self) -> dict:
        """Start, width, and by bin rows, bytes and live seconds."""
        said = self._bins.said(4)
        lines = said.pop("lines")
        return {**said, "rows": lines.get("rows", []), "bytes": lines.get("bytes", [])}


class Source:
    """All that was summed from one source of chunks: results as they are made, or the disk."""

    def __init__(self, pictures: list[Picture]) -> None:
        self.types: dict[str, TypeSum] = {}
        self.pictures = [PictureSum(picture) for picture in pictures]
        self._by_type: dict[str, list[PictureSum]] = {}
        for each in self.pictures:
            self._by_type.setdefault(each.picture.of, []).append(each)

    def count(self, data_type: str, rows: int, size: int, start: int, end: int) -> None:
        """Count a chunk of a type."""
        self.types.setdefault(data_type, TypeSum()).add(rows, size, start, end)

    def fill(self, data_type: str, rows: np.ndarray | None, start: int, end: int) -> None:
        """Add a chunk to all pictures of its type."""
        for each in self._by_type.get(data_type, ()):
            each.add(rows, start, end)
