"""The faulty line does to a real client's request what it was armed to do, once."""

import anyio
import httpx
import pytest
from tests.adapters.servers.wire import FaultyWire

pytestmark = pytest.mark.anyio
SHORT_S, LONG_S = 0.3, 20.0


@pytest.fixture
def anyio_backend():
    return "asyncio"


def to_a_touch(request):
    """Turn the start into a command that the stand-in refuses."""
    return request.replace(b'"home"', b'"hoom"')


@pytest.fixture
async def wire(opentrons):
    rewrite = {"refuse": to_a_touch}
    async with FaultyWire(opentrons, is_start=lambda sent: b'"home"' in sent, of="home", rewrite=rewrite) as wire:
        yield wire


@pytest.fixture
async def home(wire):
    """Home the robot in a run of its own; through the line."""
    headers = {"Opentrons-Version": "*", "Connection": "close"}
    async with httpx.AsyncClient(base_url=f"http://{wire.host}:{wire.port}", headers=headers, timeout=LONG_S) as http:

        async def send(timeout=LONG_S):
            run = (await http.post("/runs", json={"data": {}})).json()["data"]["id"]
            body = {"data": {"commandType": "home", "params": {}}}
            where = f"/runs/{run}/commands?waitUntilComplete=true&timeout=20000"
            return await http.post(where, json=body, timeout=timeout)

        yield send


async def test_a_line_without_a_fault_hands_on(home, wire):
    before = await wire.starts()

    assert (await home()).json()["data"]["status"] == "succeeded"
    assert await wire.starts() == before + 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("mute", httpx.ReadTimeout),
        ("half_frame", httpx.ReadTimeout),
        ("late_reply", httpx.ReadTimeout),
        ("drop", httpx.RemoteProtocolError),
        ("crash_after_done", httpx.RemoteProtocolError),
    ],
)
async def test_a_reply_is_lost_though_the_run_was_carried_out_and_the_next_is_sound(home, wire, fault, error):
    before = await wire.starts()
    await wire.arm(fault, seconds=LONG_S if fault == "late_reply" else 0.0)
    with pytest.raises(error):
        await home(timeout=SHORT_S if error is httpx.ReadTimeout else LONG_S)
    await wire.started(before)

    assert await wire.starts() == before + 1
    assert (await home()).json()["data"]["status"] == "succeeded"


async def test_a_delayed_reply_arrives(home, wire):
    await wire.arm("delay", seconds=0.05)

    assert (await home()).json()["data"]["status"] == "succeeded"


async def test_a_server_that_dies_in_mid_run_is_up_again_and_has_forgotten(home, wire):
    before = await wire.starts()
    await wire.arm("crash_in_run")
    with pytest.raises(httpx.RemoteProtocolError):
        await home()
    await wire.settled()

    assert await wire.starts() == before + 1
    assert (await home()).json()["data"]["status"] == "succeeded"


async def test_a_fault_of_the_instrument_is_brought_about_by_another_request(home, wire):
    unprocessable, before = 422, await wire.starts()
    await wire.arm("refuse")

    assert ((await home()).status_code, await wire.starts()) == (unprocessable, before)


async def test_a_reply_is_told_twice(wire, opentrons):
    request = b"GET /health HTTP/1.0\r\nOpentrons-Version: *\r\n\r\n"
    wire.is_start = lambda sent: b"/health" in sent
    await wire.arm("duplicate")
    async with await anyio.connect_tcp(wire.host, wire.port) as line:
        await line.send(request)
        heard = b"".join([chunk async for chunk in line])

    assert heard.count(b"HTTP/1.1 200 OK") == 2


async def test_an_unknown_fault_is_not_taken_for_none(wire):
    with pytest.raises(AssertionError, match="does not know the fault drift"):
        await wire.arm("drift")
