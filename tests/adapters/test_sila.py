"""SiLA 2: the twin on the UniteLabs CDK, and a reactor on two implementations that know nothing of each other."""

from __future__ import annotations

import sys
from typing import ClassVar

import pytest
import sila.client
import sila.framework
import structlog
from msgspec import structs
from tests.adapters.loops import killed_and_resumed
from tests.adapters.servers.reactor import yield_at
from tests.adapters.stopping import RUN_S, StopOfSeveralContract
from tests.adapters.twin.wiring import make_lab, opened

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.space import search_space
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.sila import SilaRunner

TWIN = {
    "command": "Reactor.Run",
    "settings": {"volt": {"to": "Volt", "unit": "V", "read_back": "Conditions.volt"}},
    "constants": {"Amp": 1.0},
    "key": "Key",
    "measure": {"y": "Power"},
    "safe": ("Reactor.Stop",),
}
REACTOR = {
    "command": "Reactor.RunReaction",
    "settings": {"x": {"to": "Temperature", "unit": "degC"}},
    "measure": {"y": "Yield"},
    "intermediate": {"temperature": "CurrentTemperature"},
}
SHORT = {"host": "127.0.0.1", "tls": False, "timeout_s": 0.8, "run_timeout_s": 2.0, "poll_s": 0.01}


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"  # gRPC knows no other


