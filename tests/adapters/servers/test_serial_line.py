"""A bare client of a serial line against the reactor at the other end."""

import anyio
import pytest
import serialx
from tests.adapters.servers.reactor import yield_at
from tests.adapters.servers.serial_line import END

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def ask(serial_reactor):
    reader, writer = await serialx.open_serial_connection(serial_reactor.path, baudrate=9600)

    async def exchange(request, seconds=20.0):
        writer.write(request.encode() + END)
        with anyio.fail_after(seconds):
            return (await reader.readuntil(END)).rstrip(END).decode()

    yield exchange
    writer.close()


async def test_a_run_gives_its_yield(ask, serial_reactor):
    assert await ask("RUN 64.0") == f"OK {yield_at(64.0):.3f}"
    assert serial_reactor.runs == [64.0]


async def test_a_run_above_the_limit_is_answered_with_an_error(ask):
    assert await ask("RUN 230.0") == "ERR too hot"


async def test_half_an_answer_is_glued_to_the_next(ask, serial_reactor):
    serial_reactor.fault = "half"
    with pytest.raises(TimeoutError):
        await ask("ID", seconds=0.2)

    assert await ask("ID") == "REACTREACTOR 1"


async def test_a_pulled_cable_is_an_error_at_once(ask, serial_reactor):
    serial_reactor.unplug()

    with pytest.raises((OSError, EOFError)):
        await ask("ID")
