"""Modbus TCP against the lab twin, and against what pymodbus' simulator keeps in its tables."""

from __future__ import annotations

import sys

import anyio
import pymodbus.exceptions
import pytest
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from tests.adapters.loops import killed_and_resumed
from tests.adapters.stopping import RUN_S, StopContract, Under
from tests.adapters.twin.wiring import make_lab, opened

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import OutcomeUnknown, RunnerError
from titrant.model.space import search_space
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.modbus import ModbusRunner
from titrant_adapters.modbus.words import Address

BARE = {
    "host": "127.0.0.1",
    "settings": {"x": {"to": "0:float32", "read_back": "0:float32", "tolerance": 1e-4}},
    "start": {"at": 200, "value": 1},
    "status": 210,
    "quality": 212,
    "error": 213,
    "measure": {"y": "220:float32"},
    "safe": [{"at": 200, "value": 3}],
}
TWIN = BARE | {"key": "201:uint32", "key_of_run": "214:uint32"}
FAST = {"timeout_s": 0.8, "run_timeout_s": 2.0, "poll_s": 0.01}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def door():
    async with opened("modbus", make_lab(duration_s=0.1)) as door:
        yield door


class TestModbusKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0
    tolerance = 1e-4

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def lab(self, door):
        return door.lab

    @pytest.fixture(params=["with keys", "without keys"])
    def make_runner(self, door, request):
        fields = TWIN if request.param == "with keys" else BARE
        return lambda: ModbusRunner(**fields, **FAST, port=door.port)


@pytest.mark.anyio
async def test_a_killed_engine_with_two_devices_finds_its_runs_again_by_their_keys(door, tmp_path):
    async with opened("modbus", make_lab(duration_s=0.1)) as other:

        async def starts():
            return await door.lab.starts() + await other.lab.starts()

        both = [TWIN | {"port": one.port, "poll_s": 0.01} for one in (door, other)]
        loop = await killed_and_resumed("modbus", both, starts=starts, folder=tmp_path, parallelism=2)

    assert loop.begun_and_lost == 0


@pytest.mark.anyio
async def test_another_run_since_then_leaves_the_fate_of_the_first_unknown(door):
    attempt = attempt_of({"x": 2.0}, metadata={"key": 7})
    async with ModbusRunner(**TWIN, **FAST, port=door.port) as runner:
        ended = await Carrier(runner, "y").find_again(attempt)

    assert (ended.outcome, await door.lab.starts()) == ("unknown", 0)
    assert "has the key 0, not 7" in ended.reason


# Stopping


class TestStopping(StopContract):
    said = "the run ended in state 4"
    remembers = False

    @pytest.fixture
    async def door(self):
        async with opened("modbus", make_lab(duration_s=RUN_S)) as door:
            yield door

    @pytest.fixture(params=["with keys", "without keys"])
    def stoppable(self, door, request):
        fields = TWIN if request.param == "with keys" else BARE
        stop = {"stop": {"at": 200, "value": 2}, "failed": (3, 4), "stop_timeout_s": 5.0, "run_timeout_s": 60.0}
        return lambda **more: ModbusRunner(
            **(fields | FAST | {"safe": (), "timeout_s": 2.0} | stop | more), port=door.port
        )

    @pytest.mark.anyio
    async def test_a_run_that_somebody_else_started_is_not_stopped(self, door):
        """The engine lost sight of its own, and another has the device now."""
        stop = {"stop": {"at": 200, "value": 2}, "stop_timeout_s": 0.5, "run_timeout_s": 0.3, "safe": ()}
        door.lab.start("4711")
        for fields, names in ((TWIN, {"key": 7}), (BARE, {})):
            async with ModbusRunner(**(fields | FAST | stop), port=door.port) as runner:
                with pytest.raises(OutcomeUnknown, match=r"has the key 4711, not 7|runs have no names"):
                    await runner.stop(attempt_of({"x": 2.0}, metadata=names))

        assert door.lab.latest().state == "running"


@pytest.mark.anyio
async def test_a_stop_may_be_a_coil(oven):
    oven.state = 1
    async with oven.runner(stop={"at": "coil:1"}, stop_timeout_s=5.0) as runner, anyio.create_task_group() as tasks:
        under = Under(runner, attempt_of({"x": 1.0}))
        tasks.start_soon(under.carry_out)
        while not oven.starts:  # noqa: ASYNC110  # the server tells nobody
            await anyio.sleep(0.005)
        await runner.stop(under.recorded)

    assert oven.stops == 1
    assert (under.ended.outcome, under.ended.reason) == ("failed", "the run ended in state 3")


# What stands in registers


@pytest.mark.parametrize("low_first", [False, True])
@pytest.mark.parametrize(
    ("text", "number", "words"),
    [
        ("7", 65535, [0xFFFF]),
        ("7:int16", -2, [0xFFFE]),
        ("7:uint32", 0x10002, [1, 2]),
        ("7:int32", -2, [0xFFFF, 0xFFFE]),
        ("7:float32", 1.5, [0x3FC0, 0]),
        ("7:float64", 1.5, [0x3FF8, 0, 0, 0]),
    ],
)
def test_a_number_is_the_same_after_it_was_in_registers(text, number, words, low_first):
    address = Address.read(text)
    written = address.words(number, low_first=low_first)

    assert written == (words[::-1] if low_first else words)
    assert address.number_of(written, low_first=low_first) == number


