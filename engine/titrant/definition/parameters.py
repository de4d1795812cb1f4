"""One parameter of an experiment file as the engine's own; tables beside the file are read into it first."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from titrant.definition.file import Form, Parameter
from titrant.definition.problems import Path as Place
from titrant.errors import SearchSpaceError
from titrant.model.expressions import ParameterType, kind_of
from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, ParameterConfig, RangeParameterConfig

_GIVEN = {"is_fidelity", "is_context", "target_value", "parameter_type"}
_FIELDS = {
    "range": ("bounds", _GIVEN | {"bounds", "step_size", "scaling"}),
    "choice": ("values", _GIVEN | {"values", "is_ordered", "is_task", "descriptors", "dependent_parameters"}),
    "fixed": ("value", {"value"}),
}

LARGEST_TABLE = 4 << 20
"""Bytes of a table of descriptors; it stands in the log with the search space."""


def parameter(name: str, form: Form) -> ParameterConfig:
    """One parameter, of what stands under its name in a file.

    Raises:
        SearchSpaceError: It makes no sense.
    """
    if isinstance(form, list):
        numbers = [one for one in form if isinstance(one, int | float) and not isinstance(one, bool)]
        if len(form) == len(numbers) == 2:
            return RangeParameterConfig(name, (float(numbers[0]), float(numbers[1])))
        if numbers:
            raise SearchSpaceError(
                f"parameter {name!r} is a list with numbers in it: two of them are the bounds of a range; write "
                "{ values = [...] } for a choice"
            )
        return _choice(name, Parameter(values=form))
    if not isinstance(form, Parameter):
        return FixedParameterConfig(name, form)
    if form.name and form.name != name:
        raise SearchSpaceError(f"the parameter {name!r} calls itself {form.name!r}: leave `name` out, the key is it")
    if form.values is None and isinstance(form.descriptors, dict):
        form = msgspec.structs.replace(form, values=list(form.descriptors))
    given = {field for field in Parameter.__struct_fields__[2:] if getattr(form, field) is not None}
    kinds = [kind for kind, (decisive, _) in _FIELDS.items() if decisive in given]
    kind = form.type or (kinds[0] if len(kinds) == 1 else None)
    if kind is None:
        raise SearchSpaceError(
            f"parameter {name!r} needs one of bounds (a range), values (a choice) or value (fixed)"
            + (f", and has {' and '.join(sorted(given))}" if given else "")
        )
    decisive, allowed = _FIELDS[kind]
    if decisive not in given:
        raise SearchSpaceError(f"parameter {name!r} is a {kind}, which needs {decisive!r}: give it")
    if given - allowed:
        raise SearchSpaceError(
            f"parameter {name!r} is a {kind}: leave {', '.join(map(repr, sorted(given - allowed)))} out"
        )
    if kind == "range":
        return _range(name, form)
    return _choice(name, form) if kind == "choice" else FixedParameterConfig(name, form.value)  # type: ignore[arg-type]


def _range(name: str, form: Parameter) -> RangeParameterConfig:
    assert form.bounds is not None
    if form.parameter_type not in (None, "float", "int"):
        raise SearchSpaceError(f"parameter {name!r} is a range of {form.parameter_type!r}: it can be float or int")
    kind = form.parameter_type or "float"
    return RangeParameterConfig(name, form.bounds, kind, form.step_size, form.scaling, **_part(form))


def _choice(name: str, form: Parameter) -> ChoiceParameterConfig:
    values = tuple(form.values or ())
    kind = form.parameter_type or _kind(values)
    said = {field: getattr(form, field) for field in ("is_task", "descriptors", "dependent_parameters")}
    more: dict[str, Any] = {field: value for field, value in said.items() if value is not None}
    return ChoiceParameterConfig(name, values, kind, form.is_ordered, **more, **_part(form))


def _part(form: Parameter) -> dict[str, Any]:
    """What a form says of the part that the parameter plays."""
    said = {field: getattr(form, field) for field in ("is_fidelity", "target_value", "is_context")}
    return {field: value for field, value in said.items() if value is not None}


def _kind(values: tuple[Any, ...]) -> ParameterType:
    """The one type of all values; float where whole and other numbers stand together."""
    kinds = {kind_of(value) or "str" for value in values}
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "str"


# --- tables beside the file -----------------------------------------------------------------------------------------


def with_tables(data: Any, folder: Path) -> tuple[Any, list[tuple[Place, str]]]:
    """A file's plain values with the tables it names read into them, so that the log keeps what they say.

    Args:
        data: Plain values, which may be ill-formed.
        folder: Where the file is.

    Returns:
        The values, changed where a table was read, and the faults of tables.
    """
    found: list[tuple[Place, str]] = []
    for place, form in _forms(data):
        named = form.get("descriptors")
        if isinstance(named, str):
            try:
                form["descriptors"] = _described(folder / named)
            except (OSError, ValueError, csv.Error) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                found.append((("parameters", place, "descriptors"), f"the table {named!r} cannot be read: {why}"))
    return data, found


def _forms(data: Any) -> Iterator[tuple[str | int, dict[str, Any]]]:
    given = data.get("parameters") if isinstance(data, dict) else None
    pairs = given.items() if isinstance(given, dict) else enumerate(given) if isinstance(given, list) else ()
    yield from ((place, form) for place, form in pairs if isinstance(form, dict))


def _described(path: Path) -> dict[str, dict[str, float]]:
    """A table of descriptors: values in the first column, a descriptor in each of the others."""
    if path.stat().st_size > LARGEST_TABLE:
        raise ValueError(f"it has more than {LARGEST_TABLE >> 20} MiB")
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = [row for row in csv.reader(file, strict=True) if row] or [[]]
    names = [name.strip() for name in header[1:]]
    if not names or not all(names) or len(set(names)) < len(names):
        raise ValueError("its first line must name the column of the values and then each descriptor, once")
    found: dict[str, dict[str, float]] = {}
    for number, row in enumerate(rows, start=2):
        value = row[0].strip()
        if len(row) != len(header) or value in found:
            raise ValueError(
                f"row {number} describes {value!r} twice" if value in found else f"row {number} has {len(row)} fields"
            )
        try:
            found[value] = {name: float(text) for name, text in zip(names, row[1:], strict=True)}
        except ValueError:
            raise ValueError(f"row {number} ({value}) has something other than numbers in it") from None
    return found
