"""Numbers that describe the values of a choice: what solvents, ligands or molecules have in common."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from titrant.errors import SearchSpaceError
from titrant.model.expressions import as_float
from titrant.model.trial import ParameterValue

Descriptors = dict[str, dict[str, float]]
"""The text of a value (see ``text_of``) to its descriptors by name: one row for each value, in the values' order."""


def text_of(value: object) -> str:
    """A value as the key of a table: texts as they are, numbers and truths as JSON writes them."""
    return value if isinstance(value, str) else json.dumps(value)


def checked_descriptors(name: str, values: Sequence[ParameterValue], given: object) -> Descriptors:
    """Descriptors of the values in their one form; rows of other values are left out.

    Args:
        name: The parameter's name.
        values: Its values, in their one form.
        given: A table by value or by its text, each row a table by the descriptor's name.

    Raises:
        SearchSpaceError: A value has none, rows differ in their names, a number is not finite, or two values are alike.
    """
    what = f"the descriptors of {name!r}"
    if not isinstance(given, Mapping) or not all(isinstance(row, Mapping) for row in given.values()):
        raise SearchSpaceError(f"{what} are no table: give {{value: {{descriptor: number}}}}")
    found: Descriptors = {}
    names: list[str] = []
    for value in values:
        row = given.get(value, given.get(text_of(value)))
        if row is None:
            raise SearchSpaceError(f"{what} have no row of {value!r}: describe every value, or none")
        names = names or list(row)
        if not names or sorted(map(str, row)) != sorted(map(str, names)):
            raise SearchSpaceError(
                f"{what} give {value!r} {', '.join(map(repr, row)) or 'nothing'}, and {values[0]!r} "
                f"{', '.join(map(repr, names)) or 'nothing'}: give every value the same"
            )
        found[text_of(value)] = {str(column): _finite(what, value, column, row[column]) for column in names}
    seen: dict[tuple[float, ...], str] = {}
    for key, row in found.items():
        if (other := seen.setdefault(tuple(row.values()), key)) != key:
            raise SearchSpaceError(
                f"{what} are the same of {other!r} and {key!r}, which no model could tell apart: add one that differs"
            )
    return found


def _finite(what: str, value: ParameterValue, column: Any, given: object) -> float:
    number = as_float(given)
    if number is None or not math.isfinite(number):
        raise SearchSpaceError(f"{what} give {value!r} the {column} {given!r}: give a finite number")
    return number
