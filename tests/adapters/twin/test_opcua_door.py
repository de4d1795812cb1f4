"""The twin as an OPC UA device, driven by asyncua's client; one server for all tests, which takes a second to build."""

import logging
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from asyncua import Client, ua
from tests.adapters.twin.wiring import LATE_S, PATIENCE_S, expressible, make_lab, opened

from titrant.errors import ConfigurationError

pytestmark = pytest.mark.anyio

UNIT = ("LabTwin", "FunctionalUnitSet", "Unit")
NODE_SETS = Path(__file__).parents[1] / "data/opcua"


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"  # asyncua knows no other


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """asyncua logs each lost line as an error; here they are lost on purpose."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)


@pytest.fixture(scope="module")
async def door():
    async with opened("opcua") as door:
        yield door


@pytest.fixture
async def lab(door):
    """The lab in its first state, whatever the test before has done to it."""
    await door.lab.settled()
    door.lab.faults.arm()
    door.lab.safe_state()
    return door.lab


class Device:
    def __init__(self, client, index):
        self.client, self.index = client, index

    async def node(self, *names):
        return await self.client.nodes.objects.get_child([f"{self.index}:{name}" for name in (*UNIT, *names)])

    async def set(self, name, value):
        await (await self.node("FunctionSet", name, "TargetValue")).write_value(value)

    async def read(self, *names):
        return await (await self.node(*names)).read_value()

    async def start(self, job="job"):
        unit = await self.node("FunctionalUnitState")
        return await unit.call_method(f"{self.index}:StartProgram", "any", job)


@pytest.fixture
async def connect(door):
    clients = []

    async def connect(timeout=4.0):
        client = Client(door.address, timeout=timeout, watchdog_intervall=60)
        clients.append(client)
        await client.connect()
        return Device(client, await client.get_namespace_index("urn:titrant:lab-twin"))

    yield connect
    for client in clients:
        with anyio.move_on_after(0.5):
            with suppress(ConnectionError, TimeoutError, ua.UaError):  # its line was cut by the test
                await client.disconnect()


@pytest.fixture
async def device(lab, connect):
    return await connect()


async def ended(lab, connect, run):
    """State and power of a run, as a caller who comes later finds them."""
    await lab.settled()
    device = await connect()
    power = await device.node("ProgramManager", "ResultSet", run, "VariableSet", "power")
    value = await power.read_data_value(raise_on_bad_status=False)
    return await device.read("ProgramManager", "ResultSet", run, "State"), value.Value.Value or value.StatusCode.name


def following(lab):
    return str(lab.ledger.starts() + 1)


async def test_a_closed_step(lab, device, connect):
    await device.set("volt", 3.0)
    run = await device.start("job 1")

    assert await device.read("FunctionSet", "volt", "TargetValue") == 3.0
    assert await device.read("FunctionSet", "volt", "CurrentValue") == 3.0
    assert await ended(lab, connect, run) == ("Complete", 9.0)
    assert await device.read("ProgramManager", "ResultSet", run, "JobId") == "job 1"


async def test_states_are_notified(lab, device):
    seen, over = [], anyio.Event()

    class Handler:
        def datachange_notification(self, node, value, data):
            seen.append(value)
            if value == "Complete":
                over.set()

    await lab.settled()
    before = await device.read("FunctionalUnitState", "CurrentState")
    subscription = await device.client.create_subscription(10, Handler())
    await subscription.subscribe_data_change(await device.node("FunctionalUnitState", "CurrentState"))
    await device.start()
    while seen[-1:] != ["Complete"] or len(seen) < 2:
        with anyio.fail_after(5):
            await over.wait()
        over = anyio.Event()
    await subscription.delete()

    assert seen[0] == before


async def test_what_is_out_of_range_is_refused_with_its_code(lab, device):
    with pytest.raises(ua.uaerrors.BadOutOfRange):
        await device.set("volt", 99.0)
    with pytest.raises(ua.uaerrors.BadTypeMismatch):
        await device.set("volt", "much")

    assert await device.read("FunctionSet", "volt", "TargetValue") == 1.0


async def test_the_method_stops_what_runs():
    async with opened("opcua", make_lab(60.0)) as door, Client(door.address) as client:
        device = Device(client, await client.get_namespace_index("urn:titrant:lab-twin"))
        run = await device.start()
        with pytest.raises(ua.uaerrors.BadInvalidState):
            await device.start()
        await (await device.node("FunctionalUnitState")).call_method(f"{device.index}:Stop")
        await door.lab.settled()

        assert door.lab.latest().state == "stopped"
        assert run == "1"


async def test_the_published_node_sets_give_their_types_and_names():
    async with opened("opcua", node_sets=NODE_SETS) as door, Client(door.address) as client:
        lads = await client.get_namespace_index("http://opcfoundation.org/UA/LADS/")
        twin = await client.nodes.objects.get_child(f"{lads}:LabTwin")
        kind = client.get_node(await twin.read_type_definition())
        device = Device(client, lads)

        assert (await kind.read_browse_name()).Name == "LADSDeviceType"
        assert await device.read("FunctionSet", "volt", "TargetValue") == 1.0
        assert await device.start() == "1"


async def test_a_folder_without_node_sets_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"holds no Opc\.Ua\.Di\.NodeSet2\.xml"):
        async with opened("opcua", node_sets=tmp_path):
            pass


# The faults, on the wire


def test_all_faults_but_one_can_be_expressed():
    assert len(expressible("opcua")) == 12


async def test_a_delayed_reply_comes(lab, device):
    run = following(lab)
    await lab.arm("delay", 0.05)

    assert await device.start() == run


@pytest.mark.parametrize(("fault", "seconds"), [("mute", 0), ("half_frame", 0), ("late_reply", LATE_S)])
async def test_a_reply_that_does_not_come_in_time_is_a_timeout_and_the_run_is_found(lab, connect, fault, seconds):
    run, device = following(lab), await connect(PATIENCE_S)
    await lab.arm(fault, seconds)
    with pytest.raises((TimeoutError, ConnectionError)):
        await device.start()

    assert following(lab) == str(int(run) + 1)
    assert await ended(lab, connect, run) == ("Complete", 1.0)


async def test_a_duplicate_breaks_the_channel_as_is_said(lab, device):
    await lab.arm("duplicate")
    with suppress(ConnectionError, TimeoutError):
        await device.start()
    with pytest.raises((ConnectionError, TimeoutError)):
        await device.read("FunctionalUnitState", "CurrentState")


async def test_a_dropped_line_is_a_lost_connection(lab, device, connect):
    run = following(lab)
    await lab.arm("drop")
    with pytest.raises(ConnectionError):
        await device.start()

    assert await ended(lab, connect, run) == ("Complete", 1.0)


async def test_a_refusal_has_its_code_and_starts_nothing(lab, device):
    run = following(lab)
    await lab.arm("refuse")
    with pytest.raises(ua.uaerrors.BadInvalidState):
        await device.start()

    assert following(lab) == run


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("alarm", ("Complete", "BadSensorFailure")),
        ("defined_error", ("Aborted", "BadDeviceFailure")),
        ("crash_in_run", ("Idle", "BadNoData")),
        ("crash_after_done", ("Complete", 1.0)),
        ("drift", ("Complete", pytest.approx(1.1))),
    ],
)
async def test_what_became_of_a_run_is_in_its_result(lab, device, connect, fault, found):
    await lab.arm(fault)
    run = following(lab)
    with suppress(ConnectionError, TimeoutError):  # a crash may come before the reply
        await device.start()

    assert await ended(lab, connect, run) == found


async def test_a_crash_closes_the_line(lab, device, connect):
    await lab.arm("crash_in_run")
    with suppress(ConnectionError, TimeoutError):
        await device.start()
    await lab.settled()
    with pytest.raises((ConnectionError, TimeoutError)):
        await device.read("FunctionalUnitState", "CurrentState")


async def test_a_stuck_setting_shows_in_the_read_back(lab, device):
    await lab.arm("stuck")
    await device.set("volt", 3.0)

    assert await device.read("FunctionSet", "volt", "TargetValue") == 1.0
