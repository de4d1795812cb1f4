"""The candidates of an experiment file: a list in it, or a table beside it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from titrant.definition.file import ExperimentFile
from titrant.errors import SearchSpaceError
from titrant.model.expressions import ParameterType
from titrant.model.space import ParameterConfig

LARGEST = 64 << 20
"""Bytes of a table of candidates."""


def candidates(
    file: ExperimentFile, parameters: Sequence[ParameterConfig], folder: Path
) -> list[dict[str, Any]] | None:
    """The points that may be suggested; None where all may.

    Args:
        file: What the file says.
        parameters: Its parameters, whose types the columns of a table have.
        folder: Where the file is.

    Raises:
        SearchSpaceError: A table cannot be read.
    """
    if file.candidates is None or isinstance(file.candidates, list):
        return file.candidates
    try:
        return _table(folder / file.candidates, {p.name: p.parameter_type for p in parameters})
    except (OSError, ValueError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SearchSpaceError(f"the table of candidates {file.candidates!r} cannot be read: {why}") from error


def _table(path: Path, kinds: dict[str, ParameterType]) -> list[dict[str, Any]]:
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it has more than {LARGEST >> 20} MiB")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        header = [name.strip() for name in next(rows, [])]
        if unknown := [name for name in header if name not in kinds]:
            raise ValueError(f"its column {unknown[0]!r} is no parameter: leave it out")
        return [_row(header, row, kinds, number) for number, row in enumerate(rows, start=2) if row]


def _row(header: list[str], row: list[str], kinds: dict[str, ParameterType], number: int) -> dict[str, Any]:
    """One candidate; an empty field is a parameter that is not active."""
    if len(row) != len(header):
        raise ValueError(f"row {number} has {len(row)} fields, and the first line {len(header)}")
    return {
        name: _value(text.strip(), kinds[name], name, number)
        for name, text in zip(header, row, strict=True)
        if text.strip()
    }


def _value(text: str, kind: ParameterType, name: str, number: int) -> bool | float | str:
    if kind == "str":
        return text
    if kind == "bool" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        return float(text) if kind != "bool" else float("nan")
    except ValueError:
        raise ValueError(f"row {number} has the {name} {text!r}, which is no number") from None
