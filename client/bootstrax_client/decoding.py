"""JSON of the dashboard into dataclasses: camel case into snake case, text into times."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from datetime import datetime
from typing import Any, TypeVar

from .errors import AnswerNotUnderstood

T = TypeVar("T")

RAW = "raw"
"""A field of this name holds the JSON of its record as it came."""


def decode(kind: type[T], value: object, where: str) -> T:
    """`value` as `kind`. What is not known is left out; `where` is for the message of an error."""
    return typing.cast("T", _decoded(kind, value, where))


def _decoded(kind: Any, value: object, where: str) -> Any:
    if kind is Any or kind is object:
        return value
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _union(typing.get_args(kind), value, where)
    if origin is list:
        (of,) = typing.get_args(kind)
        items = _expected(list, value, where)
        return [_decoded(of, each, f"{where}[{i}]") for i, each in enumerate(items)]
    if origin is dict:
        _, of = typing.get_args(kind)
        entries = _expected(dict, value, where)
        return {str(key): _decoded(of, each, f"{where}.{key}") for key, each in entries.items()}
    if dataclasses.is_dataclass(kind):
        return _record(typing.cast("type", kind), _expected(dict, value, where), where)
    if kind is datetime:
        return _time(value, where)
    if kind is float and type(value) is int:
        return float(value)
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    return _expected(kind, value, where)


def _union(kinds: tuple[Any, ...], value: object, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    (kind,) = [each for each in kinds if each is not type(None)]
    return _decoded(kind, value, where)


def _record(kind: type, value: dict[str, object], where: str) -> Any:
    given = {}
    for name, of, json, is_optional in _fields(kind):
        if json in value:
            given[name] = _decoded(of, value[json], f"{where}.{json}")
        elif is_optional:
            # Another version of the dashboard may not say it.
            given[name] = None
        elif json == RAW:
            given[name] = value
        else:
            raise AnswerNotUnderstood(_unlike(f"{where}.{json}", "is missing"))
    return kind(**given)


@functools.cache
def _fields(kind: Any) -> list[tuple[str, Any, str, bool]]:
    hints = typing.get_type_hints(kind)
    return [
        (
            field.name,
            hints[field.name],
            field.metadata.get("json", _camel(field.name)),
            type(None) in typing.get_args(hints[field.name]),
        )
        for field in dataclasses.fields(kind)
    ]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _time(value: object, where: str) -> datetime:
    try:
        return datetime.fromisoformat(_expected(str, value, where))
    except ValueError as error:
        raise AnswerNotUnderstood(_unlike(where, f"is no time: {value!r}")) from error


def _expected(kind: type[T], value: object, where: str) -> T:
    is_flag_for_number = isinstance(value, bool) and kind is not bool
    if isinstance(value, kind) and not is_flag_for_number:
        return value
    raise AnswerNotUnderstood(_unlike(where, f"is {value!r:.80}, not of type {kind.__name__}"))


def _unlike(where: str, problem: str) -> str:
    return (
        f"the answer of the dashboard is not as this client knows it: {where} {problem}. "
        "Install the bootstrax-client of the dashboard's own version"
    )
