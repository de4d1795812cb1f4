"""What ``run``, ``resume`` and ``demo`` have in common: an experiment file at work on its log."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec

from titrant.api.running import RunReport
from titrant.cli.errors import DONE, INTERRUPTED, NOT_NOW, BadInput
from titrant.cli.options import Speed
from titrant.cli.output import Shown
from titrant.client import Client
from titrant.definition import Connected
from titrant.errors import CommandRefused
from titrant.log.heads import head
from titrant.log.replay import read_log
from titrant.messages import events as e
from titrant.model.trial import Parameterization
from titrant.progress import words
from titrant.rules.state import State

_ENDED_WELL = ("finished", "timeout", "exhausted", "drained")


class Best(msgspec.Struct, frozen=True):
    """A trial that leads: its conditions, and its metrics as (mean, SEM)."""

    trial: int
    parameters: Parameterization
    values: dict[str, tuple[float, float | None]]


def in_virtual_time(connected: Connected, speed: Speed | None, default: Speed) -> bool:
    """Whether to run in virtual time.

    Raises:
        BadInput: It was asked for, and something is not simulated.
    """
    if (speed or default) == "real":
        return False
    if connected.runners and not connected.virtual_time:
        real = [one for one in (*connected.runners, *connected.metrics) if not getattr(one, "virtual_time", False)]
        named = ", ".join(repr(getattr(one, "name", "") or type(one).__name__) for one in real)
        raise BadInput(
            f"--speed max runs in virtual time, and {named} is not simulated: leave it out (a runner that waits with "
            "anyio alone may declare virtual_time = True)"
        )
    return True


def go(client: Client, arguments: dict[str, Any], *, progress: bool | None) -> tuple[RunReport, int]:
    """Run the closed loop; gives how it ended and the exit code.

    Raises:
        FailureRateExceeded: Too many trials failed.
        CommandRefused: The experiment's state does not allow it.
    """
    path = client.path
    before = 0 if path is None else head(path).seq
    report = client.run_trials(**arguments, progress=progress)
    if report.outcome in ("drained", "stopped") and path is not None and _was_interrupted(path, before):
        return report, INTERRUPTED
    return report, DONE if report.outcome in _ENDED_WELL else NOT_NOW


def _was_interrupted(path: Path, after: int) -> bool:
    """Whether Ctrl-C ended the run; anybody else's drain is an end like another."""
    asked = (e.ExperimentDraining, e.ExperimentStopping)
    return any(
        isinstance(record.event, asked) and (record.reason or "").startswith("Ctrl-C")
        for record in read_log(path, after, verify=False)
    )


def best_of(client: Client) -> list[Best]:
    """The best trial by what was observed, or with several objectives the front; empty where there is none."""
    try:
        optimization = client.state.optimization
        if optimization is not None and optimization.is_multi_objective:
            found = list(client.get_pareto_frontier(use_model_predictions=False))
        else:
            found = [client.get_best_parameterization(use_model_predictions=False)]
    except CommandRefused:
        return []
    return [Best(index, parameters, values) for parameters, values, index, _arm in found]


def shown(client: Client, report: RunReport | None, code: int = DONE, *, note: str = "", hint: bool = True) -> Shown:
    """What to say at the end of a run; *note* where there was none, and a *hint* how to go on."""
    best = best_of(client)
    document = {
        "log": str(client.path),
        "outcome": None if report is None else report.outcome,
        "reason": note or (report.reason if report is not None else ""),
        "trials_created": 0 if report is None else report.trials_created,
        "trials": client.state.next_index,
        "failures": [] if report is None else [{"trial": at, "reason": why} for at, why in report.failures],
        "best": best,
    }
    lines = [*([note] if note else []), *_told(client.state, best)]
    if hint and client.state.runners:
        last = client.state.last_run
        unfinished = last is None or last.created < last.options.max_trials
        lines += ["", f"To go on:  {called()} resume {client.path}{'' if unfinished else ' --trials 10'}"]
    return Shown(document, "\n".join(lines), code)


def _told(state: State, best: list[Best]) -> list[str]:
    if not best and state.optimization is not None and state.optimization.is_preference:
        return ["Nobody has compared finished trials yet: `titrant compare` asks."] if state.closed else []
    if not best:
        return ["No trial with data keeps the outcome constraints yet."] if state.closed else []
    if len(best) > 1:
        front = ", ".join(f"trial {one.trial} ({_values(one)})" for one in best[:8])
        return [f"{len(best)} trials that no other beats: {front}{' …' if len(best) > 8 else ''}"]
    one = best[0]
    width = max(len(name) for name in one.parameters)
    lines = [f"  {name:<{width}}  {words.value(value)}" for name, value in one.parameters.items()]
    return [f"Best: {_values(one)} in trial {one.trial}, at", *lines]


def _values(best: Best) -> str:
    return ", ".join(
        f"{name} = {words.value(mean)}" + (f" ± {words.value(sem)}" if sem else "")
        for name, (mean, sem) in best.values.items()
    )


def called() -> str:
    """How this program is called from here."""
    import os  # noqa: PLC0415

    found = shutil.which("titrant")
    script = Path(sys.argv[0])
    if found is not None and script.exists() and Path(found).samefile(script):
        return "titrant"
    if script.stem == "titrant":
        return os.path.relpath(script)
    return f"{os.path.relpath(sys.executable)} -m titrant.cli"


def show_progress(json: bool) -> bool | None:  # the flag of the command
    """A live view in a terminal and lines elsewhere; with ``--json`` nothing but in a terminal."""
    return None if json else True
