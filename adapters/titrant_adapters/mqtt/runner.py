"""What a trial is for a device at an MQTT broker; see the package."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from titrant.errors import OutcomeUnknown, RunnerError
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.mqtt.broker import ERRORS
from titrant_adapters.mqtt.config import MqttConfig
from titrant_adapters.mqtt.device import Device
from titrant_adapters.mqtt.heard import text
from titrant_adapters.shape import AdapterRunner, Course, Setting, Settings, Start
from titrant_adapters.shape.documents import NoSuchValueError, at, measured


class MqttRunner(AdapterRunner[MqttConfig]):
    """A device that takes commands and tells results, told apart by the run's key; see ``MqttConfig``."""

    config_type = MqttConfig
    errors = ERRORS

    def __init__(self, config: MqttConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.capacity = self.config.places
        self.can_report_status = self.config.status is not None
        self.absence_is_proof = self.config.absence_is_proof
        self._device = Device(self.config)
        if self.config.stop is not None:
            self.stop = self._stop  # where the device cannot stop a run, there must be no such method

    @property
    def settings(self) -> Settings:
        """How parameters reach the device."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Connect to the broker, and see that the device is there."""
        await self._device.broker.connect()
        await self._device.there(Start())

    async def disconnect(self) -> None:
        """Leave the broker."""
        await self._device.broker.aclose()

    async def make_safe(self) -> None:
        """Send what brings it into its safe state."""
        for message in self.config.safe:
            await self._device.send(message, Start())

    async def look(self) -> AsyncIterator[Finding]:
        """Whether the device is there."""
        topic, presence = self.config.presence, self._device.heard.presence
        said = f"says {presence} on {topic}" if topic else "has no topic for its presence"
        yield Finding("ok", f"{self._device.broker.name} answers; the device {said}")

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Send the command under the attempt's key, and await the result that bears it."""
        device, key = self._device, attempt.key
        values = {name: value for name, (_, value) in self.settings.outward(attempt.parameters).items()}
        await device.there(course.start)
        await course.begin({"key": key})
        with device.heard.listening(key), course.start.within(self.config.run_timeout_s, "the run"):
            try:
                await device.send(self.config.command, course.start, **values, key=key, trial=attempt.trial)
            except OutcomeUnknown:
                if self.config.status is None:  # nobody could be asked whether it arrived
                    raise
            return await self._read(await device.result(key, course.start, ask=False), attempt)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Ask what became of the key, and await the result if it goes on."""
        with self._device.heard.listening(attempt.key), course.start.within(self.config.run_timeout_s, "the run"):
            return await self._read(await self._device.result(attempt.key, course.start, ask=True), attempt)

    async def _stop(self, attempt: Attempt) -> None:
        """Send the message that ends a trial's run, and no other."""
        message = self.config.stop
        assert message is not None

        async def tell(_course: Course) -> None:
            await self._device.stop(attempt.key, Start(sent=True), message)

        await self.stop_run(attempt, tell, self.config.stop_timeout_s)

    async def _read(self, result: Any, attempt: Attempt) -> Result:
        config = self.config
        why, state = text(result, config.reason), text(result, config.state)
        if why or (state and state not in config.done):
            raise RunnerError(why or f"the run ended {state}")

        async def sent(_setting: Setting, _value: Any) -> None:
            """It went with the command."""

        async def carried_out(setting: Setting) -> Any:
            try:
                return at(result, str(setting.read_back))
            except NoSuchValueError as exc:
                raise RunnerError(f"the result does not say what was carried out: {exc}") from exc

        executed = await self.settings.apply(attempt.parameters, sent, carried_out)
        return Result(data=measured(result, config.measure), executed=executed or None)
