"""The tables as Parquet, for data frames and databases; needs pyarrow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from titrant.export.tables import OBSERVATIONS, Trials, Values, observations_in
from titrant.export.target import Target
from titrant.log.raw import RawLog
from titrant.rules.state import State

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 50_000  # rows of a row group
_TIMES = ("recorded_at", "created_at", "submitted_at", "started_at", "ended_at")
_INTEGERS = ("seq", "trial", "replicate_of", "attempts")
_NUMBERS = ("mean", "sem", "progression", "seconds")


def into_target(into: Target, state: State, path: str | Path) -> None:
    """Add both tables to an export.

    Raises:
        ImportError: pyarrow is not installed; the message gives the command.
    """
    with into.file("trials.parquet") as file:
        write_trials(state, file)  # type: ignore[arg-type]  # it is written only
    with into.file("observations.parquet") as file:
        write_observations(path, file)  # type: ignore[arg-type]  # the same


def write_trials(state: State, to: IO[bytes]) -> None:
    """Write the table of trials.

    Raises:
        ImportError: pyarrow is not installed; the message gives the command.
    """
    table = Trials(state)
    kinds = _kinds(table.columns, iter(table))
    _write(table.columns, kinds, iter(table), to)


def write_observations(path: str | Path, to: IO[bytes]) -> None:
    """Write the table of all observations ever recorded.

    Raises:
        ImportError: pyarrow is not installed; the message gives the command.
    """
    kinds = _kinds(OBSERVATIONS, iter(()))
    with RawLog(path) as log:
        rows = (values for row, event in log.rows() for values in observations_in(row, event))
        _write(OBSERVATIONS, kinds, rows, to)


def _kinds(columns: Sequence[str], rows: Iterator[Values]) -> dict[str, str]:
    """A type for every column; a parameter that is not always a number, or not always a truth, is text."""
    fixed: dict[str, str] = {
        name: "time" if name in _TIMES else "int" if name in _INTEGERS else "float" if name in _NUMBERS else "text"
        for name in columns
        if not name.startswith(("planned.", "executed."))
    }
    fixed |= {name: "float" for name in columns if name.endswith((".mean", ".sem"))}
    open_ = [(place, name) for place, name in enumerate(columns) if name not in fixed]
    seen: dict[str, set[type]] = {name: set() for _, name in open_}
    for row in rows:
        for place, name in open_:
            if row[place] is not None:
                seen[name].add(type(row[place]))
    for name, types in seen.items():
        if types == {bool}:
            fixed[name] = "bool"
        elif types == {int}:
            fixed[name] = "int"
        else:
            fixed[name] = "float" if types and types <= {int, float} else "text"
    return fixed


def _write(columns: Sequence[str], kinds: dict[str, str], rows: Iterable[Values], to: IO[bytes]) -> None:
    try:
        import pyarrow as pa  # noqa: PLC0415  an extra
        from pyarrow import parquet  # noqa: PLC0415  the same
    except ImportError as exc:
        raise ImportError("Parquet needs pyarrow: pip install 'titrant[parquet]'") from exc
    types = {
        "time": pa.timestamp("us", tz="UTC"),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "text": pa.string(),
    }
    schema = pa.schema([(name, types[kinds[name]]) for name in columns])
    rows = iter(rows)
    with tempfile.TemporaryFile() as made:
        with parquet.ParquetWriter(made, schema, compression="zstd") as writer:
            while some := list(islice(rows, _AT_ONCE)):
                writer.write_table(_table(pa, columns, kinds, schema, some))
        made.seek(0)
        while part := made.read(1 << 20):
            to.write(part)


def _table(
    arrow: Any, columns: Sequence[str], kinds: dict[str, str], schema: pa.Schema, rows: list[Values]
) -> pa.Table:
    cells = {
        name: arrow.array([_cell(row[place], kinds[name]) for row in rows], schema.field(name).type)
        for place, name in enumerate(columns)
    }
    return arrow.table(cells, schema=schema)


def _cell(value: Any, kind: str) -> Any:
    if value is None:
        return None
    match kind:
        case "time":
            return datetime.fromisoformat(value)
        case "float":
            return float(value)
        case "text":
            return str(value)
        case _:
            return value
