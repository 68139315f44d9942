"""Server-sent events, as the dashboard's streams send them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One event of a stream."""

    name: str
    data: str
    id: str | None


def events_of(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events of a stream. One that was cut off is left out."""
    name, last_id = "", None
    data: list[str] = []
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text == "":
            if name or data:
                yield Event(name or "message", "\n".join(data), last_id)
            name, data = "", []
            continue
        key, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)
        elif key == "id":
            last_id = value
