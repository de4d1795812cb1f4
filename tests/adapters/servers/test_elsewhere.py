"""Servers with environments of their own, each driven by the barest client that there is."""

import socket
import time

import httpx
import pytest
from asyncua import Client, ua
from tests.adapters.servers.opcua import NAMESPACE
from tests.adapters.servers.reactor import yield_at
from tests.adapters.servers.test_listening import beyond_loopback

pytestmark = pytest.mark.adapters_slow
SECONDS = 60
FINISHED = {"succeeded", "failed", "cancelled", "not_ready"}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parametrize("name", ["madsci", "flowchem", "julabo", "node_opcua"])
def test_a_server_elsewhere_can_be_reached_over_the_loopback_only(name, request):
    bound = request.getfixturevalue(name).bound()

    assert bound
    assert beyond_loopback(bound) == []


def http(server):
    return httpx.Client(base_url=f"http://{server.host}:{server.port}", timeout=SECONDS, follow_redirects=True)


def act(client, **args):
    """Carry out one action of the MADSci node: its id is known before it starts."""
    created = client.post("/action/run_reaction", json={"args": args})
    if created.is_error:
        return created
    key = created.json()["action_id"]
    client.post(f"/action/run_reaction/{key}/start").raise_for_status()
    deadline = time.monotonic() + SECONDS
    while client.get(f"/action/{key}/status").json() not in FINISHED:
        assert time.monotonic() < deadline
    return client.get(f"/action/{key}/result").json()


def test_an_action_of_a_madsci_node_gives_its_yield(madsci):
    before = madsci.starts()
    with http(madsci) as client:
        result = act(client, temperature=64.0)

    assert (result["status"], result["json_result"], madsci.starts()) == ("succeeded", yield_at(64.0), before + 1)


def test_a_madsci_node_refuses_an_action_without_its_argument(madsci):
    unprocessable, before = 422, madsci.starts()
    with http(madsci) as client:
        answer = act(client)

    assert (answer.status_code, madsci.starts()) == (unprocessable, before)


def test_a_madsci_action_that_raises_fails_and_locks_the_node_until_it_is_reset(madsci):
    with http(madsci) as client:
        failed = act(client, temperature=230.0)
        locked = act(client, temperature=64.0)
        client.post("/admin/reset").raise_for_status()
        assert madsci.gets_ready()  # a reset is answered before it is over

        assert (failed["status"], locked["status"]) == ("failed", "not_ready")
        assert act(client, temperature=64.0)["status"] == "succeeded"


def test_a_killed_madsci_node_is_up_again_at_once_and_knows_no_action(madsci):
    with http(madsci) as client:
        key = client.post("/action/run_reaction", json={"args": {"temperature": 64.0}}).json()["action_id"]
        madsci.stop()
        madsci.start()

    with http(madsci) as client:
        assert client.get(f"/action/{key}/status").json() == "unknown"


def test_flowchem_takes_a_temperature(flowchem):
    with http(flowchem) as client:
        client.put("/r4/reactor1/temperature", params={"temp": "75 degC"}).raise_for_status()
        client.put("/r4/reactor1/power-on").raise_for_status()

        assert float(client.get("/r4/reactor1/temperature").json()) == 75.0


def test_flowchem_says_yes_to_what_it_does_not_do(flowchem):
    ok = 200
    with http(flowchem) as client:
        answer = client.put("/r4/reactor1/temperature", params={"temp": "900 degC"})

        assert answer.status_code == ok
        assert float(client.get("/r4/reactor1/temperature").json()) == 250.0


@pytest.fixture
def ask(julabo):
    """One exchange with the circulator."""
    with socket.create_connection((julabo.host, julabo.port), timeout=SECONDS) as line, line.makefile("rb") as reader:

        def exchange(request, seconds=SECONDS):
            line.settimeout(seconds)
            line.sendall(request.encode() + b"\r")
            return reader.readline().decode().strip()

        yield exchange


def test_a_julabo_heats_to_its_set_point(ask):
    ask("OUT_SP_00 40")
    ask("OUT_MODE_05 1")
    deadline = time.monotonic() + SECONDS
    while abs(float(ask("IN_PV_00")) - 40.0) > 0.1:
        assert time.monotonic() < deadline

    assert float(ask("IN_SP_00")) == 40.0


def test_a_julabo_answers_an_impossible_set_point_as_any_other_and_keeps_the_old_one(ask):
    ask("OUT_SP_00 40")

    assert ask("OUT_SP_00 99999") == ask("OUT_SP_00 40") == ""
    assert float(ask("IN_SP_00")) == 40.0


def test_a_julabo_is_silent_about_what_it_does_not_understand(ask):
    with pytest.raises(TimeoutError):
        ask("NONSENSE", seconds=0.3)


@pytest.fixture
async def run(node_opcua):
    async with Client(f"opc.tcp://{node_opcua.host}:{node_opcua.port}") as client:
        index = await client.get_namespace_index(NAMESPACE)
        reactor = await client.nodes.objects.get_child(f"{index}:Reactor")

        async def at(temperature):
            await (await reactor.get_child(f"{index}:SetPoint")).write_value(temperature)
            return await reactor.call_method(f"{index}:Run")

        at.temperature = await reactor.get_child(f"{index}:Temperature")
        yield at


@pytest.mark.anyio
async def test_a_run_on_node_opcua_gives_its_yield(run, node_opcua):
    before = node_opcua.starts()

    assert (await run(64.0), node_opcua.starts()) == (yield_at(64.0), before + 1)


@pytest.mark.anyio
async def test_a_run_above_the_limit_on_node_opcua_fails_and_leaves_a_bad_reading(run):
    with pytest.raises(ua.uaerrors.BadDeviceFailure):
        await run(230.0)
    with pytest.raises(ua.uaerrors.BadSensorFailure):
        await run.temperature.read_value()
