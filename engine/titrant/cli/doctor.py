"""``titrant doctor``: names each problem, and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from titrant.cli.errors import DONE, FAULT, BadInput
from titrant.cli.options import Json
from titrant.cli.output import Shown, command

if TYPE_CHECKING:
    from rich.console import RenderableType

    from titrant.cli.health import Finding


@command
def doctor(
    target: Annotated[
        Path | None, typer.Argument(metavar="LOG|FILE", help="A log or an experiment file to look at as well.")
    ] = None,
    json: Json = False,
) -> Shown:
    """Look for what could go wrong on this machine, with a log or with a file.

    Nothing is changed. With a fault the exit code is 1; warnings alone leave it 0.
    """
    from titrant.cli import health  # noqa: PLC0415  # the generators' processes, not for --help
    from titrant.definition.parsing import KINDS  # noqa: PLC0415

    if target is not None and not target.is_file():
        raise BadInput(f"there is no file {target}: name a log or an experiment file")
    folder = Path() if target is None else target.parent
    found = list(health.of_machine(folder))
    if target is not None:
        found += health.of_file(target) if target.suffix.lower() in KINDS else health.of_log(target)
    failed = any(one.level == "fail" for one in found)
    return Shown({"passed": not failed, "findings": found}, _view(found), FAULT if failed else DONE)


def _view(found: list[Finding]) -> RenderableType:
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from titrant.cli.output import marked  # noqa: PLC0415
    from titrant.progress import words  # noqa: PLC0415

    faults = sum(one.level == "fail" for one in found)
    warnings = sum(one.level == "warn" for one in found)
    told = f"{words.count(faults, 'fault')}, {words.count(warnings, 'warning')}"
    style = "red" if faults else "yellow" if warnings else "green"
    lines = [marked(one.level, one.what, one.remedy) for one in found]
    return Group(*lines, Text(f"\n{told if faults or warnings else 'All is well.'}", style))
