"""One exchange at a time over a line whose answers bear no name.

After a timeout, a cancellation or half a frame nobody knows whose answer comes next.  So a line is taken out of the
session for each exchange and put back only if the exchange ended well: whatever goes wrong, the next exchange finds no
line, opens a new one and asks the instrument who it is before it goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

from titrant.errors import RunnerError
from titrant_adapters.shape.line import Line, shut
from titrant_adapters.shape.outcomes import Errors, Start

L = TypeVar("L", bound=Line)
T = TypeVar("T")


class Session(Generic[L]):
    """A line that is never used again after something went wrong on it.

    Args:
        open_line: Opens a new line.
        identify: Asks the instrument who it is; the first answer must come again after every reopening.
        errors: The adapter's table.
        deadline_s: Seconds an exchange may take, and opening a line as well.
        name: What is at the other end, for messages.

    Attributes:
        identity: What the instrument said of itself; None before the first exchange.
        opened: Lines opened so far.
    """

    def __init__(
        self,
        open_line: Callable[[], Awaitable[L]],
        identify: Callable[[L], Awaitable[str]],
        *,
        errors: Errors,
        deadline_s: float,
        name: str,
    ) -> None:
        self._open_line, self._identify, self._errors = open_line, identify, errors
        self._deadline, self._name = deadline_s, name
        self._lock = anyio.Lock()
        self._line: L | None = None
        self._talking: anyio.CancelScope | None = None
        self.identity: str | None = None
        self.opened = 0

    async def exchange(
        self,
        talk: Callable[[L], Awaitable[T]],
        what: str,
        start: Start | None = None,
        *,
        deadline_s: float | None = None,
        starts: bool = False,
    ) -> T:
        """Let *talk* have the line to itself, and give what it gives.

        It should only send and receive whole frames: whatever it raises closes the line, so errors that an instrument
        reports in sound frames are better raised by the caller.

        Args:
            talk: Sends and receives.
            what: What it does, for messages.
            start: Where the attempt stands; None where nothing was or is started by it.
            deadline_s: Seconds it may take; the session's where None.
            starts: This exchange starts the run: from when the line is ready, it may have begun.

        Raises:
            OutcomeUnknown: It broke off after the start was sent.
            SubmissionRefused: It broke off before that.
        """
        start = start or Start()
        what = f"{what} ({self._name})"
        async with self._lock:
            line = await self._ready(start)
            to_close: L | None = line
            self._line = None
            try:
                start.sent = start.sent or starts
                with (
                    self._errors.translated(start, what),
                    start.within(self._deadline if deadline_s is None else deadline_s, what),
                    anyio.CancelScope() as self._talking,
                ):
                    answer = await talk(line)
                    self._line, to_close = line, None
            finally:
                if to_close is not None:
                    await shut(to_close)
            if to_close is None:
                return answer
            raise start.lost(f"{what} was broken off")

    def break_off(self) -> None:
        """End the exchange that is under way, if any: a safe state waits for no answer."""
        if self._talking is not None:
            self._talking.cancel()

    async def _ready(self, start: Start) -> L:
        """A line that owes no answer to anybody."""
        if self._line is not None and self._line.stale():
            await self.aclose()
        if self._line is None:
            what = f"connecting to {self._name}"
            with self._errors.translated(start, what), start.within(self._deadline, what):
                line = await self._open_line()
                try:
                    said = await self._identify(line)
                    self._recognise(said)
                except BaseException:
                    await shut(line)
                    raise
            self._line = line
            self.opened += 1
        return self._line

    def _recognise(self, said: str) -> None:
        if self.identity is not None and said != self.identity:
            raise RunnerError(f"{self._name} was {self.identity!r} and now says it is {said!r}: look what is connected")
        self.identity = said

    async def aclose(self) -> None:
        """Close the line; the next exchange opens another one."""
        line, self._line = self._line, None
        if line is not None:
            await shut(line)
