"""``titrant check``: would this file run?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from titrant.cli.errors import DONE, FAULT
from titrant.cli.options import File, Json
from titrant.cli.output import Shown, command

if TYPE_CHECKING:
    from rich.console import RenderableType

    from titrant.definition.checking import Report


@command
def check(
    file: File,
    trials: Annotated[int, typer.Option("--trials", "-n", min=1, max=256, help="Suggestions of the dry run.")] = 8,
    json: Json = False,
) -> Shown:
    """Check an experiment file: types, bounds, feasibility, names, and a dry run.

    Nothing is written and no instrument is touched: runners and metrics are made, but not called. A simulated lab
    carries one trial out, in virtual time. All faults are listed; with one, the exit code is 1.
    """
    from titrant.definition.checking import check as examine  # noqa: PLC0415

    report = examine(file, trials)
    return Shown({"passed": report.passed, "report": report}, _view(report), DONE if report.passed else FAULT)


def _view(report: Report) -> RenderableType:
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from titrant.cli.output import marked, table  # noqa: PLC0415
    from titrant.progress import words  # noqa: PLC0415

    parts: list[RenderableType] = []
    if report.suggested:
        space = words.count(report.parameters, "parameter")
        parts.append(marked("ok", f"{report.name}: {space}" + (f", {report.points} points" if report.points else "")))
        parts.append(marked("ok", f"runners: {', '.join(report.runners)}") if report.runners else Text())
        parts.append(
            marked("ok", f"{words.count(len(report.suggested), 'suggestion')} that keep every bound and constraint")
        )
        some = report.suggested[:5]
        columns = list(dict.fromkeys(name for point in some for name in point))  # not all are active in each
        rows = [[words.value(point[name]) if name in point else "" for name in columns] for point in some]
        parts.append(table(columns, rows))
    if report.measured:
        measured = ", ".join(f"{name} = {words.value(value)}" for name, value in report.measured.items())
        parts.append(marked("ok", f"one simulated trial gave {measured}"))
    parts += [marked("fail" if one.level == "error" else "warn", str(one)) for one in report.problems]
    faults = sum(one.level == "error" for one in report.problems)
    parts.append(
        Text(f"\n{report.file} can be run.", "green")
        if report.passed
        else Text(f"\n{report.file} has {words.count(faults, 'fault')}.", "red")
    )
    return Group(*(part for part in parts if part))
