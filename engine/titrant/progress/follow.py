"""``follow``: shows a person what an engine does, without ever holding it up."""

from __future__ import annotations

import sys
from contextlib import aclosing
from typing import TextIO

import anyio
import anyio.abc

from titrant.engine import Engine
from titrant.errors import TitrantError
from titrant.progress.watcher import Watcher
from titrant.runtime.diagnostics import Logger
from titrant.runtime.supervision import describe
from titrant.runtime.threads import run_in_thread

log = Logger(__name__)


async def follow(
    engine: Engine,
    *,
    task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    file: TextIO | None = None,
) -> None:
    """Show what goes on until cancelled or the engine ends: a live view in a terminal, plain lines elsewhere.

    Drawing happens in a thread and at its own, slow pace; the event loop only notes what has changed.  In virtual time
    the times shown are virtual.

    Args:
        engine: What to look at.
        task_status: Told as soon as no event can be missed.
        file: Where to write; stderr where None.
    """
    path = None if engine.path is None else str(engine.path)
    shown = sys.stderr if file is None else file
    watcher = Watcher(engine.state, now=engine.clock.now, virtual=engine.clock.virtual, path=path, file=shown)
    watcher.screen.open()
    try:
        while await _watch(engine, watcher, task_status):
            task_status = anyio.TASK_STATUS_IGNORED
            watcher.start_anew(engine.state)
    except Exception as exc:  # a fault in what is shown must not end what runs
        log.error("progress.failed", reason=describe(exc), exc_info=exc)
    finally:
        with anyio.CancelScope(shield=True):
            await engine.clock.outside(lambda: run_in_thread(watcher.screen.close))


async def _watch(engine: Engine, watcher: Watcher, task_status: anyio.abc.TaskStatus[None]) -> bool:
    """Follow the events to the engine's end; True where they came too quickly, and one must begin anew."""
    try:
        async with aclosing(engine.hub.listen()) as published:
            task_status.started()
            async for record, state in published:
                watcher.see(record, state)
    except TitrantError as exc:  # what was missed is in the state
        log.warning("progress.fell_behind", reason=str(exc))
        return True
    return False
