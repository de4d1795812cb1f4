"""A connection to a Modbus device, and what its exception responses mean."""

from __future__ import annotations

from typing import Any

import msgspec

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant_adapters.modbus.config import ModbusConfig
from titrant_adapters.modbus.words import Address
from titrant_adapters.shape import Errors, library

EARLIER = 0.9
"""The library's own deadline as a share of ours, so that what ends first says what it waited for."""

ERRORS = Errors(
    {
        "pymodbus.exceptions.ModbusException": "unknown",
        "pymodbus.exceptions.ModbusIOException": "unknown",  # no answer, or one to another question
        "pymodbus.exceptions.ConnectionException": "unknown",
        "pymodbus.exceptions.NoSuchIdException": "unknown",
        "pymodbus.exceptions.ParameterException": "misconfigured",
        "pymodbus.exceptions.NotImplementedException": "misconfigured",
        "pymodbus.exceptions.MessageRegisterException": "misconfigured",
    }
)

ACKNOWLEDGED = 5
"""An exception response by its form, and yet a yes: the device has taken the request and needs its time."""

RESPONSES: dict[int, tuple[type[RunnerError], str]] = {
    1: (RunnerError, "it has no such function"),
    2: (RunnerError, "it has no such address"),
    3: (RunnerError, "it does not take this value"),
    4: (OutcomeUnknown, "it failed while it tried"),
    6: (SubmissionRefused, "it is busy"),
    8: (RunnerError, "its memory is faulty"),
    10: (SubmissionRefused, "the gateway has no way to it"),
    11: (OutcomeUnknown, "the device behind the gateway does not answer"),
}


class No(msgspec.Struct, frozen=True):
    """An exception response: a sound answer, after which the line is as good as before.

    Attributes:
        code: Its code.
    """

    code: int

    @property
    def there(self) -> bool:
        """Whether there is such an address at all."""
        return self.code not in (1, 2)

    def error(self, what: str) -> RunnerError:
        """What it means for a run."""
        kind, said = RESPONSES.get(self.code, (OutcomeUnknown, "nobody knows what that is"))
        return kind(f"{what} was answered with exception {self.code}: {said}")


class ModbusLine:
    """One connection of pymodbus that neither retries nor reconnects; make it with ``open``."""

    def __init__(self, client: Any, config: ModbusConfig) -> None:
        self._client, self._config = client, config

    @classmethod
    async def open(cls, config: ModbusConfig) -> ModbusLine:
        """Connect.

        Raises:
            OSError: Nobody listens there.
        """
        client = library("pymodbus.client", "modbus").AsyncModbusTcpClient(
            config.host, port=config.port, timeout=EARLIER * config.timeout_s, retries=0, reconnect_delay=0
        )
        if not await client.connect():
            client.close()
            raise OSError(f"{config.host}:{config.port} does not take connections")
        return cls(client, config)

    async def get(self, address: Address) -> float | No:
        """The number at an address, or the device's no."""
        read = {
            "holding": self._client.read_holding_registers,
            "input": self._client.read_input_registers,
            "coil": self._client.read_coils,
            "discrete": self._client.read_discrete_inputs,
        }[address.table]
        answer = await read(address.number, count=address.count, device_id=self._config.device)
        if answer.isError():
            return No(answer.exception_code)
        if address.bit:
            return int(answer.bits[0])
        return address.number_of(answer.registers, low_first=self._config.low_word_first)

    async def put(self, address: Address, words: list[int]) -> No | None:
        """Write registers, or a bit; gives the device's no, if it says so."""
        device, at = self._config.device, address.number
        if address.bit:
            answer = await self._client.write_coil(at, bool(words[0]), device_id=device)
        elif len(words) == 1:
            answer = await self._client.write_register(at, words[0], device_id=device)
        else:
            answer = await self._client.write_registers(at, words, device_id=device)
        return No(answer.exception_code) if answer.isError() and answer.exception_code != ACKNOWLEDGED else None

    def stale(self) -> bool:
        """Whether the other side has closed it; answers bear the number of their question, and others are dropped."""
        return not self._client.connected

    async def aclose(self) -> None:
        """Close it."""
        self._client.close()
