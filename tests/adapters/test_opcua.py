"""OPC UA: the lab twin as a LADS device, asyncua with the published LADS node sets, and node-opcua."""

from __future__ import annotations

import logging
import sys
from types import MappingProxyType

import anyio
import asyncua.client.ua_client
import asyncua.common.utils
import msgspec
import pytest
from anyio import to_thread
from anyio.from_thread import start_blocking_portal
from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from tests.adapters.loops import killed_and_resumed
from tests.adapters.servers.reactor import yield_at
from tests.adapters.servers.wire import FaultyWire
from tests.adapters.stopping import RUN_S, StopContract, Under
from tests.adapters.told import told
from tests.adapters.twin.wiring import opened

import titrant_adapters.opcua
from titrant import ConfigurationError, RangeParameterConfig
from titrant.errors import OutcomeUnknown, RunnerError
from titrant.model.space import search_space
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.opcua import OpcUaRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.physics import Input, Output

RUNS_S = 0.08
UNIT = "LabTwin/FunctionalUnitSet/Unit"
X = "FunctionSet/x/TargetValue"
FIELDS = {
    "unit": UNIT,
    "settings": {"x": {"to": X, "read_back": X}},
    "arguments": ["square", "{key}"],
    "results": "ProgramManager/ResultSet",
    "reason": "Reason",
    "measure": {"y": "VariableSet/y"},
    "safe": {"FunctionalUnitState/Stop": []},
    "poll_s": 0.01,
}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """asyncua logs each lost line as an error; here they are lost on purpose."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)


def url_of(server):
    return f"opc.tcp://{server.host}:{server.port}"


class Square:
    inputs = (Input(name="x", low=0.0, high=6.0, start=1.0),)
    outputs = (Output(name="y"),)

    def truth(self, conditions):
        return {"y": conditions["x"] ** 2}

    def measure(self, conditions, draws):
        return self.truth(conditions)


class Twin:
    """The twin of the module, in a thread of its own; every test begins its ledger anew."""

    def __init__(self, lab, other, door, portal):
        self.lab, self.other, self.url, self.call, self.before = lab, other, door.address, portal.call, 0

    def renewed(self):
        self.call(self.lab.settled)
        self.call(self.lab.faults.arm)
        self.call(self.lab.safe_state)
        self.before = self.lab.ledger.starts()
        return self

    async def starts(self):
        return self.lab.ledger.starts() - self.before

    async def starts_of_both(self):
        return self.lab.ledger.starts() + self.other.ledger.starts()

    async def arm(self, fault, seconds=0.0):
        await to_thread.run_sync(self.call, self.lab.arm, fault, seconds)

    async def settled(self):
        await to_thread.run_sync(self.call, self.lab.settled)


@pytest.fixture(scope="module")
def twin():
    lab, other = (LabTwin(Square(), behaviour=Behaviour(duration_s=RUNS_S), clock=Pace()) for _ in range(2))
    serving = opened("opcua", lab, further={"Other": other})
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(serving) as door:
        yield Twin(lab, other, door, portal)


@pytest.fixture
def lab(twin):
    return twin.renewed()


@pytest.fixture
def make_runner(lab):
    return lambda **fields: OpcUaRunner(url=lab.url, **(FIELDS | {"timeout_s": 0.8, "run_timeout_s": 2.0} | fields))


DUPLICATE = {"duplicate": "a secure channel numbers its messages: one that comes twice is taken for an attack"}


class TestOpcUaKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0
    cannot = MappingProxyType(DUPLICATE)

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, lab, make_runner):
        return make_runner


@pytest.mark.anyio
async def test_a_killed_engine_with_two_functional_units_goes_on_and_starts_nothing_twice(lab, tmp_path):
    other = UNIT.replace("/Unit", "/Other")
    fields = FIELDS | {"url": lab.url, "run_timeout_s": 5.0}  # one that was recorded and not begun is awaited as long
    both = [fields, fields | {"unit": other}]
    loop = await killed_and_resumed("opcua", both, starts=lab.starts_of_both, folder=tmp_path, parallelism=2)

    assert loop.begun_and_lost == 0


class TestStopping(StopContract):
    @pytest.fixture(scope="class")
    @classmethod
    def anyio_backend(cls):
        return "asyncio"

    @pytest.fixture(scope="class")
    async def slow(self):
        async with opened("opcua", LabTwin(Square(), behaviour=Behaviour(duration_s=RUN_S), clock=Pace())) as door:
            yield door

    @pytest.fixture
    async def door(self, slow):
        slow.lab.faults.arm()
        slow.lab.safe_state()
        return slow

    @pytest.fixture
    def stoppable(self, door):
        stop = {"stop": "FunctionalUnitState/Stop", "stop_timeout_s": 8.0, "safe": {}, "timeout_s": 2.0}
        return lambda **fields: OpcUaRunner(url=door.address, **(FIELDS | {"run_timeout_s": 60.0} | stop | fields))

    @pytest.mark.anyio
    async def test_a_run_that_somebody_else_started_is_not_stopped(self, door, stoppable):
        door.lab.start("another's")
        async with stoppable(stop_timeout_s=0.5, run_timeout_s=0.3) as runner:
            await runner.stop(attempt_of({"x": 2.0}))  # never begun, as nothing was recorded
            with pytest.raises(OutcomeUnknown, match=r"is not under way: it is not there"):
                await runner.stop(attempt_of({"x": 2.0}, metadata={"job": "mine"}))

        assert door.lab.latest().state == "running"

    @pytest.mark.anyio
    async def test_a_stop_with_other_arguments_is_told_on_connecting(self, stoppable):
        with pytest.raises(ConfigurationError, match="FunctionalUnitState/Stop takes 0"):
            async with stoppable(stop_with=["{key}"]):
                pass


@pytest.mark.anyio
async def test_the_doctor_is_told_who_answers_and_what_is_set(make_runner):
    found = await make_runner().probe()
    absent = await OpcUaRunner(url="opc.tcp://127.0.0.1:1", **FIELDS).probe()

    assert [one.what.rpartition(" is ")[2] for one in found] == ["urn:freeopcua:python:server", "at 1.0"]
    assert [one.level for one in absent] == ["fail"]


# --- what cannot work is told before the first trial --------------


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"url": "http://plc"}, "url is 'http://plc': an endpoint is opc.tcp://"),
        ({"arguments": ["square"]}, 'one of them has to be "{key}"'),
        ({"measure": {}}, "name a variable for each metric"),
        ({"settings": {"x": {"to": X, "unit": "Grad"}}}, "'Grad' is no unit known here"),
        ({"hots": 1}, "there is no field 'hots'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        OpcUaRunner(**({"url": "opc.tcp://plc:4840"} | FIELDS | fields))


def test_what_the_module_tells_to_write_is_a_configuration():
    runner = told(titrant_adapters.opcua.__doc__)

    assert runner["use"] == "opcua"
    assert OpcUaRunner(**runner["with"])


def test_a_parameter_without_a_setting_is_refused():
    space = search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        OpcUaRunner(url="opc.tcp://plc:4840", **FIELDS).check_space(space)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"settings": {"x": {"to": "FunctionSet/heat/TargetValue"}}}, "there is no 'heat' in .*FunctionSet: it has x"),
        (
            {"settings": {"x": {"to": "FunctionSet/x/CurrentValue"}}},
            "CurrentValue may not be written: ask for",
        ),
        ({"arguments": ["{key}"]}, "StartProgram takes 2"),
        ({"arguments": {"JobId": "{key}"}}, "StartProgram takes 2"),
        ({"results": "ProgramManager/Results"}, "there is no 'Results' in"),
        ({"state": "Condition"}, "there is no 'Condition' in"),
        ({"safe": {"FunctionalUnitState/Halt": []}}, "there is no 'Halt' in"),
    ],
)
async def test_what_the_device_does_not_have_or_allow_is_told_before_the_first_trial(lab, make_runner, fields, told):
    async with make_runner() as runner:
        await runner.run(attempt_of({"x": 1.0}), None, None)  # so that the device has a result to show
    with pytest.raises(ConfigurationError, match=told):
        async with make_runner(**fields):
            pass


@pytest.mark.anyio
async def test_a_host_that_is_not_there_is_told_before_the_first_trial():
    with pytest.raises(RunnerError, match=r"opc\.tcp://127\.0\.0\.1:1"):
        async with OpcUaRunner(url="opc.tcp://127.0.0.1:1", **FIELDS):
            pass


class Doorman:
    """Lets one person in."""

    def get_user(self, _server, username=None, password=None, certificate=None):
        known = (username, password) == ("kim", "sesame")
        return User(role=UserRole.User) if known else None


@pytest.mark.anyio
async def test_who_may_not_log_in_is_told_before_the_first_trial(monkeypatch):
    monkeypatch.setenv("PLC_PASSWORD", "sesame")
    server = asyncua.Server(user_manager=Doorman())
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    async with server:
        fields = {"url": f"opc.tcp://127.0.0.1:{server.bserver.port}", "user": "kim", "timeout_s": 2.0, **FIELDS}
        with pytest.raises(ConfigurationError, match=r"BadUserAccessDenied|BadIdentityTokenRejected") as refused:
            async with OpcUaRunner(**fields, password="please"):
                pass
        with pytest.raises(ConfigurationError, match="there is no 'LabTwin' in Objects"):  # inside
            async with OpcUaRunner(**fields, password="env:PLC_PASSWORD"):
                pass

    assert "please" not in str(refused.value)


@pytest.mark.anyio
async def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncua", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[opcua\]'"):
        async with OpcUaRunner(url="opc.tcp://127.0.0.1:1", **FIELDS):
            pass


def test_every_error_of_the_library_has_a_meaning():
    assert OpcUaRunner.errors.unlisted(ua.uaerrors, asyncua.common.utils, asyncua.client.ua_client) == []
    assert OpcUaRunner.errors.dangling() == []


# --- servers that others wrote --------------------------------------------------------------------------------------


LADS = {
    "unit": "DeviceSet/LabReactor/FunctionalUnitSet/Unit",
    "settings": {"t": {"to": "FunctionSet/Heater/TargetValue", "read_back": "FunctionSet/Heater/TargetValue"}},
    "start": "Operational/StartProgram",
    "arguments": {"ProgramTemplateId": "heat", "SupervisoryJobId": "{key}"},
    "results": "ProgramManager/ResultSet",
    "job": "SupervisoryJobId",
    "state": "Stopped",
    "running": [""],
    "done": [],
    "measure": {"y": "VariableSet/Yield"},
    "poll_s": 0.01,
}


FLAT = {
    "unit": "Reactor",
    "settings": {"t": {"to": "SetPoint", "read_back": "SetPoint"}},
    "start": "Start",
    "arguments": {"JobId": "{key}"},
    "measure": {"y": "Yield"},
    "poll_s": 0.01,
}


class Line(FaultyWire):
    """A line to one of the tests' servers that fails when told to; every test begins its ledger anew."""

    before = 0

    async def __aenter__(self):
        self.before = await super().starts()
        return await super().__aenter__()

    async def starts(self):
        return await super().starts() - self.before


