"""A bare Modbus client against the pymodbus server."""

import struct

import pytest
from pymodbus.client import AsyncModbusTcpClient
from tests.adapters.servers.modbus import DEVICE, SET_POINT, YIELD
from tests.adapters.servers.reactor import yield_at

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def client(modbus):
    async with AsyncModbusTcpClient(modbus.host, port=modbus.port, timeout=20, retries=0) as client:
        yield client


async def test_a_run_gives_its_yield(client, modbus):
    before = modbus.starts()
    await client.write_register(SET_POINT, 640, device_id=DEVICE)
    read = await client.read_holding_registers(YIELD, count=2, device_id=DEVICE)
    (hundredths,) = struct.unpack(">i", struct.pack(">HH", *read.registers))

    assert (hundredths / 100, modbus.starts()) == (yield_at(64.0), before + 1)


async def test_a_temperature_above_the_limit_is_an_illegal_value(client, modbus):
    illegal_value, before = 3, modbus.starts()
    answer = await client.write_register(SET_POINT, 2300, device_id=DEVICE)

    assert (answer.isError(), answer.exception_code, modbus.starts()) == (True, illegal_value, before)
