"""A small table: rows of named values, printable, exportable, a data frame where pandas is installed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

Row = dict[str, Any]


class Table:
    """Rows with the same columns, in order.

    Attributes:
        columns: Column names.
        rows: One mapping per row; a value that is missing is None.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        self.columns = tuple(columns)
        self.rows = tuple({column: row.get(column) for column in self.columns} for row in rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, column: str) -> list[Any]:
        """All values of a column."""
        if column not in self.columns:
            raise KeyError(f"there is no column {column!r}; there are: {', '.join(self.columns)}")
        return [row[column] for row in self.rows]

    def without_empty_columns(self) -> Table:
        """The same without columns that hold nothing."""
        kept = [column for column in self.columns if any(row[column] not in (None, "") for row in self.rows)]
        return Table(kept, self.rows)

    def to_csv(self) -> str:
        """The table as CSV text."""
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return buffer.getvalue()

    def to_pandas(self) -> Any:
        """The table as a ``pandas.DataFrame``.

        Raises:
            ImportError: pandas is not installed; the message gives the command.
        """
        try:
            import pandas as pd  # noqa: PLC0415  # an extra
        except ImportError as exc:
            raise ImportError("a data frame needs pandas: pip install 'titrant[pandas]'") from exc
        return pd.DataFrame(list(self.rows), columns=list(self.columns))

    def __repr__(self) -> str:
        cells = [[_shown(row[column]) for column in self.columns] for row in self.rows]
        widths = [max([len(c), *(len(row[i]) for row in cells)]) for i, c in enumerate(self.columns)]
        lines = [list(self.columns), ["-" * width for width in widths], *cells]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    def _repr_html_(self) -> str:
        """For notebooks."""
        from html import escape  # noqa: PLC0415  # notebooks only

        head = "".join(f"<th>{escape(column)}</th>" for column in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_shown(row[column]))}</td>" for column in self.columns) + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
