"""JSON documents: filling a request in, and finding a value in an answer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from titrant.errors import RunnerError


class NoSuchValueError(LookupError):
    """A JSON pointer leads nowhere: the mapping does not fit the answer."""


_HOLE = re.compile(r"\{([^{}]+)\}")


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """A document with every ``{name}`` replaced; a text that is nothing but one becomes the value itself.

    Raises:
        KeyError: There is no value of that name.
    """
    match template:
        case str():
            whole = _HOLE.fullmatch(template)
            if whole:
                return values[whole[1]]
            return _HOLE.sub(lambda hole: str(values[hole[1]]), template)
        case Mapping():
            return {name: fill(one, values) for name, one in template.items()}
        case list() | tuple():
            return [fill(one, values) for one in template]
    return template


def fill_path(template: str, values: Mapping[str, Any]) -> str:
    """A path with every ``{name}`` replaced by its value, quoted so that it stays one step of the path."""
    return _HOLE.sub(lambda hole: quote(str(values[hole[1]]), safe=""), template)


def holes(template: Any) -> Iterator[str]:
    """The names that *template* asks for."""
    match template:
        case str():
            yield from _HOLE.findall(template)
        case Mapping():
            for one in template.values():
                yield from holes(one)
        case list() | tuple():
            for one in template:
                yield from holes(one)


def at(document: Any, pointer: str) -> Any:
    """The value that a JSON pointer (RFC 6901) leads to; ``""`` is the whole document.

    Raises:
        NoSuchValueError: It leads nowhere.
    """
    found = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(name)] if isinstance(found, list) else dict(found)[name]
        except (LookupError, TypeError, ValueError):
            raise NoSuchValueError(f"there is no {pointer} in {str(document)[:300]}") from None
    return found


def is_pointer(text: str) -> bool:
    """Whether *text* is a JSON pointer."""
    return text == "" or text.startswith("/")


def measured(document: Any, pointers: Mapping[str, str]) -> dict[str, float]:
    """The numbers that *pointers* lead to, metric by metric.

    Raises:
        RunnerError: One is not there, or no finite number: it was not measured.
    """
    return {name: number(name, _or_nothing(document, pointer)) for name, pointer in pointers.items()}


def number(name: str, value: Any) -> float:
    """A measured value.

    Raises:
        RunnerError: It is no finite number.
    """
    try:
        read = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        read = math.nan
    if not math.isfinite(read):
        raise RunnerError(f"{name} is {value!r}, which is no measured number")
    return read


def _or_nothing(document: Any, pointer: str) -> Any:
    try:
        return at(document, pointer)
    except NoSuchValueError:
        return None
