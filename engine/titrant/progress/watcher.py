"""A watcher: keeps up what is to be seen, event by event, and lends it to whoever draws."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TextIO

from rich.console import Console

from titrant.log.base import Record
from titrant.messages import events as e
from titrant.progress.board import OVER, Board
from titrant.progress.lines import Backlog, Begun, Finished
from titrant.progress.picture import Picture
from titrant.progress.screen import LinesWriter, LiveWriter, Screen, Writer
from titrant.rules.state import State


class Watcher:
    """A board, and a live view of it in a terminal or plain lines elsewhere.

    Args:
        state: The state when somebody begins to look.
        now: What time it is for what is shown, microseconds since 1970 UTC.
        virtual: Whether times are of a virtual calendar.
        path: Where the log is, for the last words.
        file: Where to write.

    Attributes:
        live: Whether there is a terminal to draw in.
        writer: Writes.
        screen: The thread in which it does.
    """

    def __init__(self, state: State, *, now: Callable[[], int], virtual: bool, path: str | None, file: TextIO) -> None:
        self._now = now
        self._virtual = virtual
        self._lock = threading.Lock()
        self._board = Board(state, virtual=virtual)
        self._backlog: Backlog | None = None
        console = Console(file=file)
        self.live = console.is_terminal and not console.is_dumb_terminal
        self.writer: Writer
        if self.live:
            redirect = sys.stdout.isatty() and sys.stderr.isatty()
            self.writer = LiveWriter(console, self.picture, path=path, redirect=redirect)
        else:
            self._backlog = Backlog()
            self.writer = LinesWriter(file, self._backlog, self.picture, path=path)
        self.screen = Screen(self.writer)

    def start_anew(self, state: State) -> None:
        """Begin again from the present state."""
        with self._lock:
            self._board = Board(state, virtual=self._virtual)

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
            return self._board.picture(self._now())
