"""Arguments that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

SUFFIX = ".titrant"


def _logs_here(incomplete: str) -> list[str]:
    """For shell completion: the logs in the folder that is being typed."""
    folder = Path(incomplete or ".")
    folder = folder if folder.is_dir() else folder.parent
    return [str(path) for path in sorted(folder.glob(f"*{SUFFIX}")) if str(path).startswith(incomplete)]


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]

Log = Annotated[
    Path | None,
    typer.Argument(
        metavar="LOG",
        help="The log; $TITRANT_LOG, or the only *.titrant file here, where left out.",
        autocompletion=_logs_here,
        show_default=False,
    ),
]
"""LOG as an argument; give it to ``logs.find_log``."""

LogOption = Annotated[
    Path | None,
    typer.Option(
        "--log",
        "-L",
        metavar="LOG",
        help="The log; $TITRANT_LOG, or the only *.titrant file here, where left out.",
        autocompletion=_logs_here,
        show_default=False,
    ),
]
"""The same as an option, for commands whose argument is something else."""

By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who does this; your login name where left out.", show_default=False),
]
Role = Annotated[str | None, typer.Option("--role", metavar="ROLE", help="In which role.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", "-m", metavar="WHY", help="Why; it stays in the log.")]

Trial = Annotated[int, typer.Argument(metavar="TRIAL", help="The trial's number.", min=0, show_default=False)]
Values = Annotated[
    list[str] | None,
    typer.Argument(metavar="METRIC=VALUE…", help="Results, as yield=71.2, yield=71.2±0.5 (SEM) or yield=nan."),
]

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="An experiment file (TOML, YAML or JSON).",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]
"""An experiment file."""

Speed = Literal["real", "max"]
"""``max`` is virtual time."""

Parallelism = Annotated[
    int | None,
    typer.Option(
        "--parallelism", "-p", min=1, metavar="N", help="Trials at once; the file or the log says it otherwise."
    ),
]
Trials = Annotated[
    int | None,
    typer.Option("--trials", "-n", min=0, metavar="N", help="New trials; the file or the log says it otherwise."),
]
SpeedOption = Annotated[
    Speed | None,
    typer.Option(
        "--speed", help="max: in virtual time, which does not wait; for simulated labs alone.", show_default=False
    ),
]
