"""What the doctor looks at: each finding with what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

import msgspec

from titrant.cli.logs import Read, read
from titrant.errors import LogError
from titrant.generators import wire
from titrant.generators.process import WorkerProcess
from titrant.log import health
from titrant.log.lease import holder
from titrant.runtime.clock import RealClock

Level = Literal["ok", "warn", "fail"]

GROUPS = ("titrant.runners", "titrant.metrics", "titrant.generators")
MIB = 1 << 20
MODELLING = ("botorch", "gpytorch", "torch", "numpy", "scipy")
SLOW_START_S = 30.0
LONG_WAL = 64 * MIB
ROOM_NEEDED, ROOM_WANTED = 100 * MIB, 1024 * MIB
YEAR_2026 = 1_767_225_600_000_000


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at.

    Attributes:
        level: ``"ok"``, ``"warn"`` (it works, with a reservation) or ``"fail"``.
        what: What was found.
        remedy: What to do about it; empty where there is nothing to do.
    """

    level: Level
    what: str
    remedy: str = ""


Findings = Iterator[Finding]


def of_machine(folder: Path) -> Findings:
    """Python, SQLite, processors, disk, clock, terminal, the generator's worker, and what is installed."""
    yield _python()
    yield _sqlite()
    yield _processors()
    yield from _storage(folder)
    yield _clock()
    yield _terminal()
    yield from _worker()
    yield from _installed()


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


# --- the machine ----------------------------------------------------------------------------------------------------


def _python() -> Finding:
    return Finding("ok", f"Python {platform.python_version()} on {platform.platform()}")


def _sqlite() -> Finding:
    version = health.sqlite_version()
    told = f"SQLite {'.'.join(map(str, version))}"
    if version >= health.SOUND_FROM:
        return Finding("ok", told)
    return Finding(
        "warn",
        f"{told} has a fault that can damage a log when two processes write to it at the same moment; one engine at a "
        "time, which the lock sees to, does not meet it",
        f"use a Python with SQLite {'.'.join(map(str, health.SOUND_FROM))} or later, and never open a log for writing "
        "with other tools",
    )


def _processors() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if usable < 2:
        return Finding("warn", "1 processor: fitting a model and running the lab share it", "give it a second one")
    return Finding("ok", f"{usable} processors")


def _storage(folder: Path) -> Findings:
    where = folder.resolve()
    free = shutil.disk_usage(folder).free
    told = f"{free // MIB:,} MiB free in {where}"
    if free < ROOM_NEEDED:
        yield Finding("fail", told, "make room: a log that cannot be written stops the experiment")
    else:
        yield Finding("ok" if free >= ROOM_WANTED else "warn", told, "" if free >= ROOM_WANTED else "make room soon")
    kind = health.file_system(folder)
    if kind in health.NETWORK:
        yield Finding(
            "warn",
            f"{where} is on a network drive ({kind}), where locks and a write-ahead log are not to be relied on",
            "keep the log on a disk of this machine, and copy it with: titrant backup",
        )
    problem = health.wal_problem(folder)
    if problem is None:
        yield Finding("ok", f"a log can be written there{f' ({kind})' if kind else ''}")
    else:
        yield Finding("fail", f"no log can be written in {where}: {problem}", "choose another folder, on a local disk")


def _clock() -> Finding:
    if RealClock().now() < YEAR_2026:
        return Finding("fail", "the clock is years behind", "set it: events bear its time")
    return Finding("ok", f"clock: {time.strftime('%Y-%m-%d %H:%M:%S %z')}")


def _terminal() -> Finding:
    if not sys.stderr.isatty():
        return Finding("ok", "no terminal: runs write a line for each trial")
    size, encoding = shutil.get_terminal_size(), (sys.stderr.encoding or "").lower()
    told = f"terminal of {size.columns} × {size.lines}, {encoding or 'no encoding'}"
    if "utf" not in encoding:
        return Finding("warn", told, "set a UTF-8 locale, such as LANG=C.UTF-8, to see every sign")
    return Finding("ok", told) if size.columns >= 72 else Finding("warn", told, "make it 72 columns wide to see bars")


def _worker() -> Findings:
    worker = WorkerProcess()
    began = time.monotonic()
    try:
        worker.start()
        worker.call(wire.Ping())
        yield Finding("ok", f"the generator's worker process answers after {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        versions = {name: one for name, one in worker.call(wire.Warm()).versions.items() if name in MODELLING}
        seconds = time.monotonic() - began
        told = f"{', '.join(f'{name} {version}' for name, version in versions.items())}: loaded in {seconds:.1f} s"
        slow = seconds > SLOW_START_S
        yield Finding("warn" if slow else "ok", told, "Sobol points go first meanwhile" if slow else "")
    except Exception as exc:  # noqa: BLE001  # whatever keeps it from working is what is looked for
        yield Finding(
            "fail", f"models cannot be fitted: {exc}", 'install them: pip install "torch>=2.2" "botorch>=0.12"'
        )
    finally:
        worker.close()


def _installed() -> Findings:
    found = [one for group in GROUPS for one in entry_points(group=group)]
    if not found:
        yield Finding("ok", "no runners, metrics or generators are installed by name; module:attribute names others")
    for one in found:
        yield _entry(one)


def _entry(one: EntryPoint) -> Finding:
    what = f"{one.group.removeprefix('titrant.').removesuffix('s')} {one.name!r} ({one.value})"
    try:
        target = one.load()
        answer = _probe(target)
    except Exception as exc:  # noqa: BLE001  # foreign code may raise anything
        return Finding("fail", f"{what}: {type(exc).__name__}: {exc}", "install what it needs, or remove its package")
    return Finding("ok", what + (f": {answer}" if answer else ""))


def _probe(target: Any) -> str:
    """What an adapter says of its own surroundings, where it has a ``probe()`` to ask."""
    probe: Callable[[], Any] | None = getattr(target, "probe", None) or getattr(
        sys.modules.get(getattr(target, "__module__", "")), "probe", None
    )
    return "" if probe is None else str(probe() or "")


# --- a log ----------------------------------------------------------------------------------------------------------


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
            "warn", f"runner {name!r} gets no trials: {why}", f"see to it, then: client.restore_runner({name!r})"
        )
    if state.unknown:
        listed = ", ".join(map(str, state.unknown))
        yield Finding(
            "warn",
            f"nobody knows what became of trial {listed}",
            f"look at the instrument, then: client.resolve({state.unknown[0]}, OUTCOME, reason=...)",
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
