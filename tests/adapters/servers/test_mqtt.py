"""A bare MQTT client, two brokers, one device."""

import json
from contextlib import asynccontextmanager

import aiomqtt
import anyio
import pytest
from tests.adapters.servers.mqtt import COMMAND, DATA, QOS, STATUS
from tests.adapters.servers.reactor import yield_at

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(params=["mosquitto", "amqtt"])
def device(request):
    return request.getfixturevalue(f"{request.param}_reactor")


@asynccontextmanager
async def client(device, *topics):
    with anyio.fail_after(20):
        async with aiomqtt.Client(device.host, device.broker.port) as connected:
            for topic in topics:
                await connected.subscribe(topic, qos=QOS)
            yield connected


async def ask(device, key, temperature):
    async with client(device, DATA) as line:
        await line.publish(COMMAND, json.dumps({"id": key, "temperature": temperature}), qos=QOS)
        told = {}
        while told.get("id") != key:
            told = json.loads((await anext(line.messages)).payload)
        return told


async def test_a_run_gives_its_yield(device):
    before = device.starts()

    assert await ask(device, "run 1", 64.0) == {"id": "run 1", "yield": yield_at(64.0)}
    assert device.starts() == before + 1


async def test_a_run_above_the_limit_ends_with_an_error(device):
    assert await ask(device, "run 2", 230.0) == {"id": "run 2", "error": "230.0 degrees are too hot"}


async def test_a_dead_device_leaves_its_last_will(device):
    try:
        async with client(device, STATUS) as line:
            device.stop()
            while (await anext(line.messages)).payload != b"offline":
                pass
    finally:
        device.broker.stop()  # amqtt 0.12 passes nothing on any more once a client died
        device.broker.start()
        device.start()
