"""What a log holds: ``status``, ``log``, ``show``, ``best``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log, read
from titrant.cli.options import Json, Log, LogOption
from titrant.cli.output import Shown, command, print_json, table

if TYPE_CHECKING:
    from titrant.log.base import Record
    from titrant.rules.state import State

FOLLOW_S = 0.25
"""How often a log is looked at by ``log --follow``: soon enough for people, and next to nothing for the machine."""

When = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="SEQ|TIME",
        help="As it was then: a sequence number (42, -10 from the end), a time, or -10m before the end.",
        show_default=False,
    ),
]


@command
def status(log: Log = None, at: When = None, json: Json = False) -> Shown:
    """Say how an experiment stands: trials, runners, what it waits for, who runs it."""
    from titrant.control.status import status as standing  # noqa: PLC0415  # not for --help
    from titrant.log.lease import holder  # noqa: PLC0415
    from titrant.replay.moment import state_at  # noqa: PLC0415

    path = find_log(log)
    moment = state_at(path, at)
    found: dict[str, Any] = {"log": str(path), **standing(moment.state, moment.seq)}
    owner = holder(path) if at is None else None
    found["held_by"] = None if owner is None else str(owner)
    left = at is None and owner is None
    return Shown(found, "\n".join(_standing(found, moment.state, left=left)))


def _standing(found: dict[str, Any], state: State, *, left: bool) -> Iterator[str]:
    from titrant.progress import words  # noqa: PLC0415
    from titrant.replay.diff import lead_words, leading  # noqa: PLC0415

    yield f"{found['name'] or 'no experiment yet'}: {found['objective'] or 'no objective yet'}"
    yield "trials: " + (", ".join(f"{n} {name}" for name, n in found["trials"].items()) or "none")
    if found["objective"] and (best := leading(state)):
        yield f"best: {lead_words(best)}"
    for one in found["open"]:
        where = f" on {one['runner']}" if one["runner"] else ""
        yield f"  trial {one['trial']} {one['status']}{where}  {words.conditions(one['parameters'])}"
    for one in found["runners"]:
        bad = f", quarantined: {one['quarantined']}" if one["quarantined"] else ""
        room = "" if one["capacity"] is None else f" of {one['capacity']}"
        yield f"runner {one['name']}: {one['busy']}{room} in use{bad}"
    if found["held_by"]:
        yield f"held by {found['held_by']}"
    for name in ("paused", "halted"):
        if found[name]:
            yield str(found[name])
    if found["run"] is not None and left:
        yield f"a run was left unfinished: `titrant resume {found['log']}` goes on with it"
    elif found["run"] is not None:
        yield f"running: {found['waiting_for']}"
    elif found["last_run"] is not None:
        reason = found["last_run"]["reason"]
        yield f"last run: {found['last_run']['outcome']}" + (f", {reason}" if reason else "")
    yield f"at event {found['seq']}"


@command
def log(
    path: Log = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as events come, until Ctrl-C.")] = False,
    kind: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="Only events of this type; trial.* for all of a kind.")
    ] = "",
    trial: Annotated[
        int | None, typer.Option("--trial", min=0, metavar="TRIAL", help="Only events of this trial.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="SEQ|TIME", help="Only events after this one.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Print the events, a line each; with --json a document each."""
    from titrant.cli.events import event_line  # noqa: PLC0415  # not for --help

    found = find_log(path)
    after = _after(found, since)
    _known(kind)
    began: int | None = None
    virtual = seen = False
    for record in _records(found, 0 if not json and after else after, follow=follow):
        began = record.recorded_at if began is None else began
        virtual = _virtual(record, before=virtual)
        seen = seen or record.trial == trial
        if record.seq <= after or not _wanted(record, kind, trial):
            continue
        if json:
            print_json(record, one_line=True)
        else:
            typer.echo(event_line(record, began=began, virtual=virtual))
    if trial is not None and not seen:
        read(found, verify=False).state.trial(trial)  # there may be none of that number: no line would not say so


def _after(path: Path, since: str | None) -> int:
    from titrant.replay.moment import sequence_number  # noqa: PLC0415

    return 0 if since is None else sequence_number(path, since) or 0


def _records(path: Path, after: int, *, follow: bool) -> Iterator[Record]:
    from titrant.log.replay import read_log  # noqa: PLC0415

    while True:
        for record in read_log(path, after):
            yield record
            after = record.seq
        if not follow:
            return
        time.sleep(FOLLOW_S)  # noqa: TID251  # a command line without a clock of its own


def _virtual(record: Record, *, before: bool) -> bool:
    from titrant.messages.events import SessionOpened  # noqa: PLC0415

    return not record.event.pid if isinstance(record.event, SessionOpened) else before


def _known(kind: str) -> None:
    """Refuse a type that there is not: no line at all would look like no event."""
    from fnmatch import fnmatch  # noqa: PLC0415

    from titrant.messages.codec import SCHEMAS  # noqa: PLC0415

    if kind and not any(fnmatch(tag, kind) for tag in SCHEMAS):
        raise BadInput(f"there are no events of type {kind!r}; types are: {', '.join(sorted(SCHEMAS))}")


