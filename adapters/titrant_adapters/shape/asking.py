"""Instruments that are told and asked in lines of text: SCPI over TCP or VISA, serial lines with a command set.

What goes over the wire is the adapter's (``ask_line``); what is said, and what the answers mean for a trial, is here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Generic, Literal, TypeVar

import anyio
import msgspec

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.shape.config import Config, Seconds, bad
from titrant_adapters.shape.outcomes import Start
from titrant_adapters.shape.runner import AdapterRunner, Course
from titrant_adapters.shape.session import Line, Session
from titrant_adapters.shape.settings import Setting, Settings

L = TypeVar("L", bound=Line)
Q = TypeVar("Q", bound="AskedConfig")

NOT_A_NUMBER = 9.9e37
"""SCPI says infinity as 9.9E37 and not-a-number as 9.91E37."""


class AskedConfig(Config, frozen=True, kw_only=True):
    """What to say to the instrument.

    Attributes:
        settings: Parameter to setting; ``to`` is the command's header (``"VOLT"``), or the command with a place for the
            value (``"VOLT {:.3f},(@1)"``), ``read_back`` the query.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this instrument's.
        start: The command that starts a run; ``{key}`` stands for its name, where the instrument takes one.
        status: The query that says how it stands; ``"*OPC?"``, which answers when all is done, where empty.
        running: Answers of ``status`` while it runs.
        done: Answers of ``status`` when it is done.
        measure: Metric to query.
        safe: Commands that bring it into its safe state.
        error: The query for its error queue.
        who: The query that says who it is.
        identity: A text that the answer must contain.
        timeout_s: Seconds one answer may take.
        run_timeout_s: Seconds a run may take.
        poll_s: Seconds between two questions for the status.
    """

    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    start: str = "INIT"
    status: str = ""
    running: tuple[str, ...] = ("RUN", "1")
    done: tuple[str, ...] = ("DONE", "IDLE", "0")
    measure: dict[str, str]
    safe: tuple[str, ...] = ()
    error: str = "SYST:ERR?"
    who: str = "*IDN?"
    identity: str = ""
    timeout_s: Seconds = 2.0
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 0.05

    def check(self) -> None:
        """Every question ends with a question mark, or the line would wait for an answer that never comes."""
        if not self.measure:
            raise bad("measure", self.measure, 'name a query for each metric: { power = "MEAS:POW?" }')
        asked = {f"measure.{name}": query for name, query in self.measure.items()} | {"error": self.error}
        asked |= {f"{name}.read_back": str(one.read_back) for name, one in self.settings.items() if one.read_back}
        for field, query in (asked | ({"status": self.status} if self.status else {})).items():
            if not query.partition(" ")[0].endswith("?"):
                raise bad(field, query, "a query ends with a question mark")


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
            lambda setting, value: self._tell(_command(str(setting.to), value), course),
            lambda setting: self._ask(str(setting.read_back), course),
        )
        start = self.config.start.replace("{key}", attempt.key)
        await course.begin({"key": attempt.key} if start != self.config.start else None)
        await self._tell(start, course)
        with course.start.within(self.config.run_timeout_s, "the run"):
            await self._done(course)
            data = {name: _number(await self._again(query, course)) for name, query in self.config.measure.items()}
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


def _command(to: str, value: Any) -> str:
    plain = int(value) if isinstance(value, bool) else value
    return to.format(plain) if "{" in to else f"{to} {plain}"


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise RunnerError(f"the measurement is {text!r}, which is no number") from None
    if not abs(value) < NOT_A_NUMBER:  # false of NaN too
        raise RunnerError(f"the measurement is {text}: overload, or not measured")
    return value
