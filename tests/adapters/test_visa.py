"""SCPI through VISA: pyvisa-py over TCP against instruments that go wrong, and what pyvisa-sim plays."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest
import pyvisa.errors
import pyvisa.rname
from tests.adapters.loops import killed_and_resumed
from tests.adapters.scpi_server import ScpiInstrument
from tests.adapters.twin.wiring import make_lab, opened

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import RunnerError
from titrant.model.space import search_space
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.visa import VisaRunner

FIELDS = {
    "settings": {"x": {"to": "VOLT", "read_back": "VOLT?", "tolerance": 1e-6}},
    "measure": {"y": "MEAS:POW?"},
    "status": "STAT?",
    "safe": ["OUTP OFF"],
}
TWIN = {
    "settings": {"x": {"to": "SOUR:VOLT", "read_back": "SOUR:VOLT?", "tolerance": 1e-6}},
    "measure": {"y": "FETC? POWER"},
    "status": "RUN:STAT?",
    "running": ["RUNNING"],
    "safe": ["ABOR"],
}
PLAYED = {
    "resource": "TCPIP0::psu::5025::SOCKET",
    "library": f"{Path(__file__).with_name('data') / 'visa_run.yaml'}@sim",
    "settings": FIELDS["settings"],
    "measure": {"y": "VOLT?"},
    "safe": ["OUTP OFF"],
}
FAST = {"timeout_s": 0.8, "run_timeout_s": 2.0, "poll_s": 0.01}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def instrument():
    instrument = ScpiInstrument()
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda *, task_status: instrument.serve(task_status=task_status))
        yield instrument
        tasks.cancel_scope.cancel()


@pytest.fixture
async def door():
    async with opened("scpi", make_lab(duration_s=0.1)) as door:
        yield door


def runner_at(port, fields, **more):
    return VisaRunner(resource=f"TCPIP0::127.0.0.1::{port}::SOCKET", **(fields | FAST | more))


class TestVisaKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def lab(self, instrument):
        return instrument

    @pytest.fixture
    def make_runner(self, instrument):
        return lambda: runner_at(instrument.port, FIELDS)


class TestVisaOverTheTwinsWire(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def lab(self, door):
        return door.lab

    @pytest.fixture(params=["nameless", "named", "awaited"])
    def make_runner(self, door, request):
        named = TWIN | {"start": 'INIT "{key}"', "status": 'RUN:STAT? "{key}"', "measure": {"y": 'FETC? POWER,"{key}"'}}
        fields = {"nameless": TWIN, "named": named, "awaited": TWIN | {"status": ""}}[request.param]
        return lambda: runner_at(door.port, fields)


@pytest.mark.anyio
async def test_a_killed_engine_with_two_instruments_goes_on_and_starts_nothing_twice(door, tmp_path):
    async with opened("scpi", make_lab(duration_s=0.1)) as other:

        async def starts():
            return await door.lab.starts() + await other.lab.starts()

        both = [TWIN | {"resource": one.address, "poll_s": 0.01} for one in (door, other)]
        loop = await killed_and_resumed("visa", both, starts=starts, folder=tmp_path, parallelism=2)

    assert 1 <= len(loop.lost) <= 2  # these instruments know no names of runs


@pytest.mark.anyio
async def test_a_killed_engine_finds_the_run_of_an_instrument_that_names_its_runs(door, tmp_path):
    fields = TWIN | {"start": 'INIT "{key}"', "latest": "RUN:NAME?", "resource": door.address, "poll_s": 0.01}
    loop = await killed_and_resumed("visa", fields, starts=door.lab.starts, folder=tmp_path)

    assert (loop.lost, len(loop.found)) == ([], 1)


# What pyvisa-sim plays


@pytest.mark.anyio
async def test_a_closed_loop_runs_on_what_pyvisa_sim_plays():
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 6.0))])
        await client.configure_optimization("y")
        await client.configure_generation_strategy("random_search")
        await client.configure_runner(VisaRunner(**PLAYED | {"settings": {"x": {"to": "VOLT"}}}))
        await client.run_trials(max_trials=4, progress=False)
        done = client.state.trials()

    assert [trial.status.name for trial in done] == ["COMPLETED"] * 4


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("x", "fields", "outcome"),
    [
        (2.5, {}, ("completed", 2.5)),
        (9.0, {}, ("refused", None)),  # -222, before the start
        (2.5, {"measure": {"y": "MEAS:BROKEN?"}}, ("unknown", None)),
    ],
)
async def test_what_pyvisa_sim_answers_has_a_stated_outcome(x, fields, outcome):
    async with VisaRunner(**(PLAYED | FAST | fields)) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": x}))

    assert (ended.outcome, ended.value) == outcome, ended


# Answers and whose they are


@pytest.mark.anyio
async def test_a_late_answer_is_never_the_answer_to_the_next_question(instrument):
    async with runner_at(instrument.port, FIELDS) as runner:
        await instrument.arm("late_reply", 1.2)
        with pytest.raises(RunnerError):
            await runner.run(attempt_of({"x": 2.0}), None, None)
        await instrument.settled()

        assert await runner._ask("*IDN?") == "ACME,PSU,0,1"
        assert runner.session.opened >= 2


@pytest.mark.anyio
async def test_the_end_of_a_run_may_be_awaited_longer_than_an_answer(door):
    fields = TWIN | {"status": "", "timeout_s": 0.08, "run_timeout_s": 5.0}
    async with runner_at(door.port, FIELDS | fields, timeout_s=0.08, run_timeout_s=5.0) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

        assert (ended.outcome, runner.session.opened) == ("completed", 1)


# What cannot work


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "kind", "told"),
    [
        ({"resource": "TCPIP0::127.0.0.1::1::SOCKET"}, RunnerError, r"127\.0\.0\.1::1::SOCKET.*refused"),
        ({"resource": "ASRL/dev/nowhere::INSTR"}, RunnerError, "ASRL/dev/nowhere::INSTR"),
        ({"resource": "psu on my desk"}, ConfigurationError, "resource is 'psu on my desk': write it as VISA does"),
        ({"library": "@nowhere"}, ConfigurationError, "cannot be opened"),
        ({"options": {"colour": "red"}}, ConfigurationError, "colour"),
        ({"identity": "KEYSIGHT"}, RunnerError, "says it is 'ACME,PSU,0,1', not 'KEYSIGHT'"),
    ],
)
async def test_what_cannot_work_is_told_before_the_first_trial(instrument, fields, kind, told):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        address = f"TCPIP0::127.0.0.1::{instrument.port}::SOCKET"
        await client.configure_runner(VisaRunner(**({"resource": address} | FIELDS | FAST | fields)))
        with pytest.raises(kind, match=told):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0
        assert instrument.begun == 0


@pytest.mark.anyio
@pytest.mark.parametrize("missing", ["pyvisa", "pyvisa_py"])
async def test_a_missing_library_is_named_with_its_extra(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[visa\]'"):
        async with runner_at(1, FIELDS):
            pass


def test_a_wrong_unit_and_a_missing_setting_are_refused():
    with pytest.raises(ConfigurationError, match="'volts' is no unit known here"):
        runner_at(1, FIELDS | {"settings": {"x": {"to": "VOLT", "unit": "volts"}}})
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        runner_at(1, FIELDS).check_space(
            search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
        )


@pytest.mark.anyio
async def test_the_doctor_is_told_who_answers_and_who_does_not(instrument):
    found = await runner_at(instrument.port, FIELDS).probe()
    absent = await runner_at(1, FIELDS).probe()

    assert [one.level for one in found] == ["ok"]
    assert "ACME,PSU,0,1" in found[0].what
    assert [one.level for one in absent] == ["fail"]
    assert instrument.begun == 0


def test_every_error_of_the_library_has_a_meaning():
    assert VisaRunner.errors.unlisted(pyvisa.errors, pyvisa.rname) == []
    assert VisaRunner.errors.dangling() == []
