"""A bare OPC UA client against the asyncua server with the real LADS node sets."""

import pytest
from asyncua import Client, ua
from tests.adapters.servers.opcua import LADS, NAMESPACE
from tests.adapters.servers.reactor import yield_at

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def client(opcua):
    async with Client(f"opc.tcp://{opcua.host}:{opcua.port}") as client:
        yield client


@pytest.fixture
async def run(client):
    index = await client.get_namespace_index(NAMESPACE)
    reactor = await client.nodes.objects.get_child(f"{index}:Reactor")

    async def at(temperature):
        await (await reactor.get_child(f"{index}:SetPoint")).write_value(temperature)
        return await reactor.call_method(f"{index}:Run")

    at.temperature = await reactor.get_child(f"{index}:Temperature")
    return at


async def test_a_run_gives_its_yield(run, opcua):
    before = opcua.starts()

    assert (await run(64.0), opcua.starts()) == (yield_at(64.0), before + 1)


async def test_a_run_above_the_limit_fails_and_leaves_a_bad_reading(run):
    with pytest.raises(ua.uaerrors.BadDeviceFailure):
        await run(230.0)
    with pytest.raises(ua.uaerrors.BadSensorFailure):
        await run.temperature.read_value()


async def test_the_device_has_the_components_of_the_lads_specification(client):
    lads = await client.get_namespace_index(LADS)
    di = await client.get_namespace_index("http://opcfoundation.org/UA/DI/")
    own = await client.get_namespace_index(NAMESPACE)
    device = await client.nodes.objects.get_child([f"{di}:DeviceSet", f"{own}:LabReactor"])
    names = {
        (name.NamespaceIndex, name.Name) for name in [await n.read_browse_name() for n in await device.get_children()]
    }

    assert {(lads, "FunctionalUnitSet"), (lads, "DeviceState"), (di, "SerialNumber")} <= names
