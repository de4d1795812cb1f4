"""What a trial is on a Modbus device; see the package."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import anyio

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.modbus.config import ModbusConfig, Write
from titrant_adapters.modbus.line import ERRORS
from titrant_adapters.modbus.registers import Registers
from titrant_adapters.modbus.words import Address
from titrant_adapters.shape import AdapterRunner, Course, Settings


class ModbusRunner(AdapterRunner[ModbusConfig]):
    """A Modbus TCP device; see ``ModbusConfig``."""

    config_type = ModbusConfig
    errors = ERRORS

    def __init__(self, config: ModbusConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.can_report_status = self.config.key is not None
        self.absence_is_proof = self.can_report_status  # said only where no start was recorded
        if self.config.stop is not None:
            self.stop = self._stop  # where the device cannot stop a run, there must be no such method

    @property
    def settings(self) -> Settings:
        """How parameters reach the device."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Connect, and read all that is ever going to be read."""
        self.registers = Registers(self.config)
        await self.registers.look_over()

    async def disconnect(self) -> None:
        """Close the connection."""
        if hasattr(self, "registers"):
            await self.registers.session.aclose()

    async def look(self) -> AsyncIterator[Finding]:
        """The state it is in."""
        state = await self.registers.get(self.config.status)
        yield Finding("ok", f"{self.registers.name} answers, its state is {state:g}")

    async def make_safe(self) -> None:
        """Write what brings it into its safe state."""
        if self.config.safe:
            self.registers.session.break_off()
        for write in self.config.safe:
            await self.registers.put(write)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Set, read back, write the key, start, await, read."""
        executed = await self.settings.apply(
            attempt.parameters,
            lambda one, value: self.registers.put(Write(one.to, value), course),
            lambda one: self.registers.get(one.read_back, course),
        )
        if self.config.key is None:
            await course.begin()
            await self.registers.put(self.config.start, course)
            return await self._ended(course, None, executed)
        key = Address.read(self.config.key).name_for(attempt.key)
        await self.registers.put(Write(self.config.key, key), course)
        await course.begin({"key": key})
        with suppress(OutcomeUnknown):  # whether it runs can be seen by the key
            await self.registers.put(self.config.start, course)
        return await self._ended(course, key, executed)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await and read the run that was started with the recorded key, if it is still the latest."""
        return await self._ended(course, (attempt.metadata or {}).get("key"), {})

    async def _stop(self, attempt: Attempt) -> None:
        """End a trial's run, if that is what the device carries out."""

        async def tell(course: Course) -> None:
            key, registers, stop = course.names.get("key"), self.registers, self.config.stop
            if key is None and (course.over.is_set() or not course.start.sent or attempt.key not in self._here):
                raise SubmissionRefused("it is not under way here, and the device's runs have no names")
            if key is not None and (latest := await registers.get(self.config.key_of_run, course)) != key:
                raise SubmissionRefused(f"the latest run of {registers.name} has the key {latest:g}, not {key}")
            if (state := await registers.get(self.config.status, course)) not in self.config.running:
                raise SubmissionRefused(f"the state of {registers.name} is {state:g}: nothing runs")
            assert stop is not None
            await registers.put(stop, course)

        await self.stop_run(attempt, tell, self.config.stop_timeout_s)

    async def _ended(self, course: Course, key: int | None, executed: dict[str, Any]) -> Result:
        """Await the end by the state, and read the values; a broken line is no end."""
        config, again = self.config, self.registers.again
        with course.start.within(config.run_timeout_s, "the run"):
            await self._shows(key, course, config.timeout_s)
            while (state := await again(config.status, course)) not in config.done:
                if state not in config.running:
                    error = "" if config.error is None else f", error {await again(config.error, course):g}"
                    kind = RunnerError if state in config.failed else OutcomeUnknown
                    raise kind(f"the run ended in state {state:g}{error}")
                await anyio.sleep(config.poll_s)
            if config.quality is not None and (quality := await again(config.quality, course)):
                raise RunnerError(f"the values are of bad quality ({quality:g})")
            data = {name: one.of(await again(one.at, course)) for name, one in config.readings().items()}
            await self._shows(key, course, 0.0)  # or the state and the values may be another's
        return Result(data=data, executed=executed or None)

    async def _shows(self, key: int | None, course: Course, seconds: float) -> None:
        """Make sure that the device's latest run is ours; a start whose answer was lost may need its time."""
        while key is not None and (latest := await self.registers.again(self.config.key_of_run, course)) != key:
            if seconds <= 0:
                raise OutcomeUnknown(f"the latest run of {self.registers.name} has the key {latest:g}, not {key}")
            seconds -= self.config.poll_s
            await anyio.sleep(self.config.poll_s)
