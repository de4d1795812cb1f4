"""SCPI over TCP, against an instrument that goes wrong when told to."""

from __future__ import annotations

import anyio
import pytest
from tests.adapters.scpi_server import ScpiInstrument
from tests.adapters.twin.wiring import opened

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import RunnerError
from titrant.model.space import search_space
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.scpi import ScpiRunner

SETTINGS = {"x": {"to": "VOLT", "read_back": "VOLT?", "tolerance": 1e-6}}
FIELDS = {"settings": SETTINGS, "measure": {"y": "MEAS:POW?"}, "status": "STAT?", "safe": ("OUTP OFF",)}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def lab():
    instrument = ScpiInstrument()
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda *, task_status: instrument.serve(task_status=task_status))
        yield instrument
        tasks.cancel_scope.cancel()


@pytest.fixture
def make_runner(lab):
    def make(**fields):
        given = FIELDS | {"timeout_s": 0.3, "run_timeout_s": 1.0, "poll_s": 0.01} | fields
        return ScpiRunner(host="127.0.0.1", port=lab.port, **given)

    return make


class TestScpiKeepsTheContract(RunnerContract):
    deadline_s = 0.3
    run_deadline_s = 1.0

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, make_runner):
        return make_runner


@pytest.mark.anyio
async def test_a_closed_loop_runs_through_the_engine(lab, make_runner):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_generation_strategy("random_search")
        await client.configure_runner(make_runner())
        await lab.arm("refuse")
        await client.run_trials(max_trials=4, progress=False)
        done = client.state.trials()

    assert [trial.status.name for trial in done] == ["COMPLETED"] * 4
    assert lab.begun == 4
    assert lab.heard[-1].startswith("OUTP OFF")


@pytest.mark.anyio
async def test_an_instrument_that_is_not_there_is_told_before_the_first_trial(make_runner, lab):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(ScpiRunner(host="127.0.0.1", port=1, **FIELDS))
        with pytest.raises(RunnerError, match=r"127\.0\.0\.1:1 does not take connections"):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "missing required field `measure`"),
        ({"measure": {}}, "measure is {}: name a query for each metric"),
        ({"measure": {"y": "MEAS:POW"}}, r"measure\.y is 'MEAS:POW': a query ends with a question mark"),
        ({"measure": {"y": "Y?"}, "hots": "a"}, "there is no field 'hots': did you mean 'host'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        ScpiRunner(host="psu", **fields)


def test_a_parameter_without_a_setting_is_refused():
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        ScpiRunner(host="psu", **FIELDS).check_space(
            search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
        )


@pytest.mark.anyio
async def test_another_instrument_at_the_same_address_is_not_used(lab, make_runner):
    with pytest.raises(RunnerError, match="says it is 'ACME,PSU,0,1', not 'KEYSIGHT'"):
        async with make_runner(identity="KEYSIGHT"):
            pass


@pytest.mark.anyio
async def test_the_doctor_is_told_who_answers_and_what_is_wrong(lab, make_runner):
    lab.queue = ['-350,"Queue overflow"']
    found = await make_runner().probe()
    absent = await ScpiRunner(host="127.0.0.1", port=1, **FIELDS).probe()

    assert [one.level for one in found] == ["ok", "warn"]
    assert "ACME,PSU,0,1" in found[0].what
    assert [one.level for one in absent] == ["fail"]
    assert absent[0].remedy
    assert lab.begun == 0


@pytest.mark.anyio
async def test_a_late_answer_is_never_the_answer_to_the_next_question(lab, make_runner):
    async with make_runner() as runner:
        await lab.arm("late_reply", 0.4)
        with pytest.raises(RunnerError):
            await runner.run(attempt_of({"x": 2.0}), None, None)
        await lab.settled()

        assert await runner._ask("*IDN?") == "ACME,PSU,0,1"
        assert runner.session.opened == 2


@pytest.mark.anyio
async def test_an_instrument_that_takes_a_name_for_the_run_is_given_ours():
    attempt, recorded = attempt_of({"x": 2.0}), {}

    async def record(metadata):
        recorded.update(metadata)

    async with opened("scpi") as door:
        settings = {"x": {"to": "SOUR:VOLT", "read_back": "SOUR:VOLT?"}}
        fields = {"settings": settings, "start": 'INIT "{key}"', "measure": {"y": "FETC? POWER"}}
        async with ScpiRunner(host="127.0.0.1", port=door.port, **fields) as runner:
            result = await runner.run(attempt, record, None)

    assert (result.data, recorded) == ({"y": 4.0}, {"key": attempt.key})
    assert door.lab.ledger.starts(attempt.key) == 1
