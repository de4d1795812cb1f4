"""How an experiment might have gone otherwise: ``whatif``."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log
from titrant.cli.options import Json, Log
from titrant.cli.output import Shown, command, table
from titrant.model.strategy import Method

if TYPE_CHECKING:
    from rich.console import Group

    from titrant.whatif import Report


@command
def whatif(
    log: Log = None,
    method: Annotated[
        Method | None,
        typer.Option(
            "--method",
            metavar="M",
            help="fast, quality, thompson, turbo, botorch or random_search; as in the log where left out.",
            show_default=False,
        ),
    ] = None,
    parallelism: Annotated[
        str, typer.Option("--parallelism", "-p", metavar="N,N…", help="Trials at once, a setting for each.")
    ] = "1,2,4",
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            "-n",
            min=1,
            metavar="N",
            help="New trials; as many as in the log where left out.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="SEQ|TIME", help="Begin from this moment of the log.", show_default=False),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, metavar="N", help="Runs of each setting.")] = 10,
    within: Annotated[
        float, typer.Option("--within", min=0.0, metavar="%", help="How near to the log's best value is enough.")
    ] = 5.0,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help="Keep the runs' logs in this folder.", show_default=False),
    ] = None,
    json: Json = False,
) -> Shown:
    """Ask how the experiment would have gone with another method, parallelism or budget.

    It is run again in virtual time, several times for each setting; a model of the log's own data answers in the lab's
    place. Medians are shown with intervals, and below them how far to trust them. The log is only read.
    """
    path = find_log(log)
    places = _numbers(parallelism)
    from titrant.whatif import whatif as ask  # noqa: PLC0415  # not for --help

    report = ask(
        path,
        parallelism=places,
        method=method,
        max_trials=trials,
        from_seq=start,
        seeds=seeds,
        within=within,
        log_dir=keep,
        told=None if json or not sys.stderr.isatty() else _tell,
    )
    return Shown(report, _view(report))


def _numbers(text: str) -> list[int]:
    try:
        return list(dict.fromkeys(int(one) for one in text.split(",")))
    except ValueError:
        raise BadInput(f"--parallelism {text}: give numbers with commas between them, as 1,2,4") from None


def _tell(what: str, done: int, of: int, left: float) -> None:
    rest = f", about {left:.0f} s left" if math.isfinite(left) and done < of else ""
    sys.stderr.write(f"\r\x1b[K{what}: {done} of {of}{rest}" + ("\n" if done == of else ""))
    sys.stderr.flush()


def _view(report: Report) -> Group:
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    needed = f"experiments to within {report.within:g} % of {report.target:.4g}"
    columns = ("method", "parallelism", "trials", "hours", "best predicted", needed, "not reached", "extrapolated")
    rows = [
        (
            one.method,
            one.parallelism,
            one.max_trials,
            one.hours,
            one.best,
            one.needed,
            f"{one.censored}/{report.seeds}",
            f"{one.extrapolated:.0%}",
        )
        for one in report.settings
    ]
    start = f" from event {report.start} on, with {report.given} trials known" if report.start else ""
    head = f"objective {report.objective}{start}; medians over {report.seeds} runs [95 % interval]"
    return Group(Text(head), table(columns, rows, right=columns[1:]), *(Text(f"• {line}") for line in report.cautions))