def _wanted(record: Record, kind: str, trial: int | None) -> bool:
    from fnmatch import fnmatch  # noqa: PLC0415

    from titrant.messages.codec import TAGS  # noqa: PLC0415

    return (trial is None or record.trial == trial) and (not kind or fnmatch(TAGS[type(record.event)], kind))


@command
def show(
    what: Annotated[
        str | None,
        typer.Argument(metavar="TRIAL|@EVENT", help="A trial (7), or an event (@42); all trials where left out."),
    ] = None,
    log: LogOption = None,
    at: When = None,
    json: Json = False,
) -> Shown:
    """Show the experiment, one trial, or one event; at any moment of its history."""
    path = find_log(log)
    if what is not None and what.startswith("@"):
        return _event(path, what[1:])
    from titrant.replay.moment import state_at  # noqa: PLC0415

    moment = state_at(path, at)
    if what is None:
        return _table(moment.state, moment.seq)
    if not what.isdecimal():
        raise BadInput(f"{what!r} is neither a trial (7) nor an event (@42)")
    return _trial(moment.state, int(what), moment.seq)


def _event(path: Path, text: str) -> Shown:
    from titrant.cli.events import event_line  # noqa: PLC0415
    from titrant.cli.output import console  # noqa: PLC0415
    from titrant.log.replay import read_log  # noqa: PLC0415
    from titrant.messages.codec import encode  # noqa: PLC0415

    if not text.isdecimal() or not int(text):
        raise BadInput(f"@{text} is no event: write @42")
    record = next(read_log(path, int(text) - 1, int(text)), None)
    if record is None:
        raise BadInput(f"there is no event {text} in {path}: `titrant log` lists them")
    import msgspec  # noqa: PLC0415

    payload = msgspec.json.format(encode(record.event)[2], indent=2)
    width = console().width
    return Shown(record, "\n".join([event_line(record), f"hash {record.hash.hex()}"[:width], str(payload)]))


def _table(state: State, seq: int) -> Shown:
    from titrant.analysis.results import summary  # noqa: PLC0415

    found = summary(state)
    rows = [[_cell(row[name]) for name in found.columns] for row in found.rows]
    value = {"seq": seq, "trials": [{name: row[name] for name in found.columns} for row in found.rows]}
    return Shown(value, table(found.columns, rows) if rows else f"no trials at event {seq}")


def _trial(state: State, index: int, seq: int) -> Shown:
    from titrant.cli.events import local_time, observed  # noqa: PLC0415
    from titrant.progress import words  # noqa: PLC0415

    trial = state.trial(index)
    lines = [f"trial {index}: {trial.status.name}" + (f", {trial.reason}" if trial.reason else "")]
    lines.append(f"  planned   {words.conditions(trial.parameters)}")
    if trial.executed is not None:
        lines.append(f"  executed  {words.conditions(trial.executed)}")
    if trial.observations:
        lines.append(f"  measured  {observed(trial.observations)}")
    if trial.missing:
        lines.append(f"  missing   {', '.join(trial.missing)}")
    by = trial.strategy_node or trial.node or trial.origin
    lines.append(f"  made      {local_time(trial.created_at)} by {by}")
    if trial.runner:
        lines.append(f"  runner    {trial.runner}, attempt {trial.attempt}, key {trial.key}")
    for name, moment in (("submitted", trial.submitted_at), ("started", trial.started_at), ("ended", trial.ended_at)):
        if moment is not None:
            lines.append(f"  {name:<9} {local_time(moment)}")
    lines.append(f"  at event {seq}; `titrant why {index}` says what it was made from")
    return Shown({"seq": seq, "trial": trial}, "\n".join(lines))


@command
def best(log: Log = None, at: When = None, json: Json = False) -> Shown:
    """Show the best trial so far, as observed; with several objectives, the front."""
    from titrant.replay.diff import lead_words, leading  # noqa: PLC0415
    from titrant.replay.moment import state_at  # noqa: PLC0415

    path = find_log(log)
    moment = state_at(path, at)
    if moment.state.optimization is None:
        raise BadInput(f"the experiment in {path} has no objective yet")
    found = leading(moment.state)
    if found is None and moment.state.optimization.is_preference:
        return Shown(None, "nobody has compared finished trials yet: `titrant compare` asks")
    if found is None:
        from titrant.analysis.lacking import nothing_yet  # noqa: PLC0415

        return Shown(None, nothing_yet(moment.state))
    from titrant.progress import words  # noqa: PLC0415

    indices = found["trials"] if "trials" in found else [found["trial"]]
    lines = [f"  trial {index}: {words.conditions(moment.state.trial(index).parameters)}" for index in indices]
    shown = {**found, "parameters": {str(index): moment.state.trial(index).parameters for index in indices}}
    return Shown(shown, "\n".join([lead_words(found), *lines]))


def _cell(value: Any) -> str:
    from titrant.progress import words  # noqa: PLC0415

    return "" if value is None else words.value(value) if isinstance(value, float | int | str) else str(value)
