"""``titrant demo``: a closed loop finds good conditions for a reaction, in a simulated lab, while you watch."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from titrant.cli.options import Json
from titrant.cli.output import Shown, command

if TYPE_CHECKING:
    from titrant.client import Client
    from titrant.definition import Loaded

LIMIT = 3.0
"""Per cent of impurity that the demo allows."""


@command
def demo(
    trials: Annotated[int, typer.Option("--trials", "-n", min=1, metavar="N", help="New trials.")] = 24,
    seconds: Annotated[
        float, typer.Option(min=0, metavar="S", help="Median duration of a trial; it stands for an hour of a real lab.")
    ] = 2.0,
    seed: Annotated[int, typer.Option(min=0, metavar="SEED", help="Seed of everything by chance.")] = 5,
    log: Annotated[
        Path | None,
        typer.Option("--log", "-L", metavar="PATH", help="Where the log goes; demo.titrant or the next free number."),
    ] = None,
    json: Json = False,
) -> Shown:
    """Watch a closed loop optimize a simulated reaction, in under a minute.

    Four reactors at once; Bayesian optimization of the yield while the impurity is kept below 3 %. Everything that
    happens is in the log: look at it with the other commands, or go on with `titrant resume`.
    """
    from titrant.cli.logs import place_for  # noqa: PLC0415
    from titrant.cli.session import show_progress  # noqa: PLC0415

    path = new_log() if log is None else place_for(log)
    return play(path, trials=trials, seconds=seconds, seed=seed, progress=show_progress(json))


def new_log() -> Path:
    """demo.titrant, or where that exists demo-2.titrant …: a log is never overwritten."""
    path, number = Path("demo.titrant"), 1
    while path.exists():
        number += 1
        path = Path(f"demo-{number}.titrant")
    return path


def play(path: Path, *, trials: int, seconds: float, seed: int, progress: bool | None = True) -> Shown:
    """Run the demo into a log at *path*."""
    from titrant.cli.session import called, go, shown  # noqa: PLC0415
    from titrant.client import Client  # noqa: PLC0415
    from titrant.definition import apply, connect  # noqa: PLC0415

    loaded = _definition(path, seconds, seed)
    connected = connect(loaded)
    with Client(path, loaded.file.seed) as client:
        apply(client, loaded, connected)
        report, code = go(client, loaded.file.run.arguments(trials), progress=progress)
        told = shown(client, report, code, hint=False)
        picture = f"{told.view}\n\n{plot(yields(client))}\n\nEverything is in {path}.  Next:\n"
        again = f"  {called()} resume {path} --trials 12   # go on\n  {called()} ls   # what logs are here"
        return told._replace(view=picture + again)


def _definition(path: Path, seconds: float, seed: int) -> Loaded:
    """The experiment file of ``titrant new``, with trials that one can wait for."""
    from msgspec.structs import replace  # noqa: PLC0415

    from titrant.definition import Loaded  # noqa: PLC0415
    from titrant.definition.reading import recall  # noqa: PLC0415
    from titrant.definition.templates import plain_template  # noqa: PLC0415
    from titrant.model.experiment import Definition  # noqa: PLC0415

    content: dict[str, Any] = plain_template("reaction")
    file = recall(Definition(content=content), path).file
    (runner,) = file.runners
    runner = replace(runner, with_=runner.with_ | {"duration_s": seconds, "seed": seed})
    return Loaded(file=replace(file, seed=seed, runners=[runner], strategy=None), path=path.with_suffix(".toml"))


def yields(client: Client) -> list[float | None]:
    """The yield of each trial with data, in per cent; None where there is too much impurity."""
    found = [
        {one.metric: one.mean for one in trial.observations if one.mean is not None}
        for trial in client.state.trials()
        if trial.observations
    ]
    return [means.get("yield") if means.get("impurity", 100.0) <= LIMIT else None for means in found]


def plot(percents: list[float | None]) -> str:
    """Yield by trial, ten per cent a row: dots for trials that keep the constraint, a line for the best so far."""
    best = list(accumulate(percents, _better))
    rows = []
    for percent in range(100, -1, -10):
        dots = (one is not None and abs(one - percent) <= 5 for one in percents)
        line = (one is not None and abs(one - percent) <= 5 for one in best)
        marks = ["●" if dot else "─" if at_best else " " for dot, at_best in zip(dots, line, strict=True)]
        rows.append(f"{percent:>5} % │{' '.join(marks)}" if percent % 20 == 0 else f"        │{' '.join(marks)}")
    legend = f"         yield by trial; ● has an impurity of at most {LIMIT:g} %"
    return "\n".join([*rows, f"        └{'─' * 2 * len(percents)}", legend])


def _better(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else max(one, other)
