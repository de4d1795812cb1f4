"""What a trial is on an OPC UA device; see the package."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import anyio

from titrant.errors import OutcomeUnknown, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.opcua import runs
from titrant_adapters.opcua.config import OpcUaConfig, Sent
from titrant_adapters.opcua.line import OpcUaLine
from titrant_adapters.opcua.opening import opened
from titrant_adapters.opcua.words import MEANINGS
from titrant_adapters.shape import AdapterRunner, Course, Errors, Session, Settings, library

T = TypeVar("T")


class OpcUaRunner(AdapterRunner[OpcUaConfig]):
    """One unit of an OPC UA device; see ``OpcUaConfig``."""

    config_type = OpcUaConfig
    errors = Errors(MEANINGS)
    can_report_status = True
    absence_is_proof = True  # said only where no start was recorded: what a device does not show may still have run
    _session: Session[OpcUaLine] | None = None

    def __init__(self, config: OpcUaConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        if self.config.stop:
            self.stop = self._stop  # where the device cannot stop a run, there must be no such method

    @property
    def settings(self) -> Settings:
        """How parameters reach the device."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Connect, log in, and make sure that all that is named is there and allowed."""
        asyncua, config = library("asyncua", "opcua"), self.config
        self._session = Session(
            lambda: opened(asyncua, config),
            OpcUaLine.identity,
            errors=self.errors,
            deadline_s=config.timeout_s,
            name=config.url,
        )
        await self._session.exchange(self.config.find_all, "looking for the nodes", deadline_s=10 * config.timeout_s)

    async def disconnect(self) -> None:
        """Close session and connection."""
        if self._session is not None:
            await self._session.aclose()

    async def _talk(self, talk: Callable[[OpcUaLine], Awaitable[T]], what: object, course: Course | None = None) -> T:
        assert self._session is not None, "the runner is not entered"
        return await self._session.exchange(talk, str(what), course.start if course else None)

    async def look(self) -> AsyncIterator[Finding]:
        """Who answers, and what the settings are now."""
        yield Finding("ok", f"{self.config.url} is {await self._talk(OpcUaLine.identity, 'asking who it is')}")
        if self.config.user and self.config.security is None:
            yield Finding("warn", "the password goes over the line as it is", "give `security`, as the server has it")
        for name, setting in self.config.settings.items():
            value = await self._talk(partial(OpcUaLine.read, path=self.config.at(setting.to)), f"reading {name}")
            yield Finding("ok", f"{name} is at {value!r}")

    async def make_safe(self) -> None:
        """Call and write what brings it into its safe state."""
        if self.config.safe and self._session is not None:
            self._session.break_off()
        for path, value in self.config.safe.items():
            await self._talk(partial(self._make_safe, path=self.config.at(path), value=value), f"{path}, to be safe")

    async def _make_safe(self, line: OpcUaLine, path: str, value: Sent) -> None:
        if isinstance(value, list):
            await line.call(path, value)
        else:
            await line.write(path, value)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Set, read back, start, await the state, read."""
        executed = await self.settings.apply(
            attempt.parameters,
            lambda setting, value: self._talk(
                lambda line: line.write(self.config.at(setting.to), value), setting.to, course
            ),
            lambda one: self._talk(lambda line: line.read(self.config.at(one.read_back)), one.read_back, course),
        )
        values = self.config.filled(attempt.key)
        await course.begin({"job": attempt.key})
        with suppress(OutcomeUnknown):  # the device knows what became of it
            await self._talk(lambda line: line.call(self.config.at(self.config.start), values), "the start", course)
        return Result(data=await self._results(attempt.key, course), executed=executed or None)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await and read the run of an earlier process."""
        return Result(data=await self._results(str((attempt.metadata or {})["job"]), course))

    async def _stop(self, attempt: Attempt) -> None:
        """End a trial's run, if that is what the unit carries out."""
        job, config = attempt.key, self.config

        async def tell(course: Course) -> None:
            if why := await self._talk(partial(runs.stop, config=config, job=job), "the stop", course):
                raise SubmissionRefused(why)

        await self.stop_run(attempt, tell, config.stop_timeout_s)

    async def _results(self, job: str, course: Course) -> dict[str, float]:
        """Look at the state until the run is over; a line that breaks meanwhile is no end of it."""
        with course.start.within(self.config.run_timeout_s, f"the run {job}"):
            while True:
                try:
                    data = await self._talk(
                        partial(runs.data_of, config=self.config, job=job), "looking at the run", course
                    )
                except (
                    OutcomeUnknown,
                    SubmissionRefused,
                ):  # a full server refuses the line; it was started all the same
                    data = None
                if data is not None:
                    return data
                await anyio.sleep(self.config.poll_s)
