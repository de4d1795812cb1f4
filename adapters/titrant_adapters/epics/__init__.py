"""EPICS process variables, over Channel Access (aioca) or PV Access (p4p).

::

    [[runners]]
    use = "epics"
    with.protocol = "pva"
    with.prefix = "BL7:REACTOR:"
    with.settings.temperature = { to = "SP", read_back = "SP_RBV", tolerance = 0.1 }
    with.start = "GO"
    with.count = "RUNS"
    with.measure.yield = "YIELD"
    with.safe = { "SP" = 20.0, "GO" = 0 }

Where servers are found is told as ever, by EPICS_CA_ADDR_LIST, EPICS_PVA_NAME_SERVERS and their kin.  EPICS names no
runs: with ``count``, a variable that counts the runs that have ended, a run is found again after a lost line or a
restart; without it, a put that is never answered leaves the trial UNKNOWN.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import anyio

from titrant.errors import OutcomeUnknown
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.epics.config import EpicsConfig
from titrant_adapters.epics.lines import MEANINGS, SEVERITIES, CaLine, EpicsLine, PvaLine, plain, trusted
from titrant_adapters.shape import AdapterRunner, Course, Errors, Session, Setting, Settings

T = TypeVar("T")
Talk = Callable[[EpicsLine], Awaitable[T]]


class EpicsRunner(AdapterRunner[EpicsConfig]):
    """An instrument behind process variables; see ``EpicsConfig``."""

    config_type = EpicsConfig
    errors = Errors(MEANINGS)
    _session: Session[EpicsLine] | None = None

    def __init__(self, config: EpicsConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.can_report_status = bool(self.config.count)
        self.absence_is_proof = self.can_report_status  # said only where no start was recorded

    @property
    def settings(self) -> Settings:
        """How parameters reach the variables."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Find every variable, and ask whether those to be written may be."""
        kind: Any = CaLine if self.config.protocol == "ca" else PvaLine
        self._session = Session(
            kind.open, self._identify, errors=self.errors, deadline_s=self.config.timeout_s, name=self.config.pv("*")
        )
        await self._session.exchange(self.config.find_all, "finding the variables")

    async def _identify(self, line: EpicsLine) -> str:
        await line.get(self.config.pv(self.config.start))  # it answers; EPICS has no word for who does
        return self.config.pv("*")

    async def disconnect(self) -> None:
        """Let the library go."""
        if self._session is not None:
            await self._session.aclose()

    async def look(self) -> AsyncIterator[Finding]:
        """What the settings and measurements are now, and their alarms."""
        looked = {name: str(one.to) for name, one in self.config.settings.items()} | self.config.measure
        for name, pv in looked.items():
            value = await self._get(pv)
            said = f"{name} is {plain(value)!r} ({SEVERITIES[min(value.severity, 3)]})"
            yield Finding("warn", said, "look at the instrument") if value.severity else Finding("ok", said)

    async def make_safe(self) -> None:
        """Put what brings it into its safe state."""
        if self.config.safe and self._session is not None:
            self._session.break_off()
        for name, value in self.config.safe.items():
            await self._put(name, value)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Put, read back, start, await, read."""
        config = self.config

        async def read(setting: Setting) -> float | str:
            return plain(await self._get(setting.read_back, course))

        executed = await self.settings.apply(
            attempt.parameters, lambda setting, value: self._put(setting.to, value, course), read
        )
        if not config.count:
            await course.begin()
            await self._put(config.start, config.start_value, course, config.run_timeout_s)
            return Result(data=await self._measured(course), executed=executed or None)
        before = int(await self._get(config.count, course))
        await course.begin({"count": before})
        with suppress(OutcomeUnknown):  # the count tells what became of it
            await self._talk(self._started, "the start", course, 2 * config.timeout_s)
        return Result(data=await self._counted(before, course), executed=executed or None)

    async def _started(self, line: EpicsLine) -> None:
        """A no comes at once, a yes when the run is over: do not wait for that."""
        with anyio.move_on_after(self.config.timeout_s):
            await line.put(self.config.pv(self.config.start), self.config.start_value)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await and read the run of an earlier process."""
        return Result(data=await self._counted(int((attempt.metadata or {})["count"]), course))

    async def _counted(self, before: int, course: Course) -> dict[str, float]:
        """Look at the count until the run has ended; a line that breaks meanwhile is no end of it."""
        with course.start.within(self.config.run_timeout_s, "the run"):
            while True:
                data = await self._ended_since(before, course)
                if data is not None:
                    return data
                await anyio.sleep(self.config.poll_s)

    async def _ended_since(self, before: int, course: Course) -> dict[str, float] | None:
        try:
            now = int(await self._get(self.config.count, course))
            data = await self._measured(course) if now == before + 1 else None
        except OutcomeUnknown:
            return None
        if now not in (before, before + 1):
            raise OutcomeUnknown(f"{self.config.count} went from {before} to {now}: others use it, or it was restarted")
        return data

    async def _measured(self, course: Course) -> dict[str, float]:
        names, alarm = self.config.measure, self.config.alarm
        return {name: trusted(pv, await self._get(pv, course), alarm) for name, pv in names.items()}

    async def _get(self, name: object, course: Course | None = None) -> Any:
        return await self._talk(lambda line: line.get(self.config.pv(name)), f"reading {name}", course)

    async def _put(self, name: object, value: Any, course: Course | None = None, seconds: float | None = None) -> None:
        await self._talk(lambda line: line.put(self.config.pv(name), value), f"putting {name}", course, seconds)

    async def _talk(self, talk: Talk[T], what: str, course: Course | None = None, seconds: float | None = None) -> T:
        assert self._session is not None, "the runner is not entered"
        return await self._session.exchange(talk, what, course.start if course else None, deadline_s=seconds)
