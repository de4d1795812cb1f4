"""Values of another type than a field is declared with, in words for people.

Nothing checks a Struct that is made in Python: whoever calls with a text for a number is told by these words, once the
rules have stumbled over it.
"""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin

import msgspec

_WORDS = {
    "object": "a table",
    "array": "a list",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}
"""msgspec's kinds as people call them."""

_SHOWN = 60
"""Characters of a value that are shown."""


def misfit(told: msgspec.Struct, inside: str = "") -> str | None:
    """Name the first field, at any depth, whose value is not of its type, and say what is wanted; None where all are.

    Args:
        told: Any Struct, made without checks.
        inside: The way to it from outside, with a dot at its end.
    """
    for field in msgspec.structs.fields(told):
        value, where = getattr(told, field.name), inside + field.name
        if value is msgspec.UNSET:
            continue
        if isinstance(value, msgspec.Struct):
            fault = misfit(value, f"{where}.")
        else:
            said = unlike(_plain(value), field.type)
            fault = None if said is None else f"{where}={_short(value)}: {said[0]}"
        if fault is not None:
            return fault
    return None


def unlike(value: Any, kind: Any) -> tuple[str, int | None] | None:
    """Why plain data are not of a type, and at which place of a list; None where they are.

    Args:
        value: What JSON can hold.
        kind: A type that msgspec knows.
    """
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as exc:
        what, _, where = str(exc).partition(" - at `$")
        inner = re.match(r"\[(\d+)\]", where)
        known = _choices(kind) if what.startswith("Invalid enum value") else []
        said = f"{value!r} is none of {', '.join(map(str, known))}" if known else _in_words(what)
        return said, None if inner is None else int(inner[1])
    return None


def _plain(value: Any) -> Any:
    """The value as JSON would hold it; what has no place there becomes its description."""
    try:
        return msgspec.to_builtins(value, enc_hook=repr)
    except (TypeError, ValueError, RecursionError, OverflowError):
        return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + " …"


def _choices(kind: Any) -> list[Any]:
    """The values of the literals in a type."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return [one for inner in get_args(kind) for one in _choices(inner)]


def _in_words(text: str) -> str:
    """Msgspec's complaint without its names of types: ``expected a whole number, got a text``."""

    def kinds(found: re.Match[str]) -> str:
        told = [_WORDS.get(one, one) for one in found[1].split(" | ")]
        return " or ".join(dict.fromkeys(one for one in told if one != "null" or len(told) == 1))

    text = re.sub(r"`([^`]+)`", kinds, text)
    return text[:1].lower() + text[1:]
