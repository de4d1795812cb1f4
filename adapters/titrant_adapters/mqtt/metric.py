"""A sensor at an MQTT broker, as a metric."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from titrant.errors import RunnerError
from titrant.ports import Finding
from titrant_adapters.mqtt.broker import ERRORS, Broker
from titrant_adapters.mqtt.messages import SensorConfig
from titrant_adapters.shape import AdapterMetric, Start
from titrant_adapters.shape.documents import NoSuchValueError, at, number


class MqttMetric(AdapterMetric[SensorConfig]):
    """The next reading of a sensor, never one from before; see ``SensorConfig``."""

    config_type = SensorConfig
    errors = ERRORS

    def __init__(self, name: str, config: SensorConfig | None = None, **fields: Any) -> None:
        super().__init__(name, config, **fields)
        self._waiting: list[list[bytes]] = []
        self._broker = Broker(self.config, [self.config.topic], self._hear, retained=False)

    def _hear(self, _topic: str, said: bytes) -> None:
        for readings in self._waiting:
            readings.append(said)

    async def connect(self) -> None:
        """Connect to the broker."""
        await self._broker.connect()

    async def disconnect(self) -> None:
        """Leave the broker."""
        await self._broker.aclose()

    async def read(self, _trial_index: int, _trial_metadata: Mapping[str, Any]) -> float:
        """Await a reading."""
        config, start, readings = self.config, Start(), list[bytes]()
        await self._broker.catch_up(start)
        self._waiting.append(readings)
        try:
            with start.within(config.timeout_s, f"a reading on {config.topic}"):
                if config.ask is not None:
                    await self._broker.publish(config.ask.topic, config.ask.json, start)
                said = await self._broker.until(lambda: readings[0] if readings else None, start)
        finally:
            self._waiting.remove(readings)
        try:
            return number(self.name, at(msgspec.json.decode(said), config.value))
        except (msgspec.DecodeError, NoSuchValueError) as exc:
            raise RunnerError(f"{config.topic} says {said[:100]!r}, which is no reading: {exc}") from exc

    async def look(self) -> AsyncIterator[Finding]:
        """What the sensor tells now."""
        yield Finding("ok", f"{self.config.topic} says {await self.read(0, {})}")
