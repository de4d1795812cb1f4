"""``titrant import``: results from a table, checked as a whole before anything is written."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log
from titrant.cli.options import By, Json, LogOption, Reason, Role
from titrant.cli.output import Shown, command
from titrant.cli.people import asked_by
from titrant.cli.values import Known, known_of, parameters_of, results_of

if TYPE_CHECKING:
    from titrant.log.base import Record

SEM = "_sem"
SHOWN = 8
"""How many bad rows are listed."""

LONGEST = 40
"""Letters of a column's name that are shown."""


@command
def import_(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A CSV file whose first line names the columns.", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only; write nothing.")] = False,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Add the trials of a CSV file, with their results.

    Columns are named after parameters and metrics; METRIC_sem holds a standard error. A row without results becomes a
    trial that still waits for them. All rows are checked before anything is written.
    """
    who = asked_by(by, role, reason)
    path = find_log(log)
    rows = _checked(known_of(path), table)
    if dry_run:
        return Shown(
            {"rows": len(rows), "written": 0}, f"{len(rows)} rows of {table} can be imported; nothing was written"
        )
    from titrant.cli.events import event_line  # noqa: PLC0415  # not for --help
    from titrant.control.caller import act_on  # noqa: PLC0415

    events: list[Record] = []
    for row in rows:
        events.extend(act_on(path, "attach", row, who).events)
    told = [event_line(record) for record in events]
    return Shown(
        {"rows": len(rows), "written": len(rows), "events": events}, "\n".join([*told, f"{len(rows)} trials imported"])
    )


def _checked(known: Known, table: Path) -> list[dict[str, Any]]:
    """The arguments of ``attach`` for each row.

    Raises:
        BadInput: Rows cannot be read; the message names row and column.
    """
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for number, row in _read(known, table):
        try:
            rows.append(_arguments(known, row))
        except BadInput as exc:
            problems.append(f"row {number}: {exc}")
    if problems:
        more = f"\n… and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise BadInput("nothing was imported:\n" + "\n".join(problems[:SHOWN]) + more)
    if not rows:
        raise BadInput(f"{table} has no rows below its line of names")
    return rows


def _read(known: Known, table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line number, once the names are known to make sense."""
    with table.open(newline="", encoding="utf-8-sig") as file:
        try:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or []
            columns = {*known.space.names, *known.metrics, *(metric + SEM for metric in known.metrics)}
            if strange := [name for name in names if name not in columns]:
                raise BadInput(
                    f"{table} has the column {_brief(strange[0])}, which is neither parameter nor metric: there are "
                    f"{', '.join((*known.space.names, *known.metrics))}, and METRIC{SEM} for standard errors"
                )
            if twice := [name for name in names if names.count(name) > 1]:
                raise BadInput(f"{table} has the column {twice[0]!r} twice")
            for row in reader:
                if None in row or None in row.values():
                    raise BadInput(f"row {reader.line_num} of {table} has more or fewer values than there are names")
                yield reader.line_num, row
        except (csv.Error, UnicodeDecodeError) as exc:
            raise BadInput(f"{table} cannot be read as CSV in UTF-8: {exc}") from exc


def _brief(name: str) -> str:
    """A name as it stands, if it is one: a file that is no table may have all its text in its first line."""
    return repr(name) if len(name) <= LONGEST else f"{name[:LONGEST]!r}…"


def _arguments(known: Known, row: dict[str, str]) -> dict[str, Any]:
    filled = {name: text.strip() for name, text in row.items() if text.strip()}
    parameters = parameters_of(known, {name: text for name, text in filled.items() if name in known.space.names})
    if wrong := known.space.violations(parameters):
        raise BadInput("; ".join(wrong))
    texts: dict[str, str] = {}
    for name, text in filled.items():
        if name in known.metrics:
            sem = filled.get(name + SEM)
            texts[name] = text if sem is None else f"{text}±{sem}"
        elif name.endswith(SEM) and name not in known.space.names and name.removesuffix(SEM) not in filled:
            raise BadInput(f"{name} has a value, {name.removesuffix(SEM)} has none")
    return {"parameters": parameters, "data": results_of(known, texts) or None}
