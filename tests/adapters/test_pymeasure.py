"""Drivers of pymeasure as instruments: one of a laboratory's own, and a stock one."""

from __future__ import annotations

import sys

import anyio
import pymeasure.errors
import pytest
import pyvisa.errors
from tests.adapters.loops import killed_and_resumed
from tests.adapters.scpi_server import ScpiInstrument
from tests.adapters.twin.wiring import make_lab, opened

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import RunnerError
from titrant.model.space import search_space
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.pymeasure import PymeasureRunner

TWIN = {
    "driver": "tests.adapters.pymeasure_supply:TwinSupply",
    "settings": {"x": {"to": "voltage", "read_back": "voltage", "tolerance": 1e-4}},
    "start": ["start"],
    "status": "state",
    "running": ["RUNNING"],
    "measure": {"y": "power"},
}
STOCK = {
    "driver": "pymeasure.instruments.keithley:Keithley2260B",
    "options": {"write_termination": "\n"},
    "settings": {"x": {"to": "voltage_setpoint", "read_back": "voltage_setpoint", "tolerance": 1e-4}},
    "start": ["output_enabled=true"],
    "status": "output_enabled",
    "running": [],
    "done": ["True"],
    "measure": {"y": "power"},
}
FAST = {"timeout_s": 0.8, "run_timeout_s": 2.0, "poll_s": 0.01}


class PowerSupply(ScpiInstrument):
    """What Keithley2260B expects: the output going on begins a run, and is not answered."""

    looks = ScpiInstrument.looks | {"OUTPut?"}
    on, unanswered = False, None

    def spoiling(self, parts):
        """What would spoil the answer to the start spoils the next one that is given."""
        if "OUTPut 1" in parts:
            self.unanswered = self.fault
            return None
        fault, self.unanswered = self.unanswered, None
        return fault

    def obey(self, command):
        word, _, value = command.removeprefix("SOUR:").partition(" ")
        match word:
            case "OUTPut":
                self.on = value == "1"
                return self.start() if self.on else None
            case "OUTPut?":
                return str(int(self.on))
        return super().obey(f"{word} {value}".strip())

    def lose(self):
        """It comes up again with its output off, as supplies do."""
        super().lose()
        self.on = False


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def instrument():
    instrument = PowerSupply()
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda *, task_status: instrument.serve(task_status=task_status))
        yield instrument
        tasks.cancel_scope.cancel()


@pytest.fixture
async def door():
    async with opened("scpi", make_lab(duration_s=0.1)) as door:
        yield door


def runner_at(port, fields, **more):
    return PymeasureRunner(resource=f"TCPIP0::127.0.0.1::{port}::SOCKET", **(fields | FAST | more))


class TestADriverKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def lab(self, door):
        return door.lab

    @pytest.fixture
    def make_runner(self, door):
        return lambda: runner_at(door.port, TWIN)


class TestAStockDriverKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def lab(self, instrument):
        return instrument

    @pytest.fixture
    def make_runner(self, instrument):
        return lambda: runner_at(instrument.port, STOCK)


@pytest.mark.anyio
async def test_a_killed_engine_with_two_instruments_goes_on_and_starts_nothing_twice(door, tmp_path):
    async with opened("scpi", make_lab(duration_s=0.1)) as other:

        async def starts():
            return await door.lab.starts() + await other.lab.starts()

        both = [TWIN | {"resource": one.address, "poll_s": 0.01} for one in (door, other)]
        loop = await killed_and_resumed("pymeasure", both, starts=starts, folder=tmp_path, parallelism=2)

    assert 1 <= len(loop.lost) <= 2  # drivers name no runs


# A driver as it comes with pymeasure


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (None, ("completed", 4.0)),
        ("drift", ("completed", 4.1)),
        ("refuse", ("refused", None)),
        ("alarm", ("failed", None)),
        ("stuck", ("failed", None)),
    ],
)
async def test_a_stock_driver_runs_over_tcp(instrument, fault, outcome):
    async with runner_at(instrument.port, STOCK) as runner:
        await instrument.arm(fault)
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert (ended.outcome, ended.value) == outcome
    assert instrument.begun == (0 if fault in ("refuse", "stuck") else 1)
    assert "OUTPut 0" in instrument.heard[-2:]  # the driver's own shutdown


@pytest.mark.anyio
async def test_what_the_driver_does_not_let_out_fails_the_trial(instrument):
    async with runner_at(instrument.port, STOCK | {"start": ["output_enabled=soon"]}) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert (ended.outcome, instrument.begun) == ("failed", 0)
    assert "soon is not in the discrete set" in ended.reason


# What cannot work


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "kind", "told"),
    [
        ({"resource": "TCPIP0::127.0.0.1::1::SOCKET"}, RunnerError, "refused"),
        ({"resource": "my desk"}, ConfigurationError, "resource is 'my desk': write it as VISA does"),
        ({"driver": "pymeasure.instruments.keithley:Keithley1"}, ConfigurationError, "there is no driver"),
        ({"driver": "no.such.module:Driver"}, ConfigurationError, "there is no driver"),
        ({"measure": {"y": "powr"}}, ConfigurationError, "has no property or method 'powr'"),
        ({"options": {"colour": "red"}}, ConfigurationError, "colour"),
        ({"identity": "KEYSIGHT"}, RunnerError, "says it is 'ACME,PSU,0,1', not 'KEYSIGHT'"),
    ],
)
async def test_what_cannot_work_is_told_before_the_first_trial(instrument, fields, kind, told):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        address = f"TCPIP0::127.0.0.1::{instrument.port}::SOCKET"
        await client.configure_runner(PymeasureRunner(**({"resource": address} | STOCK | FAST | fields)))
        with pytest.raises(kind, match=told):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0
        assert instrument.begun == 0


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"driver": "Keithley2260B"}, "give module:Class"),
        ({"start": []}, "name what starts a run"),
        ({"measure": {}}, "name a property for each metric"),
        ({"settings": {"x": {"to": "voltage", "unit": "volts"}}}, "'volts' is no unit known here"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        runner_at(1, STOCK | fields)


def test_a_parameter_without_a_setting_is_refused():
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        runner_at(1, STOCK).check_space(
            search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
        )


@pytest.mark.anyio
@pytest.mark.parametrize("missing", ["pymeasure.instruments", "pyvisa_py"])
async def test_a_missing_library_is_named_with_its_extra(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[visa\]'"):
        async with runner_at(1, STOCK):
            pass


@pytest.mark.anyio
async def test_the_doctor_is_told_who_answers_and_what_is_wrong(instrument):
    instrument.queue = ['-350,"Queue overflow"']
    found = await runner_at(instrument.port, STOCK).probe()
    absent = await runner_at(1, STOCK).probe()

    assert [one.level for one in found] == ["ok", "warn"]
    assert "ACME,PSU,0,1" in found[0].what
    assert [one.level for one in absent] == ["fail"]
    assert instrument.begun == 0


def test_every_error_of_the_library_has_a_meaning():
    assert PymeasureRunner.errors.unlisted(pymeasure.errors, pyvisa.errors) == []
    assert PymeasureRunner.errors.dangling() == []
