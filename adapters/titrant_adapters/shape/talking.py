"""Talking to an instrument in lines of text: one exchange at a time, and an error queue that is left empty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import anyio

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.ports import Finding
from titrant_adapters.shape.asked_config import AskedConfig
from titrant_adapters.shape.course import Course
from titrant_adapters.shape.line import Line
from titrant_adapters.shape.outcomes import Start
from titrant_adapters.shape.runner import AdapterRunner
from titrant_adapters.shape.session import Session

L = TypeVar("L", bound=Line)
Q = TypeVar("Q", bound=AskedConfig)

MOST_ERRORS = 50
"""Read from a queue before it counts as one that never ends."""


class Talking(AdapterRunner[Q], Generic[Q, L]):
    """What is said; an adapter gives ``open_line``, ``ask_line`` and ``address``."""

    _from_before: list[str]

    @property
    def address(self) -> str:
        """Where the instrument is, for messages."""
        raise NotImplementedError(f"{type(self).__name__} has no address")

    async def open_line(self) -> L:
        """Open a new line."""
        raise NotImplementedError(f"{type(self).__name__} has no open_line")

    async def ask_line(self, line: L, text: str) -> str:
        """Send a text and receive the one that answers it."""
        raise NotImplementedError(f"{type(self).__name__} has no ask_line")

    async def connect(self) -> None:
        """Open the line, ask who answers, and read what stands in its error queue from before."""
        self.session = Session(
            self.open_line, self._identify, errors=self.errors, deadline_s=self.config.timeout_s, name=self.address
        )
        await self.session.exchange(self._identify, "asking who it is")
        self._from_before = await self._errors_told()

    async def disconnect(self) -> None:
        """Close the line, if it came to having one."""
        if hasattr(self, "session"):
            await self.session.aclose()

    async def look(self) -> AsyncIterator[Finding]:
        """Who answers, and whether something stood in its error queue."""
        yield Finding("ok", f"{self.address} is {self.session.identity}")
        if self._from_before:
            said = "; ".join(self._from_before)
            yield Finding("warn", f"its error queue said {said}", "see what that was; the queue is empty now")

    async def _identify(self, line: L) -> str:
        said = (await self.ask_line(line, self.config.who)).strip()
        if self.config.identity not in said:
            raise RunnerError(f"{self.address} says it is {said!r}, not {self.config.identity!r}: is it the right one?")
        return said

    async def _ask(self, query: str, course: Course | None = None, deadline_s: float | None = None) -> str:
        start = Start() if course is None else course.start
        answer = await self.session.exchange(
            lambda line: self.ask_line(line, query), query, start, deadline_s=deadline_s
        )
        return answer.strip()

    async def _again(self, query: str, course: Course) -> str:
        """Ask until there is an answer; whoever calls bounds the wait."""
        while True:
            try:
                return await self._ask(query, course)
            except OutcomeUnknown:
                await anyio.sleep(self.config.poll_s)

    async def _tell(self, command: str, course: Course | None = None) -> None:
        """Send a command, with the question whether it was understood in the same frame."""
        error = await self._ask(f"{command};:{self.config.error}", course)
        if error.startswith(("0", "+0")):
            return
        await self._errors_told(course)  # others that it led to would be taken for those of the next command
        # IEEE 488.2: -1xx cannot be understood, -2xx cannot be done as things stand, and was not
        kind = SubmissionRefused if error.startswith("-2") else RunnerError
        raise kind(f"{command} was answered with {error}")

    async def _errors_told(self, course: Course | None = None) -> list[str]:
        """Read the error queue until it is empty; what stays in it would be taken for the next run's."""
        told: list[str] = []
        while self.config.error and len(told) < MOST_ERRORS:
            error = await self._ask(self.config.error, course)
            if error.startswith(("0", "+0")):
                break
            told.append(error)
        return told
