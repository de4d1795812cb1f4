"""Every fault in the types of a file, not only the first: field by field, with the place of each."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from titrant.definition.file import ExperimentFile, Form, Parameter
from titrant.definition.problems import Path, suggestion

Fault = tuple[Path, str]

_WORDS = {
    "object": "a table",
    "array": "a list",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}
"""msgspec's kinds as people call them."""


def faults(data: Any) -> list[Fault]:
    """What keeps *data* from being an ``ExperimentFile``; empty where nothing does."""
    return _table(data, ExperimentFile, ())


def _table(value: Any, kind: type[msgspec.Struct], path: Path) -> list[Fault]:
    if not isinstance(value, dict):
        return [(path, f"expected a table, got {_kind(value)}")]
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    found: list[Fault] = [
        ((*path, str(name)), f"there is no field of this name: {suggestion(str(name), list(fields))}")
        for name in value
        if name not in fields
    ]
    found += [(path, f"{name!r} is missing") for name, one in fields.items() if one.required and name not in value]
    for name, one in fields.items():
        if name in value:
            found += _value(value[name], one.type, (*path, name))
    return found


def _value(value: Any, kind: Any, path: Path) -> list[Fault]:
    inner = kind
    while get_origin(inner) is Annotated:
        inner = get_args(inner)[0]
    if path == ("parameters",):
        return _parameters(value, path)
    options = [one for one in get_args(inner) if one is not type(None)]
    section = next(
        (one for one in (inner, *options) if isinstance(one, type) and issubclass(one, msgspec.Struct)), None
    )
    if get_origin(inner) is list and section is not None:
        if not isinstance(value, list):
            return [(path, f"expected a list, got {_kind(value)}: in TOML each begins with [[{path[-1]}]]")]
        return [fault for at, one in enumerate(value) for fault in _table(one, section, (*path, at))]
    if section is None or (len(options) > 1 and not isinstance(value, dict)):  # it may be something else than a table
        return _plain(value, kind, path)
    return _table(value, section, path)


def _parameters(value: Any, path: Path) -> list[Fault]:
    if isinstance(value, list):
        return [fault for at, one in enumerate(value) for fault in _table(one, Parameter, (*path, at))]
    if not isinstance(value, dict):
        return [(path, f"expected a table or a list, got {_kind(value)}")]
    return [
        fault
        for name, one in value.items()
        for fault in (
            _table(one, Parameter, (*path, name)) if isinstance(one, dict) else _plain(one, Form, (*path, name))
        )
    ]


def _plain(value: Any, kind: Any, path: Path) -> list[Fault]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as exc:
        what, _, where = str(exc).partition(" - at `$")
        inner = re.match(r"\[(\d+)\]", where)
        at: Path = () if inner is None else (int(inner[1]),)
        choices = _choices(kind) if what.startswith("Invalid enum value") else []
        said = f"{value!r} is none of {', '.join(map(str, choices))}" if choices else _in_words(what)
        return [((*path, *at), said)]
    return []


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


def _kind(value: Any) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "nothing" if value is None else type(value).__name__)
