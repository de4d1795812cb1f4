"""``titrant compare``: a person says which of two finished trials is better, or is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from titrant.cli.doing import acted, do, shown
from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log
from titrant.cli.options import By, Json, LogOption, Role
from titrant.cli.output import Shown, command
from titrant.cli.people import needed

TIE, END = "=", "q"


@command
def compare(
    better: Annotated[
        int | None, typer.Argument(metavar="BETTER", help="The trial that is preferred.", min=0, show_default=False)
    ] = None,
    worse: Annotated[
        int | None, typer.Argument(metavar="WORSE", help="The other one.", min=0, show_default=False)
    ] = None,
    tie: Annotated[bool, typer.Option("--tie", help="Nobody can tell which of the two is better.")] = False,
    judge: Annotated[
        str, typer.Option("--judge", metavar="NAME", help="Who compared, where that is not who tells it.")
    ] = "",
    count: Annotated[
        int, typer.Option("-n", "--count", metavar="N", min=1, help="How many pairs to be asked about.")
    ] = 1,
    withdraw: Annotated[
        int | None,
        typer.Option("--withdraw", metavar="NUMBER", min=0, help="Let this comparison count no more; -m says why."),
    ] = None,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Annotated[str, typer.Option("--reason", "-m", metavar="WORDS", help="Words on it; they stay.")] = "",
    json: Json = False,
) -> Shown:
    """Say which of two finished trials is better; where none are named, be asked about the pair that tells most.

    For example: titrant compare 3 5 -m "firmer". With --json and no trials named, the pair is printed and nobody is
    asked.
    """
    path = find_log(log)
    if withdraw is not None:
        if better is not None or tie:
            raise BadInput("--withdraw takes a comparison back, and trials were named as well: give one of the two")
        why = needed(reason, "--withdraw")
        return do("withdraw-comparison", {"comparison": withdraw}, log=path, by=by, role=role, reason=why)
    said = {"judge": judge, "note": reason}
    if better is not None:
        if worse is None:
            raise BadInput(
                f"name two trials: titrant compare {better} OTHER, the better one first; or none to be asked"
            )
        given = {"better": better, "worse": worse, "tie": tie, **said}
        return do("compare", given, log=path, by=by, role=role)
    if tie:
        raise BadInput("--tie is of two trials: titrant compare 3 5 --tie")
    if json:
        return shown(acted("next-comparison", {}, log=path, by=by, role=role))
    return _asked(path, count, said, by=by, role=role)


def _asked(path: Path, count: int, said: Mapping[str, str], *, by: str | None, role: str | None) -> Shown:
    """Ask about one pair after the other, and act on each answer before the next question."""
    answered = 0
    for _ in range(count):
        found = acted("next-comparison", {}, log=path, by=by, role=role).value
        answer = _answer(found)
        if answer is None:
            break
        outcome = acted("compare", {**answer, **said}, log=path, by=by, role=role)
        typer.echo(shown(outcome).view)
        answered += 1
    return Shown({"answered": answered}, f"{answered} of {count} answered")


def _answer(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a person says of a pair; None where they end it."""
    from titrant.progress import words  # noqa: PLC0415

    one, other = found["trials"]
    for index in (one, other):
        typer.echo(f"  trial {index}: {words.conditions(found['parameters'][str(index)])}")
    while True:
        try:
            said = input(f"Which is better, {one} or {other} ({TIE}: cannot tell, {END}: no more)? ").strip()
        except EOFError:
            return None
        if said == END:
            return None
        if said == TIE:
            return {"better": one, "worse": other, "tie": True}
        if said in {str(one), str(other)}:
            better = int(said)
            return {"better": better, "worse": one + other - better}
        typer.echo(f"{said!r} is no answer: {one}, {other}, {TIE} or {END}")