def is_call(request):
    """Whether a message is a CallRequest; its number in the published node set is 712."""
    return request[:3] == b"MSG" and request[24:28] == b"\x01\x00\xc8\x02"


SOUND = dict.fromkeys(
    ("refuse", "alarm", "defined_error", "drift", "stuck"),
    "the reactor behind it is sound; the twin shows these faults",
)


class Reactor(RunnerContract):
    """The reactor of the tests' servers, behind a line that fails."""

    deadline_s = 0.8
    run_deadline_s = 6.0  # a server that died is away for seconds
    limits = MappingProxyType({"timeout_s": deadline_s, "run_timeout_s": run_deadline_s})
    points = ({"t": 64.0}, {"t": 88.0})
    cannot = MappingProxyType(SOUND | DUPLICATE)

    def expected(self, parameters):
        return yield_at(parameters["t"])


@pytest.mark.adapters_slow
class TestLadsKeepsTheContract(Reactor):
    @pytest.fixture
    async def lab(self, opcua):
        async with Line(opcua, is_start=is_call) as line:
            yield line

    @pytest.fixture
    def make_runner(self, lab):
        return lambda: OpcUaRunner(
            url=url_of(lab), **LADS, timeout_s=self.deadline_s, run_timeout_s=self.run_deadline_s
        )


