"""Instruments that are told and asked in lines of text: SCPI over TCP or VISA, serial lines with a command set.

What goes over the wire is the adapter's (``ask_line``); what is said, and what the answers mean for a trial, is here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Generic, TypeVar

import anyio

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt, Parameterization
from titrant.ports import Result
from titrant_adapters.shape.asked_config import KEY, AskedConfig
from titrant_adapters.shape.course import Course
from titrant_adapters.shape.line import Line
from titrant_adapters.shape.settings import Settings
from titrant_adapters.shape.talking import Talking
from titrant_adapters.shape.words import command_of, number_in

L = TypeVar("L", bound=Line)
Q = TypeVar("Q", bound=AskedConfig)


class AskedRunner(Talking[Q, L], Generic[Q, L]):
    """Sets, starts, awaits and measures, one exchange at a time; see ``AskedConfig``.

    An adapter gives ``open_line``, ``ask_line`` and ``address``.
    """

    def __init__(self, config: Q | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.can_report_status = self.config.names_runs
        self.absence_is_proof = self.can_report_status  # said only where no start was recorded
        if self.config.stop:
            self.stop = self._stop  # where the instrument cannot stop a run, there must be no such method

    @property
    def settings(self) -> Settings:
        """How parameters reach the instrument."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

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
        start = self.config.start.replace(KEY, attempt.key)
        await course.begin({"key": attempt.key} if start != self.config.start else None)
        with suppress(*[OutcomeUnknown] if self.can_report_status else []):  # it tells whether it carries that run out
            await self._tell(start, course)
        return await self._ended(attempt, course, executed)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await and measure the run of an earlier process."""
        return await self._ended(attempt, course, {})

    async def _ended(self, attempt: Attempt, course: Course, executed: Parameterization) -> Result:
        """Await the end of a run, and measure."""
        config, key = self.config, attempt.key
        with course.start.within(config.run_timeout_s, "the run"):
            try:
                await self._shows(key, course, config.timeout_s)
                await self._done(key, course)
                queries = {name: query.replace(KEY, key) for name, query in config.measure.items()}
                data = {name: number_in(await self._again(query, course)) for name, query in queries.items()}
                await self._shows(key, course, 0.0)  # or the state and the values may be another's
            except OutcomeUnknown:
                raise
            except RunnerError:
                with suppress(RunnerError):
                    await self._errors_told(course)  # it was told why; the next run must not be
                raise
        return Result(data=data, executed=executed or None)

    async def _shows(self, key: str, course: Course, seconds: float) -> None:
        """Make sure that its latest run is ours; a start whose answer was lost may need its time."""
        config = self.config
        while config.latest and (latest := (await self._again(config.latest, course)).strip("\"'")) != key:
            if seconds <= 0:
                raise OutcomeUnknown(f"the latest run of {self.address} is {latest or 'none'}, not {key}")
            seconds -= config.poll_s
            await anyio.sleep(config.poll_s)

    async def _done(self, key: str, course: Course) -> None:
        """Await the end; a broken line is no end of the run."""
        config, status = self.config, self.config.status.replace(KEY, key)
        if not status:
            await self._ask("*OPC?", course, config.run_timeout_s)
            if told := await self._errors_told(course):  # it answers of the end, however that was
                raise RunnerError(f"the run ended with {'; '.join(told)}")
            return
        patience = config.timeout_s if KEY in config.status else 0.0
        while (said := await self._again(status, course)) not in config.done:
            if said in config.absent and patience > 0:
                patience -= config.poll_s  # a start whose answer was lost may need its time
            elif said not in config.running:
                raise await self._ended_as(said, course)
            await anyio.sleep(config.poll_s)

    async def _ended_as(self, said: str, course: Course) -> RunnerError:
        """What it means that the status is neither running nor done."""
        if told := await self._errors_told(course):
            return RunnerError(f"the run ended with {'; '.join(told)}")
        if said in self.config.stopped:
            return RunnerError(f"the run ended as {said}")
        return OutcomeUnknown(f"{self.config.status} says {said!r}, which is neither running nor done")

    async def _stop(self, attempt: Attempt) -> None:
        """End a trial's run, if that is what the instrument carries out."""
        config, key = self.config, attempt.key

        async def tell(course: Course) -> None:
            if KEY not in config.stop:
                if not config.latest and (course.over.is_set() or not course.start.sent or key not in self._here):
                    raise SubmissionRefused("it is not under way here, and the instrument does not say which run is")
                await self._shows(key, course, 0.0)
            state = await self._ask(config.status.replace(KEY, key), course)
            if state not in config.running:
                raise SubmissionRefused(f"nothing runs: {config.status} says {state}")
            await self._tell(config.stop.replace(KEY, key), course)

        await self.stop_run(attempt, tell, config.stop_timeout_s)
