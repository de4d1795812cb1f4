"""A bare SiLA client against the UniteLabs server and an independent one."""

import pytest
from sila.client import Client, ClientConfig
from tests.adapters.servers.reactor import yield_at

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(params=["sila", "sila_independent"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
async def reactor(server):
    async with Client(ClientConfig(hostname=server.host, port=server.port, tls=False)) as client:
        yield client.Reactor


async def result(execution):
    async for _ in await execution.subscribe_status():
        pass
    return await execution.get_responses()


async def test_a_run_gives_its_yield(reactor, server):
    before = server.starts()
    answer = await result(await reactor.RunReaction(Temperature=64.0))

    assert (answer.Yield, server.starts()) == (yield_at(64.0), before + 1)


async def test_a_run_above_the_limit_ends_with_the_declared_error(reactor):
    execution = await reactor.RunReaction(Temperature=230.0)

    with pytest.raises(Exception, match=r"230\.0 degrees") as caught:
        await result(execution)
    assert type(caught.value).__name__ == "TooHotError"
