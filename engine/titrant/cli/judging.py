"""What people say of single trials: approval, another attempt, withdrawal, corrections, words and signatures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from titrant.cli.doing import acted, do, shown
from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log
from titrant.cli.options import By, Json, Log, LogOption, Reason, Role, Trial, Values
from titrant.cli.output import Shown, command
from titrant.cli.people import needed
from titrant.cli.values import known_of, pairs, results_of


@command
def approve(
    trial: Trial,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Let a proposed trial go ahead."""
    return do("approve", {"trial": trial}, log=log, by=by, role=role, reason=reason)


@command
def reject(
    trial: Trial,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Do not carry a proposed trial out."""
    return do("reject", {"trial": trial}, log=log, by=by, role=role, reason=needed(reason, "reject"))


@command
def hold(
    trial: Trial,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Keep a waiting trial back until it is approved."""
    return do("hold", {"trial": trial}, log=log, by=by, role=role, reason=needed(reason, "hold"))


@command
def retry(
    trial: Trial,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Carry a failed or unknown trial out once more."""
    return do("retry", {"trial": trial}, log=log, by=by, role=role, reason=needed(reason, "retry"))


@command
def abandon(
    trial: Trial,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Give a trial up; its conditions are not suggested again."""
    return do("abandon", {"trial": trial}, log=log, by=by, role=role, reason=needed(reason, "abandon"))


@command
def fail(
    trial: Trial,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Mark a trial as failed; its conditions may be suggested again."""
    return do("fail", {"trial": trial}, log=log, by=by, role=role, reason=needed(reason, "fail"))


@command
def resolve(
    trial: Trial,
    outcome: Annotated[
        Literal["running", "completed", "failed", "abandoned", "rerun"],
        typer.Argument(metavar="OUTCOME", help="running, completed, failed, abandoned or rerun.", show_default=False),
    ],
    values: Values = None,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Say what became of a trial that titrant lost sight of (UNKNOWN).

    running: it still runs, and is followed again. completed: it is done; results may follow. failed, abandoned: it
    gives no result. rerun: nothing was done, so it is carried out again. Look at the instrument first; -m says how you
    know.
    """
    why = needed(reason, "resolve")
    path = find_log(log)
    data = results_of(known_of(path), pairs(values or []))
    arguments = {"trial": trial, "outcome": outcome, "data": data or None}
    return do("resolve", arguments, log=path, by=by, role=role, reason=why)


@command
def void(
    trial: Trial,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Withdraw a finished result: kept in the history, forgotten by the model."""
    return do("void", {"trial": trial}, log=log, by=by, role=role, reason=needed(reason, "void"))


@command
def unvoid(
    trial: Trial,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Let a withdrawn result count again."""
    return do("unvoid", {"trial": trial}, log=log, by=by, role=role, reason=needed(reason, "unvoid"))


@command
def note(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="TRIAL|WORD", help="The trial, if of one; the words, or -m."),
    ] = None,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Annotated[str, typer.Option("--reason", "-m", metavar="WORDS", help="The words.")] = "",
    json: Json = False,
) -> Shown:
    """Add words to a trial or to the experiment."""
    given = list(words or [])
    arguments: dict[str, Any] = {}
    if given and given[0].isdecimal():
        arguments["trial"] = int(given.pop(0))
    arguments["text"] = reason.strip() or " ".join(given).strip()
    if not arguments["text"]:
        raise BadInput("note needs words: titrant note 3 -m 'the vial was cracked'")
    return do("note", arguments, log=log, by=by, role=role)


@command
def sign(
    log: Log = None,
    meaning: Annotated[
        Literal["reviewed", "approved", "responsible"] | None,
        typer.Option(
            "--meaning", metavar="MEANING", help="reviewed, approved or responsible; it is needed.", show_default=False
        ),
    ] = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Put one's name to everything in the log so far."""
    if meaning is None:
        raise BadInput("a signature needs a meaning: --meaning reviewed, approved or responsible")
    outcome = acted("sign", {"meaning": meaning}, log=log, by=by, role=role, reason=reason)
    return shown(outcome)
