"""The twin as a Modbus device, driven by pymodbus' client."""

import math
import struct
from contextlib import suppress

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from tests.adapters.twin.wiring import LATE_S, PATIENCE_S, make_lab, opened

pytestmark = pytest.mark.anyio

VOLT, COMMAND, KEY, STATE, POWER = 0, 200, 201, 210, 220


@pytest.fixture
def anyio_backend():
    return "asyncio"  # pymodbus knows no other


class Device:
    def __init__(self, client):
        self.client = client

    async def write(self, address, *words):
        return await self.client.write_registers(address, list(words), device_id=1)

    async def set(self, address, number):
        return await self.write(address, *struct.unpack(">HH", struct.pack(">f", number)))

    async def words(self, address, count):
        return (await self.client.read_holding_registers(address, count=count, device_id=1)).registers

    async def number(self, address):
        return struct.unpack(">f", struct.pack(">HH", *await self.words(address, 2)))[0]


@pytest.fixture
async def door():
    async with opened("modbus") as door:
        yield door


@pytest.fixture
async def connect(door):
    clients = []

    async def connect(timeout=5.0):
        client = AsyncModbusTcpClient("127.0.0.1", port=door.port, timeout=timeout, retries=0, reconnect_delay=0)
        clients.append(client)
        assert await client.connect()
        return Device(client)

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
async def device(connect):
    return await connect()


async def ended(door, connect):
    await door.lab.settled()
    device = await connect()
    return (await device.words(STATE, 6)), await device.number(POWER)


async def test_a_closed_step(door, device, connect):
    await device.set(VOLT, 3.0)
    await device.write(KEY, 7, 9)
    begun = await device.write(COMMAND, 1)

    assert not begun.isError()
    assert await device.number(VOLT) == 3.0
    assert (await device.words(STATE, 1)) == [1]
    assert await ended(door, connect) == ([2, 1, 0, 0, 7, 9], 9.0)


@pytest.mark.parametrize(
    ("address", "words", "code"),
    [
        (VOLT, (0x42C8, 0), 3),  # 100 V
        (VOLT, (0x4000,), 3),  # half a number
        (VOLT + 1, (0, 0), 3),  # the middle of one
        (COMMAND, (9,), 3),
        (STATE, (2,), 2),
        (500, (2,), 2),
    ],
)
async def test_what_cannot_be_written_is_an_exception_response(door, device, address, words, code):
    answer = await device.write(address, *words)

    assert (answer.isError(), answer.exception_code) == (True, code)
    assert await device.number(VOLT) == 1.0


async def test_commands_stop_and_go_back_to_the_beginning():
    async with opened("modbus", make_lab(60.0)) as door:
        client = AsyncModbusTcpClient("127.0.0.1", port=door.port, retries=0)
        await client.connect()
        device = Device(client)
        await device.set(VOLT, 3.0)
        await device.write(COMMAND, 1)
        busy = await device.write(COMMAND, 1)
        await device.write(COMMAND, 2)
        stopped = await device.words(STATE, 1)
        await device.write(COMMAND, 3)

        assert (busy.exception_code, stopped, await device.number(VOLT)) == (6, [4], 1.0)
        client.close()


# The thirteen faults, on the wire


async def test_a_delayed_reply_comes(door, device):
    await door.lab.arm("delay", 0.05)

    assert not (await device.write(COMMAND, 1)).isError()


@pytest.mark.parametrize("fault", ["mute", "half_frame"])
async def test_a_reply_that_does_not_come_is_an_exception_and_the_run_has_begun(door, connect, fault):
    await door.lab.arm(fault)
    with pytest.raises(ModbusException):
        await (await connect(PATIENCE_S)).write(COMMAND, 1)

    assert await door.lab.starts() == 1
    assert await ended(door, connect) == ([2, 1, 0, 0, 0, 0], 1.0)


async def test_a_late_reply_is_not_taken_for_the_next_one(door, connect):
    await door.lab.arm("late_reply", LATE_S)
    device = await connect(PATIENCE_S)
    with pytest.raises(ModbusException):
        await device.write(COMMAND, 1)

    assert await ended(door, connect) == ([2, 1, 0, 0, 0, 0], 1.0)


async def test_a_duplicate_reply_starts_nothing_and_is_told_apart(door, device, connect):
    await door.lab.arm("duplicate")
    await device.write(COMMAND, 1)

    assert await device.number(VOLT) == 1.0
    assert await door.lab.starts() == 1


async def test_a_dropped_line_is_an_exception(door, device, connect):
    await door.lab.arm("drop")
    with pytest.raises(ModbusException):
        await device.write(COMMAND, 1)

    assert (await ended(door, connect))[0][0] == 2
    assert await door.lab.starts() == 1


async def test_a_refusal_is_a_busy_device(door, device):
    await door.lab.arm("refuse")

    assert (await device.write(COMMAND, 1)).exception_code == 6
    assert await door.lab.starts() == 0


async def test_an_alarm_is_a_flag_and_not_a_number(door, device, connect):
    await door.lab.arm("alarm")
    await device.write(COMMAND, 1)

    words, power = await ended(door, connect)
    assert (words[0], words[2], math.isnan(power)) == (2, 1, True)


async def test_the_defined_error_has_its_code(door, device, connect):
    await door.lab.arm("defined_error")
    await device.write(COMMAND, 1)

    assert (await ended(door, connect))[0][:4] == [3, 1, 0, 1]


@pytest.mark.parametrize(("fault", "state"), [("crash_in_run", 5), ("crash_after_done", 2)])
async def test_a_crash_closes_the_line_and_leaves_what_the_device_remembers(door, device, connect, fault, state):
    await door.lab.arm(fault)
    with suppress(ModbusException):  # the crash may come before the reply
        await device.write(COMMAND, 1)
    words, _ = await ended(door, connect)
    with pytest.raises(ModbusException):
        await device.words(STATE, 1)

    assert words[0] == state


async def test_a_drift_shifts_the_values(door, device, connect):
    await door.lab.arm("drift")
    await device.write(COMMAND, 1)

    assert (await ended(door, connect))[1] == pytest.approx(1.1)


async def test_a_stuck_setting_shows_in_the_read_back(door, device):
    await door.lab.arm("stuck")

    assert not (await device.set(VOLT, 3.0)).isError()
    assert await device.number(VOLT) == 1.0
