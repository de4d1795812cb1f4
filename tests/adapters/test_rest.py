"""Any REST service from a mapping, against the lab twin behind HTTP."""

from __future__ import annotations

import pytest
from tests.adapters.loops import killed_and_resumed
from tests.adapters.twin.wiring import Voltage, make_lab, opened

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError
from titrant.model.space import search_space
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.rest import RestRunner

FIELDS = {
    "settings": {"x": {"to": "volt", "read_back": "/conditions/volt"}},
    "start": {"method": "POST", "path": "/runs", "json": {"key": "{key}", "parameters": {"volt": "{x}"}}},
    "find": {"path": "/runs", "query": {"key": "{key}"}},
    "status": {"path": "/runs/{id}"},
    "id": "/number",
    "measure": {"y": "/values/power"},
    "quality": "/quality",
    "stop": {"method": "DELETE", "path": "/runs/{id}"},
    "safe": [{"method": "POST", "path": "/safe-state"}],
    "poll_s": 0.01,
}
SET = {"method": "PUT", "path": "/settings/{to}", "json": {"value": "{value}"}}
GET = {"path": "/settings/{to}"}
PARALLEL = 3


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def door():
    async with opened("rest", make_lab(matter=Voltage, places=PARALLEL, honours_keys=True)) as door:
        yield door


@pytest.fixture
def lab(door):
    return door.lab


@pytest.fixture
def make_runner(door):
    def make(**fields):
        return RestRunner(**FIELDS | {"url": door.address, "timeout_s": 1.0, "run_timeout_s": 2.0} | fields)

    return make


class Contract(RunnerContract):
    deadline_s = 1.0
    run_deadline_s = 2.0

    def expected(self, parameters):
        return parameters["x"] ** 2


class TestRunsFoundByTheirKey(Contract):
    @pytest.fixture
    def make_runner(self, make_runner):
        return make_runner


class TestKeysThatAreHonoured(Contract):
    @pytest.fixture
    def make_runner(self, make_runner):
        return lambda: make_runner(find=None, honours_keys=True)


class TestSettingsMadeBeforeTheStart(Contract):
    @pytest.fixture
    def make_runner(self, make_runner):
        start = {"method": "POST", "path": "/runs", "json": {"key": "{key}"}}
        settings = {"x": {"to": "volt", "read_back": "/actual"}}
        return lambda: make_runner(start=start, settings=settings, set=SET, get=GET)


@pytest.mark.anyio
async def test_a_killed_engine_finds_its_runs_again(tmp_path):
    async with opened("rest", make_lab(0.15, matter=Voltage, places=PARALLEL)) as door:
        loop = await killed_and_resumed(
            "rest",
            {**FIELDS, "url": door.address, "places": PARALLEL, "absence_is_proof": True},
            starts=door.lab.starts,
            folder=tmp_path,
            trials=14,
            parallelism=PARALLEL,
        )

    assert loop.lost == []
    assert loop.starts == 14


# --- what cannot work -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"url": "lab:8000"}, "url is 'lab:8000': write http:// or https://"),
        ({"measure": {"y": "values.power"}}, r"measure\.y is 'values\.power': a JSON pointer begins with a slash"),
        ({"settings": {}}, r"no setting fills \{x\}"),
        ({"settings": FIELDS["settings"] | {"gas": {"to": "gas"}}}, r"write \{gas\} where it belongs"),
        ({"settings": {"x": {"to": "volt", "unit": "volts"}}}, "'volts' is no unit known here"),
        ({"set": SET, "places": 2}, "settings made before the start are for one run at a time"),
        ({"get": GET}, "nothing is set before the start"),
        ({"status": None}, "status is None: say how to ask for a run that was found again"),
        ({"start": {"path": "/runs", "json": "{x}{id}"}}, r"\{id\} is known only where `create` gives it"),
        ({"start": {"path": "/runs", "json": "{x}"}, "honours_keys": True}, "honours_keys is True: send the key"),
        ({"start": {"path": "/runs", "methods": "GET"}}, "unknown field `methods`"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        RestRunner(**FIELDS | {"url": "http://lab"} | fields)


def test_a_parameter_without_a_setting_is_refused():
    space = search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        RestRunner(**FIELDS, url="http://lab").check_space(space)


@pytest.mark.anyio
async def test_a_service_that_is_not_there_is_told_before_the_first_trial(make_runner):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(make_runner(url="http://127.0.0.1:1"))
        with pytest.raises(RunnerError, match=r"GET / at http://127\.0\.0\.1:1: ConnectError"):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0


@pytest.mark.anyio
async def test_the_doctor_is_told_who_answers(lab, make_runner):
    (found,) = await make_runner().probe()
    (absent,) = await make_runner(url="http://127.0.0.1:1").probe()

    assert (found.level, absent.level) == ("ok", "fail")
    assert "lab twin" in found.what
    assert await lab.starts() == 0


# --- runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_run_can_be_stopped(lab, make_runner):
    async with make_runner() as runner:
        lab.start("k", {"volt": 2.0})
        await runner.stop(attempt_of({"x": 2.0}, metadata={"key": "k"}))

    assert lab.find("k").state == "stopped"
    assert not hasattr(make_runner(stop=None), "stop")


@pytest.mark.anyio
async def test_a_run_that_the_service_does_not_know_was_never_seen(make_runner):
    async with make_runner() as runner:
        for metadata in ({"key": "nobody's"}, {"id": 77}):
            with pytest.raises(NeverSeen, match="knows no run"):
                await runner.reattach(attempt_of({"x": 1.0}, metadata=metadata))


@pytest.mark.anyio
async def test_a_value_beyond_the_bounds_is_no_start_and_is_not_tried_again(lab, make_runner):
    async with make_runner() as runner:
        with pytest.raises(RunnerError, match=r"422: .*volt takes 0 to 6 V, not 99") as caught:
            await runner.run(attempt_of({"x": 99.0}), None, None)

    assert type(caught.value) is RunnerError
    assert await lab.starts() == 0


@pytest.mark.anyio
async def test_an_answer_that_the_mapping_does_not_fit_leaves_the_run_open(lab, make_runner):
    async with make_runner(find=None, id="/nummer") as runner:
        with pytest.raises(OutcomeUnknown, match="there is no /nummer in"):
            await runner.run(attempt_of({"x": 1.0}), None, None)

    assert await lab.starts() == 1
