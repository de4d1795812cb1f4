"""Asking for trials and telling their results: ``ask``, ``tell``, ``correct``, ``attach``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from titrant.cli.doing import acted, do, shown
from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log
from titrant.cli.options import By, Json, LogOption, Reason, Role, Trial, Values
from titrant.cli.output import Shown, command
from titrant.cli.people import needed
from titrant.cli.values import known_of, pairs, parameters_of, results_of

if TYPE_CHECKING:
    from titrant.rules.state import State

Count = Annotated[int, typer.Option("-n", "--count", metavar="N", min=1, help="How many.")]
Conditions = Annotated[
    list[str] | None,
    typer.Argument(metavar="PARAMETER=VALUE…", help="The conditions, as solvent=DMF; metrics may follow."),
]


@command
def ask(
    count: Count = 1,
    fixed: Annotated[
        list[str] | None, typer.Option("--fix", metavar="PARAMETER=VALUE", help="Hold a parameter at a value.")
    ] = None,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Make trials to carry out oneself; tell their results with `tell`."""
    path = find_log(log)
    held = parameters_of(known_of(path), pairs(fixed or []))
    outcome = acted("ask", {"count": count, "fixed": held}, log=path, by=by, role=role, reason=reason)
    made = outcome.value["trials"]
    told = "\n".join(
        f"trial {index}: " + "  ".join(f"{name}={value}" for name, value in parameters.items())
        for index, parameters in made.items()
    )
    return shown(outcome, told)


@command
def tell(
    trial: Trial,
    values: Values = None,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Tell the result of a trial that you carried out.

    For example: titrant tell 3 yield=71.2 impurity=2.1±0.2

    A finished trial takes what it lacks; `titrant correct` replaces what it has.
    """
    path = find_log(log)
    known = known_of(path)
    data = results_of(known, pairs(values or []))
    if data and _lacks(known.state, trial, data):
        return do("attach-data", {"trial": trial, "data": data}, log=path, by=by, role=role, reason=reason)
    return do("tell", {"trial": trial, "data": data or None}, log=path, by=by, role=role, reason=reason)


def _lacks(state: State, index: int, metrics: Iterable[str]) -> bool:
    """Whether a trial is finished and has none of these metrics, so that nothing is written over by adding them."""
    from titrant.model.trial import TrialStatus  # noqa: PLC0415  # not for --help

    trial = state.closed.get(index)
    if trial is None or trial.status not in (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED):
        return False
    return {one.metric for one in trial.observations if one.mean is not None}.isdisjoint(metrics)


@command
def correct(
    trial: Trial,
    values: Values = None,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Replace values of a finished trial; those before stay in the history.

    For example: titrant correct 3 yield=70.4 -m "wrong dilution"
    """
    why = needed(reason, "correct")
    path = find_log(log)
    data = results_of(known_of(path), pairs(values or []))
    if not data:
        raise BadInput("correct needs the values that hold: titrant correct 3 yield=70 -m why")
    return do("correct", {"trial": trial, "data": data}, log=path, by=by, role=role, reason=why)


@command
def attach(
    conditions: Conditions = None,
    baseline: Annotated[bool, typer.Option("--baseline", help="Relative constraints refer to this trial.")] = False,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Add a trial with conditions of one's own, with its result where there is one."""
    path = find_log(log)
    known = known_of(path)
    given = pairs(conditions or [])
    parameters = parameters_of(known, {name: text for name, text in given.items() if name not in known.metrics})
    data = results_of(known, {name: text for name, text in given.items() if name in known.metrics})
    arguments = {"parameters": parameters, "baseline": baseline, "data": data or None}
    return do("attach", arguments, log=path, by=by, role=role, reason=reason)


@command
def replicate(
    trial: Trial,
    count: Count = 1,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Carry a trial's conditions out once more, as a trial of its own.

    While a run takes new trials the replicate waits for a runner there; otherwise it is yours to carry out, and to
    `tell`. The best trial is ranked by the mean of all its replicates.
    """
    return do("replicate", {"trial": trial, "count": count}, log=log, by=by, role=role, reason=reason)


@command
def executed(
    trial: Trial,
    conditions: Annotated[
        list[str] | None,
        typer.Argument(metavar="PARAMETER=VALUE…", help="What was not carried out as planned, as it really was."),
    ] = None,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Say what was really carried out, where it was not the plan.

    Both stay in the log, and the model learns from what was really done; it may lie outside the bounds.
    """
    path = find_log(log)
    parameters = parameters_of(known_of(path), pairs(conditions or []))
    if not parameters:
        raise BadInput("executed needs what was really carried out: titrant executed 3 temperature_c=78.4")
    return do("executed", {"trial": trial, "parameters": parameters}, log=path, by=by, role=role, reason=reason)
