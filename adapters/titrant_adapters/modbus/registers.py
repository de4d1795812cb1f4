"""The registers of a device, read and written one exchange at a time."""

from __future__ import annotations

import anyio

from titrant.errors import ConfigurationError, OutcomeUnknown
from titrant_adapters.modbus.config import ModbusConfig, Write
from titrant_adapters.modbus.line import ERRORS, ModbusLine, No
from titrant_adapters.modbus.words import Address
from titrant_adapters.shape import Course, Session

Place = str | int | None
"""An address as a person writes it; None only where the configuration says that nobody asks for it."""


class Registers:
    """All that is said to a device.

    Attributes:
        name: Where the device is, for messages.
        session: The connection.
    """

    def __init__(self, config: ModbusConfig) -> None:
        self.name = f"{config.host}:{config.port}, device {config.device}"
        self._config = config
        self.session = Session(
            lambda: ModbusLine.open(config),
            self._identify,
            errors=ERRORS,
            deadline_s=config.timeout_s,
            name=self.name,
        )

    async def look_over(self) -> None:
        """Read all that is ever going to be read.

        Raises:
            ConfigurationError: The device has no such address.
        """
        for field, place in self._config.addresses():
            answer = await self._ask(place, None)
            if isinstance(answer, No) and not answer.there:
                raise ConfigurationError(f"{field} is {place!r}: {answer.error(f'reading it from {self.name}')}")

    async def get(self, place: Place, course: Course | None = None) -> float:
        """Read a number.

        Raises:
            RunnerError: The device says no.
        """
        answer = await self._ask(place, course)
        if isinstance(answer, No):
            raise answer.error(f"reading {place}")
        return answer

    async def again(self, place: Place, course: Course) -> float:
        """Read until there is an answer; whoever calls bounds the wait."""
        while True:
            try:
                return await self.get(place, course)
            except OutcomeUnknown:
                await anyio.sleep(self._config.poll_s)

    async def put(self, write: Write, course: Course | None = None) -> None:
        """Write a number.

        Raises:
            RunnerError: The device says no.
        """
        address, start = Address.read(write.at), None if course is None else course.start
        words = address.words(write.value, low_first=self._config.low_word_first)
        no = await self.session.exchange(lambda line: line.put(address, words), f"writing {write.at}", start)
        if no is not None:
            raise no.error(f"writing {write.value} to {write.at}")

    async def _ask(self, place: Place, course: Course | None) -> float | No:
        address, start = Address.read(str(place)), None if course is None else course.start
        return await self.session.exchange(lambda line: line.get(address), f"reading {place}", start)

    async def _identify(self, line: ModbusLine) -> str:
        """Modbus knows no names: whoever answers there is it."""
        await line.get(Address.read(self._config.status))
        return self.name
