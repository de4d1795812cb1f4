"""Bare EPICS clients, one for each of the two protocols."""

import aioca
import pytest
from p4p.client.asyncio import Context
from p4p.client.thread import RemoteError
from tests.adapters.servers.epics_pva import client_settings
from tests.adapters.servers.reactor import yield_at

pytestmark = pytest.mark.anyio
SECONDS = 20.0


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def run(epics_ca):
    async def at(temperature):
        await aioca.caput("REACTOR:SP", temperature, wait=True, timeout=SECONDS)
        await aioca.caput("REACTOR:GO", 1, wait=True, timeout=SECONDS)
        return await aioca.caget("REACTOR:YIELD", format=aioca.FORMAT_TIME, timeout=SECONDS)

    yield at
    aioca.purge_channel_caches()


async def test_a_run_over_channel_access_gives_its_yield(run, epics_ca):
    before = epics_ca.starts()
    reading = await run(64.0)

    assert (reading, reading.severity, epics_ca.starts()) == (yield_at(64.0), 0, before + 1)


async def test_a_run_above_the_limit_raises_an_alarm(run):
    major = 2

    assert (await run(230.0)).severity == major


@pytest.fixture
def pva(epics_pva):
    with Context("pva", conf=client_settings(epics_pva.port), useenv=False) as context:
        yield context


async def test_a_run_over_pv_access_gives_its_yield(pva, epics_pva):
    before = epics_pva.starts()
    await pva.put("REACTOR:SP", 64.0)

    assert (await pva.get("REACTOR:YIELD"), epics_pva.starts()) == (yield_at(64.0), before + 1)


async def test_a_put_above_the_limit_is_refused(pva, epics_pva):
    before = epics_pva.starts()
    with pytest.raises(RemoteError, match=r"230\.0 degrees are too hot"):
        await pva.put("REACTOR:SP", 230.0)

    assert epics_pva.starts() == before
