"""What a trial is for a driver of pymeasure; see the package."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.pymeasure import driving
from titrant_adapters.pymeasure.config import PymeasureConfig
from titrant_adapters.shape import AdapterRunner, Blocking, Course, Session, Settings, library
from titrant_adapters.shape.visa import checked_visa, discard_unasked, patience


class PymeasureRunner(AdapterRunner[PymeasureConfig]):
    """An instrument behind a driver of pymeasure; see ``PymeasureConfig``."""

    config_type = PymeasureConfig
    errors = driving.ERRORS
    _from_before: list[Any]

    @property
    def settings(self) -> Settings:
        """How parameters reach the instrument."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Load the driver, open the resource and ask who answers."""
        config = self.config
        library("pymeasure.instruments", "visa")
        checked_visa(config.resource, config.library)
        driver = driving.named(config.driver)
        self.session = Session(
            lambda: driving.opened(driver, config),
            self._identify,
            errors=self.errors,
            deadline_s=config.timeout_s,
            name=config.resource,
        )
        await self.session.exchange(self._identify, "asking who it is")
        self._from_before = await self._ask(self._errors, "asking for errors")

    async def disconnect(self) -> None:
        """Close the resource."""
        if hasattr(self, "session"):
            await self.session.aclose()

    async def look(self) -> AsyncIterator[Finding]:
        """Who answers, and whether it tells of errors."""
        yield Finding("ok", f"{self.config.resource} is {self.session.identity}")
        if self._from_before:
            yield Finding("warn", f"the instrument told of errors: {self._from_before}", "see what that was")

    async def make_safe(self) -> None:
        """Carry out the steps into its safe state."""
        if self.config.safe:
            self.session.break_off()
            await self._do(lambda driver: driving.do(driver, self.config.safe), "safe state")

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Set, read back, start, await, measure."""
        config = self.config
        executed = await self.settings.apply(
            attempt.parameters,
            lambda one, value: self._do(lambda driver: driving.assign(driver, str(one.to), value), f"setting {one.to}"),
            lambda one: self._ask(lambda driver: driving.read(driver, str(one.read_back)), f"reading {one.read_back}"),
        )
        await course.begin()
        whole = config.run_timeout_s
        await self._do(
            lambda driver: driving.do(driver, config.start), "starting", course, None if config.status else whole
        )
        with course.start.within(whole, "the run"):
            while config.status and (said := str(await self._again(config.status, course))) not in config.done:
                if said not in config.running:
                    raise await self._ended_otherwise(said, course)
                await anyio.sleep(config.poll_s)
            data = {metric: driving.number(await self._again(name, course)) for metric, name in config.measure.items()}
            if errors := await self._answered(self._errors, "asking for errors", course):
                raise RunnerError(f"the run ended with {errors}")
        return Result(data=data, executed=executed or None)

    async def _ended_otherwise(self, said: str, course: Course) -> RunnerError:
        errors = await self._ask(self._errors, "asking for errors", course)
        if errors:
            return RunnerError(f"the run ended with {errors}")
        return OutcomeUnknown(f"{self.config.status} is {said!r}, which is neither running nor done")

    async def _again(self, name: str, course: Course) -> Any:
        """Read until there is an answer; whoever calls bounds the wait."""
        return await self._answered(lambda driver: driving.read(driver, name), f"reading {name}", course)

    async def _answered(self, work: Callable[[Any], Any], what: str, course: Course) -> Any:
        """Ask until there is an answer; whoever calls bounds the wait."""
        while True:
            try:
                return await self._ask(work, what, course)
            except OutcomeUnknown:
                await anyio.sleep(self.config.poll_s)

    async def _do(
        self, work: Callable[[Any], None], what: str, course: Course | None = None, seconds: float | None = None
    ) -> None:
        """Do something, and ask whether the instrument could."""
        kept_back = await self._ask(lambda driver: driving.kept_back(driver, work), what, course, seconds)
        if kept_back is not None:
            raise RunnerError(f"{what}: {kept_back}") from kept_back
        if said := await self._ask(self._errors, f"{what}: asking for errors", course, seconds):
            kind = SubmissionRefused if driving.refused(said) else RunnerError
            raise kind(f"{what} was answered with {said}")

    async def _ask(
        self, work: Callable[[Any], Any], what: str, course: Course | None = None, seconds: float | None = None
    ) -> Any:
        def ask(driver: Any) -> Any:
            discard_unasked(driver.adapter.connection)
            driver.adapter.connection.timeout = patience(seconds or self.config.timeout_s)
            return work(driver)

        start = None if course is None else course.start
        return await self.session.exchange(lambda line: line.call(ask), what, start, deadline_s=seconds)

    def _errors(self, driver: Any) -> list[Any]:
        return driving.errors_of(driver, self.config.error)

    async def _identify(self, line: Blocking[Any]) -> str:
        said = str(await line.call(lambda driver: driving.read(driver, self.config.who or "name")))
        return driving.recognised(said, self.config)
