"""A log, or an experiment file: whether it can be opened, who holds it, and what waits for a person."""

from __future__ import annotations

import os
from pathlib import Path

from titrant.cli.health.finding import MIB, Finding, Findings
from titrant.cli.health.probing import probed
from titrant.cli.logs import Read, read
from titrant.errors import LogError
from titrant.log import health
from titrant.log.lease import holder
from titrant.runtime.clock import RealClock

LONG_WAL = 64 * MIB


def of_log(path: Path) -> Findings:
    """Whether a log can be opened, who holds it, and what lies beside it."""
    try:
        found = read(path)
    except LogError as exc:
        yield Finding("fail", f"{path}: {exc}", f"look at it with: titrant verify {path}; restore a backup")
        return
    yield Finding("ok", f"{path}: {found.seq} events, {found.state.next_index} trials, chain sound")
    yield _lease(path)
    yield from _control(path)
    yield _wal(path)
    yield from _times(found)
    yield from _people(found)
    yield from _definition(path, found)


def of_file(path: Path) -> Findings:
    """Whether an experiment file would run; ``titrant check`` tells more."""
    from titrant.definition import check  # noqa: PLC0415  # the engine, only where there is a file

    report = check(path)
    for problem in report.problems:
        yield Finding("fail" if problem.level == "error" else "warn", f"{path}: {problem}")
    if report.passed:
        yield Finding("ok", f"{path} can be run")
        yield from probed(path)


def _lease(path: Path) -> Finding:
    owner = holder(path)
    if owner is None:
        return Finding("ok", "nobody holds it")
    return Finding("ok", f"it is held by {owner}: commands act through that process")


def _control(path: Path) -> Findings:
    beside = Path(f"{os.path.realpath(path)}.control")
    if beside.exists() and holder(path) is None:
        yield Finding(
            "warn",
            f"{beside.name} was left by a process that ended without a word",
            f"nothing needs to be done: the next run replaces it (or delete {beside})",
        )


def _wal(path: Path) -> Finding:
    size = health.wal_bytes(path)
    if size > LONG_WAL:
        told = f"its write-ahead log has {size // MIB} MiB"
        return Finding("warn", told, "close what reads the log for long; the next clean end shortens it")
    return Finding("ok", f"its write-ahead log has {size / MIB:.1f} MiB")


def _times(found: Read) -> Findings:
    if not found.virtual and found.at > RealClock().now() + 60_000_000:
        yield Finding(
            "warn",
            "its last event is from the future: this machine's clock went back",
            "set the clock; until it has caught up, events bear the time of the one before",
        )


def _people(found: Read) -> Findings:
    state = found.state
    if state.halted is not None:
        yield Finding("warn", "it is halted", "make the lab safe, then: titrant reset -m 'how you know'")
    for name in sorted(state.quarantined):
        why = state.quarantined[name]
        yield Finding(
            "warn",
            f"runner {name!r} gets no trials: {why}",
            f"see to it, then: titrant restore {name} -m WHY",
        )
    if state.unknown:
        listed = ", ".join(map(str, state.unknown))
        yield Finding(
            "warn",
            f"nobody knows what became of trial {listed}",
            f"look at the instrument, then: titrant resolve {state.unknown[0]} OUTCOME -m WHY",
        )
    if state.proposed:
        listed = ", ".join(map(str, state.proposed))
        yield Finding("warn", f"approval is awaited for trial {listed}", f"titrant approve {state.proposed[0]}")


def _definition(path: Path, found: Read) -> Findings:
    definition = found.state.definition
    if definition is None:
        if found.state.runners:
            yield Finding("ok", "it was made in Python: go on there, or with titrant resume --file FILE")
        return
    from titrant.definition import recall  # noqa: PLC0415  # the engine, only where it is needed
    from titrant.definition.connecting import attempt  # noqa: PLC0415

    _, problems = attempt(recall(definition, path))
    for problem in problems:
        yield Finding("fail", f"what it names cannot be connected: {problem}", f"then: titrant resume {path}")
    if not problems:
        yield Finding("ok", "all runners and metrics it names can be made")
