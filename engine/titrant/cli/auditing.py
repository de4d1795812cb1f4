"""What a log proves and what it explains: ``verify``, ``head``, ``diff``, ``why``, ``acts``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from titrant.cli.errors import FAULT
from titrant.cli.logs import find_log
from titrant.cli.options import Json, Log, LogOption, Trial
from titrant.cli.output import Shown, command


@command
def verify(
    log: Log = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="HEAD",
            help="A head published earlier: its line, a file that holds it, or SEQ:HASH.",
            show_default=False,
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Do not compare snapshots with the folded state.")] = False,
    json: Json = False,
) -> Shown:
    """Audit a log: chain, order, legality, signatures, snapshots.

    The first fault is named, and the exit code is 1. Without --against, a log written anew as a whole does not show.
    """
    from titrant.log import heads  # noqa: PLC0415  # not for --help
    from titrant.log.verify import verify as audit  # noqa: PLC0415

    path = find_log(log)
    published = None if against is None else heads.read_head(against)
    verdict = audit(path, published, deep=not quick)
    value = {
        "ok": verdict.ok,
        "fault": verdict.fault,
        "events": verdict.events,
        "trials": verdict.trials,
        "head": str(verdict.head),
        "signatures": verdict.signatures,
        "snapshots": verdict.snapshots,
        "seconds": verdict.seconds,
    }
    return Shown(value, str(verdict), 0 if verdict.ok else FAULT)


@command
def head(log: Log = None, json: Json = False) -> Shown:
    """Print the log's head, to be kept elsewhere and given to `verify --against`."""
    from titrant.log import heads  # noqa: PLC0415

    found = heads.head(find_log(log))
    return Shown({"log_id": found.log_id, "seq": found.seq, "hash": found.hash.hex(), "line": str(found)}, str(found))


Moment = Annotated[
    str,
    typer.Argument(
        metavar="SEQ|TIME", help="An event's number, a time, or end; -10m for before the end goes after --."
    ),
]


@command
def diff(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="The log.", show_default=False)],
    before: Moment,
    after: Moment = "end",
    json: Json = False,
) -> Shown:
    """Say what changed in an experiment between two moments."""
    from titrant.replay.diff import changes  # noqa: PLC0415
    from titrant.replay.moment import state_at  # noqa: PLC0415

    path = find_log(log)
    old, new = state_at(path, before), state_at(path, None if after == "end" else after)
    found = changes(old.state, new.state)
    value = {"before": old.seq, "after": new.seq, "changes": found}
    told = "\n".join(map(str, found)) or f"nothing changed between event {old.seq} and event {new.seq}"
    return Shown(value, told)


@command
def why(trial: Trial, log: LogOption = None, json: Json = False) -> Shown:
    """Account for a trial: what it was made from, by whom, and what became of it."""
    from titrant.replay.telling import text  # noqa: PLC0415
    from titrant.replay.why import why as account_for  # noqa: PLC0415

    account = account_for(find_log(log), trial)
    return Shown(account, text(account))


@command
def acts(log: Log = None, json: Json = False) -> Shown:
    """List what people and agents did: who, why, and what it was before and after."""
    from titrant.cli.events import local_time  # noqa: PLC0415
    from titrant.replay.acts import acts as done  # noqa: PLC0415

    found = list(done(find_log(log)))
    lines = [f"{act.seq:>5}  {local_time(act.at)}  {act}" for act in found]
    return Shown(found, "\n".join(lines) or "nobody has done anything but run it")
