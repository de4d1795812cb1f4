"""Every fault in the types of a file, not only the first: field by field, with the place of each."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

import msgspec

from titrant.definition.file import ExperimentFile, Form, Parameter
from titrant.definition.problems import Path, suggestion
from titrant.messages.misfits import unlike

Fault = tuple[Path, str]


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
    fault = unlike(value, kind)
    if fault is None:
        return []
    said, place = fault
    return [(path if place is None else (*path, place), said)]


def _kind(value: Any) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "nothing" if value is None else type(value).__name__)
