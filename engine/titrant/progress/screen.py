"""Who writes: a thread of its own, so that a terminal that is held (Ctrl-S) or a pipe that is full holds nothing up."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live

from titrant.progress import view
from titrant.progress.lines import Backlog, closing_lines, lines
from titrant.progress.picture import Picture

FRAMES_PER_SECOND = 5
LINES_PER_TURN, SECONDS_PER_TURN = 5, 0.25
CLOSING_DEADLINE_S = 2.0
"""How long the end of a run waits for a terminal that does not take what is written."""


class Writer(Protocol):
    """What is written, and how often."""

    period_s: float

    def begin(self) -> None:
        """Get ready."""

    def turn(self) -> None:
        """Write what there is to be written now."""

    def end(self) -> None:
        """Leave everything clean, and write the last words."""


class Screen:
    """Runs a writer in a daemon thread until it is closed."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="titrant progress", daemon=True)

    def open(self) -> None:
        """Begin; an interpreter that ends in the middle still leaves the terminal clean."""
        atexit.register(self.close)
        self._thread.start()

    def close(self) -> None:
        """End, and wait for the last words to be written, but not for ever."""
        atexit.unregister(self.close)
        self._closing.set()
        self._thread.join(CLOSING_DEADLINE_S)

    def _run(self) -> None:
        # A terminal that went away (closed window, broken pipe, closed file) is nobody's failure.
        with suppress(OSError, ValueError):
            self._writer.begin()
            try:
                while not self._closing.wait(self._writer.period_s):
                    self._writer.turn()
            finally:
                self._writer.end()


class LiveWriter:
    """The live view in a terminal; nothing of it is left but the summary."""

    period_s = 1 / FRAMES_PER_SECOND

    def __init__(self, console: Console, picture: Callable[[], Picture], *, path: str | None, redirect: bool) -> None:
        self._console = console
        self._picture = picture
        self._path = path
        # What scripts print while the view is shown goes above it.
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=redirect, redirect_stderr=redirect
        )

    def begin(self) -> None:
        """Take the terminal's lower end."""
        self._live.start()
        self.turn()

    def turn(self) -> None:
        """Draw one frame."""
        size, options = self._console.size, self._console.options
        drawn = view.live_view(self._picture(), width=size.width, height=size.height, ascii_only=options.ascii_only)
        self._live.update(drawn, refresh=True)

    def end(self) -> None:
        """Give the terminal back, and say how it ended."""
        self._live.stop()
        picture = self._picture()
        if picture.began is not None:  # a run that was refused has no outcome
            self._console.print(view.summary(picture, self._path))


class LinesWriter:
    """Plain lines."""

    period_s = SECONDS_PER_TURN

    def __init__(self, file: TextIO, backlog: Backlog, picture: Callable[[], Picture], *, path: str | None) -> None:
        self._file = file
        self._backlog = backlog
        self._picture = picture
        self._path = path

    def begin(self) -> None:
        """Nothing to prepare."""

    def turn(self) -> None:
        """Write the lines that wait, as many as fit."""
        self._write(LINES_PER_TURN)

    def end(self) -> None:
        """Write the rest and the last words."""
        self._write(2 * LINES_PER_TURN)
        picture = self._picture()
        if picture.began is not None:  # a run that was refused has no outcome
            self._put(closing_lines(picture, self._path))

    def _write(self, room: int) -> None:
        entries, skipped = self._backlog.take(room)
        if entries or skipped:
            picture = self._picture()
            self._put(lines(entries, skipped, began=picture.began, virtual=picture.virtual))

    def _put(self, told: list[str]) -> None:
        encoding = getattr(self._file, "encoding", None) or "utf-8"
        text = "".join(f"{line}\n" for line in told)
        self._file.write(text.encode(encoding, "replace").decode(encoding))
        self._file.flush()
