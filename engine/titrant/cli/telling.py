"""Asking for trials and telling their results: ``ask``, ``tell``, ``correct``, ``attach``."""

from __future__ import annotations

from typing import Annotated

import typer

from titrant.cli.doing import acted, do, shown
from titrant.cli.errors import BadInput
from titrant.cli.judging import Trial
from titrant.cli.logs import find_log
from titrant.cli.options import By, Json, LogOption, Reason, Role
from titrant.cli.output import Shown, command
from titrant.cli.people import needed
from titrant.cli.values import known_of, pairs, parameters_of, results_of

Count = Annotated[int, typer.Option("-n", "--count", metavar="N", min=1, help="How many.")]
Values = Annotated[
    list[str] | None,
    typer.Argument(metavar="METRIC=VALUE…", help="Results, as yield=71.2, yield=71.2±0.5 (SEM) or yield=nan."),
]
Conditions = Annotated[
    list[str] | None, typer.Argument(metavar="PARAMETER=VALUE…", help="The conditions; metrics may follow.")
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
    """Tell the result of a trial that you carried out."""
    path = find_log(log)
    data = results_of(known_of(path), pairs(values or []))
    return do("tell", {"trial": trial, "data": data or None}, log=path, by=by, role=role, reason=reason)


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
    """Replace values of a finished trial; those before stay in the history."""
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
