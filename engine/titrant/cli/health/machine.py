"""The machine: Python, SQLite, processors, disk, clock, terminal."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from pathlib import Path

from titrant.cli.health.finding import MIB, Finding, Findings
from titrant.cli.health.installed import installed
from titrant.cli.health.worker import worker
from titrant.log import health
from titrant.runtime.clock import RealClock

ROOM_NEEDED, ROOM_WANTED = 100 * MIB, 1024 * MIB
YEAR_2026 = 1_767_225_600_000_000


def of_machine(folder: Path) -> Findings:
    """Python, SQLite, processors, disk, clock, terminal, the generator's worker, and what is installed."""
    yield _python()
    yield _sqlite()
    yield _processors()
    yield from _storage(folder)
    yield _clock()
    yield _terminal()
    yield from worker()
    yield from installed()


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
