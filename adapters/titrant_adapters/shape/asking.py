"""Instruments that are told and asked in lines of text: SCPI over TCP or VISA, serial lines with a command set.

What goes over the wire is the adapter's (``ask_line``); what is said, and what the answers mean for a trial, is here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import anyio

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.shape.asked_config import AskedConfig
from titrant_adapters.shape.course import Course
from titrant_adapters.shape.line import Line
from titrant_adapters.shape.outcomes import Start
from titrant_adapters.shape.runner import AdapterRunner
from titrant_adapters.shape.session import Session
from titrant_adapters.shape.settings import Settings
from titrant_adapters.shape.words import command_of, number_in

L = TypeVar("L", bound=Line)
Q = TypeVar("Q", bound=AskedConfig)


class AskedRunner(AdapterRunner[Q], Generic[Q, L]):
    """Sets, starts, awaits and measures, one exchange at a time; see ``AskedConfig``.

    An adapter gives ``open_line``, ``ask_line`` and ``address``.
    """

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

    @property
    def settings(self) -> Settings:
        """How parameters reach the instrument."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Open the line and ask who answers."""
        self.session = Session(
            self.open_line, self._identify, errors=self.errors, deadline_s=self.config.timeout_s, name=self.address
        )
        await self.session.exchange(self._identify, "asking who it is")

    async def disconnect(self) -> None:
        """Close the line, if it came to having one."""
        if hasattr(self, "session"):
            await self.session.aclose()

    async def look(self) -> AsyncIterator[Finding]:
        """Who answers, and whether something stands in its error queue."""
        yield Finding("ok", f"{self.address} is {self.session.identity}")
        error = await self._ask(self.config.error)
        if not error.startswith(("0", "+0")):
            yield Finding("warn", f"its error queue says {error}", "read the queue until it is empty")

    async def make_safe(self) -> None:
        """Send what brings it into its safe state."""
        if self.config.safe:
            self.session.break_off()  # one that awaits the end of a run would keep the line until then
        for command in self.config.safe:
            await self._tell(command)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Set, read back, start, await, measure."""
        executed = await self.settings.apply(
            attempt.parameters,
            lambda setting, value: self._tell(command_of(str(setting.to), value), course),
            lambda setting: self._ask(str(setting.read_back), course),
        )
        start = self.config.start.replace("{key}", attempt.key)
        await course.begin({"key": attempt.key} if start != self.config.start else None)
        await self._tell(start, course)
        with course.start.within(self.config.run_timeout_s, "the run"):
            await self._done(course)
            data = {name: number_in(await self._again(query, course)) for name, query in self.config.measure.items()}
        return Result(data=data, executed=executed or None)

    async def _done(self, course: Course) -> None:
        """Await the end; a broken line is no end of the run."""
        config = self.config
        if not config.status:
            await self._ask("*OPC?", course, config.run_timeout_s)
            return
        while (said := await self._again(config.status, course)) not in config.done:
            if said not in config.running:
                raise await self._ended(said, course)
            await anyio.sleep(config.poll_s)

    async def _ended(self, said: str, course: Course) -> RunnerError:
        """What it means that the status is neither running nor done."""
        error = await self._ask(self.config.error, course)
        if error.startswith(("0", "+0")):
            return OutcomeUnknown(f"{self.config.status} says {said!r}, which is neither running nor done")
        return RunnerError(f"the run ended with {error}")

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
        # IEEE 488.2: -1xx cannot be understood, -2xx cannot be done as things stand, and was not
        kind = SubmissionRefused if error.startswith("-2") else RunnerError
        raise kind(f"{command} was answered with {error}")

    async def _ask(self, query: str, course: Course | None = None, deadline_s: float | None = None) -> str:
        start = Start() if course is None else course.start
        answer = await self.session.exchange(
            lambda line: self.ask_line(line, query), query, start, deadline_s=deadline_s
        )
        return answer.strip()

    async def _identify(self, line: L) -> str:
        said = (await self.ask_line(line, self.config.who)).strip()
        if self.config.identity not in said:
            raise RunnerError(f"{self.address} says it is {said!r}, not {self.config.identity!r}: is it the right one?")
        return said