@pytest.fixture(autouse=True)
def quiet():
    """The server's library prints each error, with a page of variables; here they happen on purpose."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(scope="module")
async def door():
    async with opened("sila", make_lab(0.1, places=2)) as door:
        yield door


@pytest.fixture
async def lab(door):
    """The twin in its first state, with starts counted from here."""
    await door.lab.settled()
    door.lab.faults.arm()
    door.lab.safe_state()
    return Since(door.lab, door.lab.ledger.starts())


class Since:
    """The lab of all tests, as one test sees it."""

    def __init__(self, lab, before):
        self.lab, self.before = lab, before
        self.arm, self.settled = lab.arm, lab.settled

    async def starts(self):
        return await self.lab.starts() - self.before


@pytest.fixture
def make_runner(door, lab):
    return lambda **fields: SilaRunner(port=door.port, **(TWIN | SHORT | fields))


class TestSilaKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0
    points = ({"volt": 2.0}, {"volt": 3.0})
    cannot: ClassVar = {"duplicate": "HTTP/2 counts its frames: a reply that comes twice breaks the connection"}

    def expected(self, parameters):
        return parameters["volt"] ** 2

    @pytest.fixture(scope="module")
    @classmethod
    def anyio_backend(cls):
        return "asyncio"

    @pytest.fixture
    def make_runner(self, make_runner):
        return make_runner


# --- stopping ---------------------------------------------------------------------------------------------------------


class TestStopping(StopOfSeveralContract):
    parameters: ClassVar = {"volt": 2.0}
    other: ClassVar = {"volt": 3.0}

    @pytest.fixture(scope="module")
    @classmethod
    def anyio_backend(cls):
        return "asyncio"

    @pytest.fixture(scope="module")
    async def slow(self):
        async with opened("sila", make_lab(RUN_S, places=2)) as door:
            yield door

    @pytest.fixture
    async def door(self, slow):
        slow.lab.faults.arm()
        slow.lab.safe_state()
        return slow

    @pytest.fixture
    def stoppable(self, door):
        stop = {"stop": "CancelController.CancelCommand", "stop_timeout_s": 8.0, "safe": ()}
        return lambda **fields: SilaRunner(
            port=door.port, **(TWIN | SHORT | {"places": 2, "run_timeout_s": 60.0, "timeout_s": 2.0} | stop | fields)
        )

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"stop_with": {"Uuid": "{uuid}"}}, "CancelController.CancelCommand takes CommandExecutionUUID"),
            ({"stop": "CancelController.Cancel"}, "has no element 'Cancel'"),
        ],
    )
    async def test_a_stop_that_the_server_does_not_have_is_told_on_connecting(self, stoppable, fields, told):
        with pytest.raises(ConfigurationError, match=told):
            async with stoppable(**fields):
                pass


def test_a_stop_that_names_no_run_is_refused():
    with pytest.raises(ConfigurationError, match="say which run it ends"):
        SilaRunner(**(TWIN | SHORT), stop="Reactor.StopRun", stop_with={"CommandExecutionUUID": "all"})


# --- the same reactor on two implementations --------------------------------------------------------------------------


@pytest.fixture(params=["sila", "sila_independent"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def at_server(server):
    return lambda **fields: SilaRunner(port=server.port, **(REACTOR | SHORT | {"run_timeout_s": 5.0} | fields))


class Said:
    """What a runner has recorded and reported."""

    def __init__(self):
        self.recorded, self.reported = {}, []

    async def record(self, metadata):
        self.recorded = dict(metadata)

    async def report(self, data, progression):
        self.reported.append((data, progression))


@pytest.mark.anyio
async def test_a_run_tells_how_it_goes_and_gives_its_result(server, at_server):
    said, before = Said(), server.starts()
    async with at_server() as runner:
        result = await runner.run(attempt_of({"x": 64.0}), said.record, said.report)

    assert (result.data, result.executed) == ({"y": yield_at(64.0)}, None)
    assert server.starts() == before + 1
    told = [data["temperature"] for data, _ in said.reported]
    assert told == sorted(told)
    assert set(told) <= {20.0 + 44.0 * step / 5 for step in range(5)}
    assert all(0.0 <= progression <= 1.0 for _, progression in said.reported)


@pytest.mark.anyio
async def test_a_command_that_takes_a_key_is_known_by_it_to_others(lab, make_runner):
    said, attempt = Said(), attempt_of({"volt": 2.0})
    async with make_runner() as runner:
        await runner.run(attempt, said.record, said.report)

    assert said.recorded["key"] == attempt.key
    assert lab.lab.ledger.starts(attempt.key) == 1


@pytest.mark.anyio
async def test_the_servers_own_error_is_why_it_failed(at_server):
    async with at_server() as runner:
        with pytest.raises(RunnerError, match=r"TooHotError: 230\.0 degrees"):
            await runner.run(attempt_of({"x": 230.0}), None, None)


@pytest.mark.anyio
async def test_another_process_takes_a_run_up_by_its_uuid(server, at_server):
    said, attempt, before = Said(), attempt_of({"x": 72.0}), server.starts()
    async with at_server() as first:
        await first.run(attempt, said.record, said.report)
    async with at_server() as second:
        result = await second.reattach(structs.replace(attempt, metadata=said.recorded))

    assert result.data == {"y": yield_at(72.0)}
    assert server.starts() == before + 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("recorded", "error", "told"),
    [
        ({}, NeverSeen, "was never started"),
        ({"command": "Reactor.RunReaction"}, OutcomeUnknown, "what the server calls it was not recorded"),
        ({"uuid": "00000000-0000-0000-0000-000000000000"}, OutcomeUnknown, "the server knows no execution 0000"),
    ],
)
async def test_what_was_not_recorded_or_is_not_known_is_not_done(at_server, recorded, error, told):
    async with at_server() as runner:
        with pytest.raises(error, match=told):
            await runner.reattach(attempt_of({"x": 1.0}, metadata=recorded))


@pytest.mark.anyio
async def test_the_doctor_is_told_who_answers(server, at_server):
    before = server.starts()
    (found,) = await at_server().probe()

    assert (found.level, found.what.startswith("Reactor has ")) == ("ok", True)
    assert "Reactor" in found.what
    assert server.starts() == before


# --- what cannot work -------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"command": "Reactr.Run"}, r"'Reactr\.Run' \(write Feature\.Name\): No feature is named 'Reactr'"),
        ({"command": "Reactor.Rum"}, "has no element 'Rum'. Did you mean 'Run'"),
        ({"command": "Reactor.Stop"}, "it is not observable"),
        ({"measure": {"y": "Yeld"}}, r"measure is 'Yeld': Reactor\.Run has Power, Ripple"),
        ({"constants": {}}, r"Reactor\.Run also wants Amp"),
        ({"constants": {"Amp": 1.0, "Watt": 1.0}}, r"settings is 'Watt': Reactor\.Run has Volt, Amp, Key"),
        ({"intermediate": {"y": "Power"}}, r"intermediate is 'Power': Reactor\.Run has none"),
        ({"safe": ("Reactor.Halt",)}, "has no element 'Halt'"),
        ({"metadata": {"AuthorizationService.AccessToken": "t"}}, "No feature is named 'AuthorizationService'"),
        ({"tls": True, "certificate": "/nowhere/ca.pem"}, "certificate is '/nowhere/ca.pem': it cannot be read"),
    ],
)
async def test_what_the_server_does_not_have_is_told_on_connecting(make_runner, fields, told):
    with pytest.raises(ConfigurationError, match=told):
        async with make_runner(**fields):
            pass


@pytest.mark.anyio
async def test_a_server_that_is_not_there_is_told_before_the_first_trial():
    absent = SilaRunner(port=1, **(TWIN | SHORT | {"connect_timeout_s": 0.2}))
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("volt", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(absent)
        with pytest.raises(SubmissionRefused, match=r"connecting to 127\.0\.0\.1:1"):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0
    assert [one.level for one in await absent.probe()] == ["fail"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"measure": {}}, "name a path for each metric"),
        ({"settings": {"volt": {"to": "Volt", "unit": "V", "sent_in": "K"}}}, r"V \(voltage\) cannot be sent in K"),
        ({"places": 0}, "places is 0"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        SilaRunner(**(TWIN | SHORT | fields))


def test_a_parameter_without_a_setting_is_refused():
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        SilaRunner(**(TWIN | SHORT)).check_space(
            search_space([RangeParameterConfig("volt", (0, 1)), RangeParameterConfig("gas", (0, 1))])
        )


@pytest.mark.anyio
async def test_a_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sila.client", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[sila\]'"):
        async with SilaRunner(**(TWIN | SHORT)):
            pass


def test_every_error_of_the_library_has_a_meaning():
    assert SilaRunner.errors.unlisted(sila.framework, sila.client) == []
    assert SilaRunner.errors.dangling() == []


# --- the closed loop --------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_killed_engine_takes_its_runs_up_and_starts_nothing_twice(door, lab, tmp_path):
    def confirmed():
        """Starts whose confirmation has had the time to be recorded: of others, a person is asked."""
        runs = [lab.lab.runs.look(number + 1) for number in range(lab.before, lab.lab.ledger.starts())]
        return sum(run.state != "running" or run.progress > 0.4 for run in runs)

    loop = await killed_and_resumed(
        "sila",
        TWIN | {"host": "127.0.0.1", "port": door.port, "tls": False, "places": 2},
        starts=confirmed,
        folder=tmp_path,
        parameters={"volt": (0.0, 3.0)},
        parallelism=2,
    )

    # A run whose uuid was not yet recorded when the engine died is a person's; it may not have begun.
    assert 12 - len(loop.lost) <= loop.starts <= 12