@pytest.mark.parametrize(("text", "value"), [("7", -1), ("7", 65536), ("7:int16", "hot"), ("7:float32", 1e60)])
def test_a_number_that_does_not_fit_is_no_run(text, value):
    with pytest.raises(RunnerError, match="does not fit into"):
        Address.read(text).words(value, low_first=False)


class Oven:
    """All four tables of pymodbus' simulator; tenths of a degree in, hundredths of a per cent out."""

    def __init__(self):
        self.starts, self.code, self.state, self.stops = 0, None, 2, 0

    async def act(self, function, start, address, _count, registers, values):
        if function == 4 and address == 0:
            registers[address - start] = self.state
        if function == 5 and address == 1 and values:
            self.state, self.stops = 3, self.stops + 1
        if function == 5 and address == 0 and values:  # it is also asked after the write, without values
            if self.code is not None:
                return self.code
            self.starts += int(bool(values[0]))
        return None

    async def __aenter__(self):
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        inputs = [SimData(0, values=[2, 9512] + [0] * 6, datatype=DataType.REGISTERS)]
        holding = [SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=(bits, bits, holding, inputs), action=self.act)
        self.server = ModbusTcpServer(device, address=("127.0.0.1", 0))
        await self.server.listen()
        self.port = self.server.transport.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        await self.server.shutdown()

    def runner(self, **fields):
        given = {
            "settings": {"x": {"to": "3:int16", "read_back": "3:int16", "scale": 10, "tolerance": 0.05}},
            "start": {"at": "coil:0"},
            "status": "input:0",
            "measure": {"y": {"at": "input:1", "scale": 0.01}},
        }
        return ModbusRunner(host="127.0.0.1", port=self.port, **(given | FAST | fields))


@pytest.fixture
async def oven():
    async with Oven() as oven:
        yield oven


@pytest.mark.anyio
async def test_every_table_can_be_used_and_numbers_are_scaled(oven):
    async with oven.runner(quality="discrete:3") as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": -3.5}))

        assert await runner.registers.get("3:int16") == -35
    assert (ended.outcome, ended.value) == ("completed", pytest.approx(95.12))
    assert oven.starts == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (ExcCodes.ILLEGAL_VALUE, "failed"),
        (ExcCodes.DEVICE_FAILURE, "unknown"),  # it may have begun
        (ExcCodes.ACKNOWLEDGE, "completed"),  # an exception by its form, a yes by its meaning
        (ExcCodes.DEVICE_BUSY, "refused"),
        (ExcCodes.GATEWAY_PATH_UNAVIABLE, "refused"),
        (ExcCodes.GATEWAY_NO_RESPONSE, "unknown"),
    ],
)
async def test_an_exception_response_to_the_start_has_a_meaning(oven, code, outcome):
    oven.code = code
    async with oven.runner() as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 1.0}))

        assert (ended.outcome, runner.registers.session.opened) == (outcome, 1)


# What cannot work


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "kind", "told"),
    [
        ({"port": 1}, RunnerError, r"127\.0\.0\.1:1 does not take connections"),
        ({"measure": {"y": "4000"}}, ConfigurationError, "measure.y is '4000': reading it .* it has no such address"),
        ({"status": "9000"}, ConfigurationError, "status is '9000'"),
    ],
)
async def test_what_cannot_work_is_told_before_the_first_trial(door, fields, kind, told):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(ModbusRunner(**(TWIN | FAST | {"port": door.port} | fields)))
        with pytest.raises(kind, match=told):
            await client.run_trials(max_trials=1, progress=False)

        assert (client.state.next_index, await door.lab.starts()) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"status": "register 7"}, "'register 7' is no address: write '7'"),
        ({"status": "70000"}, "'70000' is no address"),
        ({"measure": {}}, "name an address for each metric"),
        ({"start": {"at": "input:7"}}, "inputs can only be read"),
        ({"settings": {"x": {"to": "discrete:7"}}}, "inputs can only be read"),
        ({"settings": {"x": {"to": 0, "unit": "warm"}}}, "'warm' is no unit known here"),
        ({"key_of_run": None}, "give both key and key_of_run"),
        ({"key": "201:float32"}, "a key is a whole number"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        ModbusRunner(**(TWIN | fields))


def test_a_parameter_without_a_setting_is_refused():
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        ModbusRunner(**TWIN).check_space(
            search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
        )


@pytest.mark.anyio
async def test_a_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymodbus.client", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[modbus\]'"):
        async with ModbusRunner(**TWIN):
            pass


@pytest.mark.anyio
async def test_the_doctor_is_told_who_answers_and_who_does_not(door):
    found = await ModbusRunner(**TWIN, **FAST, port=door.port).probe()
    absent = await ModbusRunner(**TWIN, **FAST, port=1).probe()

    assert [one.level for one in (*found, *absent)] == ["ok", "fail"]
    assert "its state is 0" in found[0].what
    assert await door.lab.starts() == 0


def test_every_error_of_the_library_has_a_meaning():
    assert ModbusRunner.errors.unlisted(pymodbus.exceptions) == []
    assert ModbusRunner.errors.dangling() == []
