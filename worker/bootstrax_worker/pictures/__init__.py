"""Pictures of the data: what a context module declares in `pictures()` (docs/pictures.md)."""

from .shapes import (
    Axis,
    Channels,
    Histogram,
    Histogram2D,
    Picture,
    Result,
    Scalar,
    Series,
    Shares,
    Value,
)

__all__ = [
    "Axis",
    "Channels",
    "Histogram",
    "Histogram2D",
    "Picture",
    "Result",
    "Scalar",
    "Series",
    "Shares",
    "Value",
]
