"""What stands in files: orders as text, results as fields."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from titrant.errors import RunnerError
from titrant.model.trial import ParameterValue


def to_text(name: str, ordered: Mapping[str, ParameterValue], *, form: str, delimiter: str = ",") -> str:
    """An order as JSON (*form* ends with .json), or as a table of one row."""
    if form.endswith(".json"):
        return msgspec.json.encode({"key": name, **ordered}).decode()
    lines = (["key", *ordered], [name, *map(str, ordered.values())])
    return "".join(delimiter.join(line) + "\n" for line in lines)


def from_json(text: str) -> dict[str, Any]:
    """The fields of a JSON object.

    Raises:
        RunnerError: It is none.
    """
    try:
        found = json.loads(text)  # which reads NaN, as programs write it
    except ValueError as exc:
        raise RunnerError(f"the result is no JSON: {exc}: {text[:80]!r}") from exc
    if not isinstance(found, dict):
        raise RunnerError(f"the result is no JSON object: {text[:80]!r}")
    return found


def from_table(text: str, wanted: list[str], *, row: str = "", key: str = "", delimiter: str = ",") -> dict[str, Any]:
    """The fields of a row of a table, whatever stands above its header.

    Args:
        text: The table, and what instruments write round it.
        wanted: Columns that the header has.
        row: The column that says which run a row belongs to; where empty, the table has one row.
        key: What stands there for this run.
        delimiter: Between two cells.

    Raises:
        RunnerError: There is no such header, or not one such row.
    """
    lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines(), delimiter=delimiter)]
    columns = {*wanted, *([row] if row else [])}
    at = next((place for place, line in enumerate(lines) if columns <= set(line)), None)
    if at is None:
        raise RunnerError(f"no line of the table names {', '.join(sorted(columns))}: {text[:80]!r}")
    found = [dict(zip(lines[at], line, strict=True)) for line in lines[at + 1 :] if len(line) == len(lines[at])]
    found = [one for one in found if not row or one[row] == key]
    if not found or any(one != found[0] for one in found):
        raise RunnerError(f"the table has {len(found)} rows for {key or 'the run'}, which do not agree on one result")
    return found[0]
