"""``follow``: shows a person what an engine does, without ever holding it up."""

from __future__ import annotations

import sys
import threading
from contextlib import aclosing
from typing import TextIO

import anyio
import anyio.abc
from rich.console import Console

from titrant.engine import Engine
from titrant.errors import TitrantError
from titrant.log.base import Record
from titrant.messages import events as e
from titrant.progress.board import OVER, Board
from titrant.progress.lines import Backlog, Begun, Finished
from titrant.progress.picture import Picture
from titrant.progress.screen import LinesWriter, LiveWriter, Screen, Writer
from titrant.rules.state import State
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
    watcher = _Watcher(engine, sys.stderr if file is None else file)
    watcher.screen.open()
    try:
        while await _watch(engine, watcher, task_status):
            task_status = anyio.TASK_STATUS_IGNORED
            watcher.start_anew()
    except Exception as exc:  # a fault in what is shown must not end what runs
        log.error("progress.failed", reason=describe(exc), exc_info=exc)
    finally:
        with anyio.CancelScope(shield=True):
            await engine.clock.outside(lambda: run_in_thread(watcher.screen.close))


async def _watch(engine: Engine, watcher: _Watcher, task_status: anyio.abc.TaskStatus[None]) -> bool:
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


class _Watcher:
    """Keeps a board up in the event loop, and lends it to the thread that draws."""

    def __init__(self, engine: Engine, file: TextIO) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._board = Board(engine.state, virtual=engine.clock.virtual)
        self._backlog: Backlog | None = None
        path = None if engine.path is None else str(engine.path)
        console = Console(file=file)
        writer: Writer
        if console.is_terminal and not console.is_dumb_terminal:
            redirect = sys.stdout.isatty() and sys.stderr.isatty()
            writer = LiveWriter(console, self.picture, path=path, redirect=redirect)
        else:
            self._backlog = Backlog()
            writer = LinesWriter(file, self._backlog, self.picture, path=path)
        self.screen = Screen(writer)

    def start_anew(self) -> None:
        """Begin again from the present state."""
        with self._lock:
            self._board = Board(self._engine.state, virtual=self._engine.clock.virtual)

    def see(self, record: Record, state: State) -> None:
        """Note an event."""
        with self._lock:
            notice, leads = self._board.record(record, state)
        if self._backlog is None:
            return
        if isinstance(record.event, e.RunStarted) and state.run is not None:
            self._backlog.add(Begun(record.recorded_at, state.run, state))
        elif notice is not None:
            self._backlog.add(notice)
        elif isinstance(record.event, OVER) and record.trial is not None:
            self._backlog.add(Finished(record.recorded_at, state.trial(record.trial), state, leads))

    def picture(self) -> Picture:
        """What is to be seen now; called from the thread that draws."""
        with self._lock:
            return self._board.picture(self._engine.clock.now())