@pytest.mark.adapters_slow
class TestNodeOpcUaKeepsTheContract(Reactor):
    @pytest.fixture
    async def lab(self, node_opcua):
        async with Line(node_opcua, is_start=is_call) as line:
            yield line

    @pytest.fixture
    def make_runner(self, lab):
        return lambda: OpcUaRunner(
            url=url_of(lab), **FLAT, timeout_s=self.deadline_s, run_timeout_s=self.run_deadline_s
        )


@pytest.mark.anyio
@pytest.mark.parametrize("fields", [LADS, FLAT], ids=["lads", "flat"])
async def test_a_run_ends_with_its_yield_and_is_found_again(opcua, fields):
    attempt = attempt_of({"t": 64.0})
    async with OpcUaRunner(url=url_of(opcua), **fields) as runner:
        before = opcua.starts()
        first = await runner.run(attempt, None, None)
        again = await runner.reattach(msgspec.structs.replace(attempt, metadata={"job": attempt.key}))

    assert first.data == again.data == {"y": yield_at(64.0)}
    assert opcua.starts() == before + 1


@pytest.mark.anyio
async def test_a_run_of_a_lads_device_is_stopped_by_the_method_that_the_standard_has_for_it(opcua):
    fields, before = LADS | {"stop": "Operational/Stop", "stop_timeout_s": 10.0}, opcua.starts()
    async with OpcUaRunner(url=url_of(opcua), **fields) as runner, anyio.create_task_group() as tasks:
        under = Under(runner, attempt_of({"t": -1.0}))  # which never ends by itself
        tasks.start_soon(under.carry_out)
        while opcua.starts() == before:  # noqa: ASYNC110  # the server tells it by a file
            await anyio.sleep(0.005)
        await runner.stop(under.recorded)
        again = await runner.run(attempt_of({"t": 64.0}), None, None)

    assert (under.ended.outcome, again.data) == ("failed", {"y": yield_at(64.0)})
    assert "VariableSet/Yield is not good: BadNoData" in under.ended.reason


@pytest.mark.anyio
async def test_a_lads_device_that_is_too_hot_fails_by_the_quality_of_its_result(opcua):
    async with OpcUaRunner(url=url_of(opcua), **LADS) as runner:
        with pytest.raises(RunnerError, match="VariableSet/Yield is not good: BadSensorFailure"):
            await runner.run(attempt_of({"t": 230.0}), None, None)
