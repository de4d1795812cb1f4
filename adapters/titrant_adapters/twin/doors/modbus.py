"""The lab twin as a Modbus TCP device; numbers are 32-bit floats in two registers, high word first.

==================  ========================================================================================
0 + 2 i             what input i is set to; a text is the number of its choice (read, write)
100 + 2 i           where input i really is
200                 command: 1 start, 2 stop, 3 safe state (write); a start that is refused answers "busy"
201, 202            a number of the caller's own for the next start, to find it again (read, write)
210                 state of the latest run: 0 none, 1 running, 2 done, 3 failed, 4 stopped, 5 lost
211                 its number
212                 1 where its values are of bad quality
213                 its error: 0 none, 1 the defined error, 2 another
214, 215            the caller's number that it was started with
220 + 2 j           what was measured as output j; not a number while there is none
==================  ========================================================================================
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from titrant_adapters.twin.answers import OutOfRange, Refused, Unknown
from titrant_adapters.twin.behaviour import DEFINED_ERROR
from titrant_adapters.twin.doors.base import LOOPBACK, Door, need
from titrant_adapters.twin.doors.registers import ACTUAL, COMMAND, END, KEY, KEY_OF_RUN, MEASURED, SET, STATE, exchange
from titrant_adapters.twin.doors.words import number_of, whole_of, words_of
from titrant_adapters.twin.ledger import Value

if TYPE_CHECKING:
    from pymodbus.constants import ExcCodes

STATES = {"none": 0, "running": 1, "done": 2, "failed": 3, "stopped": 4, "lost": 5}
START, STOP, SAFE_STATE = 1, 2, 3
DEVICE = 1


class ModbusDoor(Door):
    """Registers that are made anew from the lab whenever they are read."""

    protocol = "modbus"
    framed = False  # frames bear the number of their request: what follows a lost one can be told apart

    @property
    def address(self) -> str:
        """Host, port and device."""
        return f"modbus-tcp://{LOOPBACK}:{self.port}, device {DEVICE}"

    def how_to(self) -> str:
        """The registers, in short."""
        inputs = ", ".join(f"{SET + 2 * i} {name}" for i, name in enumerate(self.lab.settings.inputs))
        outputs = ", ".join(f"{MEASURED + 2 * j} {one.name}" for j, one in enumerate(self.lab.physics.outputs))
        return (
            f"holding registers (32-bit floats): set {inputs}; measured {outputs}; write 1 to {COMMAND} to start, "
            f"read {STATE} until it is no longer 1 (2 is done)"
        )

    @asynccontextmanager
    async def behind(self) -> AsyncIterator[int]:
        """Serve the registers by pymodbus."""
        server, simulator = need("pymodbus.server"), need("pymodbus.simulator")
        registers = simulator.SimData(0, values=[0] * END, datatype=simulator.DataType.REGISTERS)
        codes, key = need("pymodbus.constants").ExcCodes, [0, 0]

        async def action(
            _function: int, _first: int, address: int, count: int, registers: list[int], values: list[int] | None
        ) -> ExcCodes | None:
            if values is not None:
                refused = self._written(codes, address, list(values), key)
                if refused is not None:
                    return refused
                self.about_to_reply("start" if address == COMMAND and values[0] == START else "set")
            registers[:] = self._registers(key)
            if values is not None:
                values[:] = registers[address : address + count]  # what was written is not what is kept
            else:
                self.about_to_reply(exchange(address))
            return None

        listening = server.ModbusTcpServer(
            simulator.SimDevice(DEVICE, simdata=[registers], action=action), address=(LOOPBACK, 0)
        )
        await listening.listen()
        try:
            port: int = listening.transport.sockets[0].getsockname()[1]
            yield port
        finally:
            await listening.shutdown()

    def _written(
        self, codes: type[ExcCodes] | ModuleType, address: int, values: list[int], key: list[int]
    ) -> ExcCodes | None:
        try:
            if SET <= address < SET + 2 * len(self.lab.settings.inputs):
                self._set(address, values)
            elif address == COMMAND:
                self._command(values[0], key)
            elif address == KEY and len(values) == 2:
                key[:] = values
            else:
                return codes.ILLEGAL_ADDRESS
        except (OutOfRange, ValueError, IndexError):
            return codes.ILLEGAL_VALUE
        except (Refused, Unknown):
            return codes.DEVICE_BUSY
        return None

    def _set(self, address: int, values: list[int]) -> None:
        if address % 2 or len(values) % 2:
            raise ValueError("half a number")
        names = list(self.lab.settings.inputs)[address // 2 :]
        numbers = [number_of(*values[at : at + 2]) for at in range(0, len(values), 2)]
        for name, number in zip(names[: len(numbers)], numbers, strict=True):
            choices = self.lab.settings.inputs[name].choices
            self.lab.settings.set(name, choices[int(number)] if choices else number)

    def _command(self, command: int, key: list[int]) -> None:
        if command == START:
            self.started(self.lab.start(str(whole_of(key))))
        elif command == STOP:
            for number in self.lab.runs.under_way():
                self.lab.runs.stop(number)
        elif command == SAFE_STATE:
            self.lab.safe_state()
        else:
            raise ValueError("there is no such command")

    def _registers(self, key: list[int]) -> list[int]:
        kept = [0] * END
        for first, settings in ((SET, self.lab.settings.points), (ACTUAL, self.lab.settings.actual())):
            for i, (name, value) in enumerate(settings.items()):
                kept[first + 2 * i : first + 2 * i + 2] = words_of(self._as_number(name, value))
        kept[KEY : KEY + 2] = key
        run = self.lab.latest()
        if run is not None:
            error = 0 if not run.reason else 1 if run.reason == DEFINED_ERROR else 2
            kept[STATE : STATE + 4] = STATES[run.state], run.number, int(run.quality == "bad"), error
            kept[KEY_OF_RUN : KEY_OF_RUN + 2] = divmod(int(run.key or 0), 1 << 16)
        for j, one in enumerate(self.lab.physics.outputs):
            value = run.values.get(one.name, math.nan) if run is not None else math.nan
            kept[MEASURED + 2 * j : MEASURED + 2 * j + 2] = words_of(value)
        return kept

    def _as_number(self, name: str, value: Value) -> float:
        return float(self.lab.settings.inputs[name].choices.index(value) if isinstance(value, str) else value)
