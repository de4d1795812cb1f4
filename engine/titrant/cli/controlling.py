"""The stop verbs and their opposites; runners taken out of use and put back."""

from __future__ import annotations

from typing import Annotated

import typer

from titrant.cli.doing import acted, do, shown
from titrant.cli.options import By, Json, Log, LogOption, Reason, Role
from titrant.cli.output import Shown, command
from titrant.cli.people import needed

Runner = Annotated[str, typer.Argument(metavar="RUNNER", help="The runner's name.", show_default=False)]


@command
def pause(log: Log = None, by: By = None, role: Role = None, reason: Reason = "", json: Json = False) -> Shown:
    """Start no new trials; what runs goes on."""
    return do("pause", {}, log=log, by=by, role=role, reason=reason)


@command
def unpause(log: Log = None, by: By = None, role: Role = None, reason: Reason = "", json: Json = False) -> Shown:
    """Start new trials again."""
    return do("unpause", {}, log=log, by=by, role=role, reason=reason)


@command
def drain(log: Log = None, by: By = None, role: Role = None, reason: Reason = "", json: Json = False) -> Shown:
    """Finish what runs, start nothing new, then end the run."""
    return do("drain", {}, log=log, by=by, role=role, reason=reason)


@command
def stop(log: Log = None, by: By = None, role: Role = None, reason: Reason = "", json: Json = False) -> Shown:
    """Stop what runs, bring instruments into their safe states, end the run."""
    return do("stop", {}, log=log, by=by, role=role, reason=reason)


@command
def halt(log: Log = None, by: By = None, role: Role = None, reason: Reason = "", json: Json = False) -> Shown:
    """Safe state everywhere at once, latched until reset; not an emergency stop."""
    outcome = acted("halt", {}, log=log, by=by, role=role, reason=reason)
    return shown(outcome, (outcome.value or {}).get("warning"))


@command
def reset(log: Log = None, by: By = None, role: Role = None, reason: Reason = "", json: Json = False) -> Shown:
    """Release the latch of a halt; starts nothing."""
    why = needed(reason, "reset")
    return do("reset", {}, log=log, by=by, role=role, reason=why)


@command
def quarantine(
    runner: Runner, log: LogOption = None, by: By = None, role: Role = None, reason: Reason = "", json: Json = False
) -> Shown:
    """Give a runner no more trials until it is restored; what runs on it goes on."""
    return do("quarantine", {"name": runner}, log=log, by=by, role=role, reason=needed(reason, "quarantine"))


@command
def restore(
    runner: Runner, log: LogOption = None, by: By = None, role: Role = None, reason: Reason = "", json: Json = False
) -> Shown:
    """Use a runner again that was quarantined."""
    return do("restore", {"name": runner}, log=log, by=by, role=role, reason=needed(reason, "restore"))
