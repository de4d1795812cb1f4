"""SCPI over TCP, against an instrument that goes wrong when told to, the lab twin, and what pyvisa-sim plays."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.abc
import pytest
import pyvisa
from anyio.streams.buffered import BufferedByteReceiveStream
from tests.adapters.loops import killed_and_resumed
from tests.adapters.scpi_server import ScpiInstrument
from tests.adapters.stopping import RUN_S, StopContract
from tests.adapters.twin.wiring import make_lab, opened

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
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
        given = FIELDS | {"timeout_s": 0.8, "run_timeout_s": 2.0, "poll_s": 0.01} | fields
        return ScpiRunner(host="127.0.0.1", port=lab.port, **given)

    return make


class TestScpiKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0

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
        ({"measure": {"y": "Y?"}, "latest": "NAME?"}, 'write "{key}" where it takes the name by which latest asks'),
        ({"measure": {"y": 'Y? "{key}"'}}, 'write "{key}" where it takes the name by which measure.y asks'),
        ({"measure": {"y": "Y?"}, "stop": "ABOR"}, "it needs the query for the status"),
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
        await lab.arm("late_reply", 1.2)
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


# --- the lab twin -----------------------------------------------------------------------------------------------------

TWIN = {
    "settings": {"x": {"to": "SOUR:VOLT", "read_back": "SOUR:VOLT?", "tolerance": 1e-6}},
    "measure": {"y": "FETC? POWER"},
    "status": "RUN:STAT?",
    "running": ["RUNNING"],
    "safe": ["ABOR"],
    "identity": "lab twin",
}


NAMED = TWIN | {
    "start": 'INIT "{key}"',
    "status": 'RUN:STAT? "{key}"',
    "measure": {"y": 'FETC? POWER,"{key}"'},
}
"""Where the instrument is asked for a run by its name."""
LATEST = TWIN | {"start": 'INIT "{key}"', "latest": "RUN:NAME?"}
"""Where it tells the name of its latest run."""
AWAITED = {name: value for name, value in TWIN.items() if name != "status"}
"""Where *OPC? is all there is."""
WAYS = {"nameless": TWIN, "named": NAMED, "latest": LATEST, "awaited": AWAITED, "awaited by name": LATEST | AWAITED}


class TestScpiKeepsTheContractWithTheTwin(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    async def door(self):
        async with opened("scpi", make_lab(duration_s=0.1)) as door:
            yield door

    @pytest.fixture
    def lab(self, door):
        return door.lab

    @pytest.fixture(params=WAYS)
    def make_runner(self, door, request):
        fields = WAYS[request.param] | {"timeout_s": 0.8, "run_timeout_s": 2.0, "poll_s": 0.01}
        return lambda: ScpiRunner(host="127.0.0.1", port=door.port, **fields)


class TestStopping(StopContract):
    said = "STOPPED"

    @pytest.fixture
    async def door(self):
        async with opened("scpi", make_lab(duration_s=RUN_S)) as door:
            yield door

    @pytest.fixture(params=["nameless", "named", "latest"])
    def stoppable(self, door, request):
        self.remembers = request.param == "named"
        stop = {"stop": 'ABOR "{key}"' if request.param == "named" else "ABOR", "stop_timeout_s": 5.0, "safe": ()}
        given = WAYS[request.param] | {"timeout_s": 2.0, "run_timeout_s": 60.0, "poll_s": 0.01} | stop
        return lambda **more: ScpiRunner(host="127.0.0.1", port=door.port, **(given | more))

    @pytest.mark.anyio
    async def test_a_run_that_somebody_else_started_is_not_stopped(self, door, stoppable):
        door.lab.start("another's")
        async with stoppable(stop_timeout_s=0.5, run_timeout_s=0.3) as runner:
            with pytest.raises(OutcomeUnknown, match="stopping trial"):
                await runner.stop(attempt_of({"x": 2.0}, metadata={"key": "mine"}))

        assert door.lab.latest().state == "running"


@pytest.mark.anyio
async def test_a_run_that_failed_leaves_no_error_to_the_next(tmp_path):
    """Where *OPC? tells of the end, only the queue tells how that was."""
    fields = AWAITED | {"timeout_s": 0.8, "run_timeout_s": 2.0}
    async with opened("scpi") as door, ScpiRunner(host="127.0.0.1", port=door.port, **fields) as runner:
        await door.lab.arm("defined_error")
        with pytest.raises(RunnerError, match=r"the run ended with -240,.*the nozzle is clogged"):
            await runner.run(attempt_of({"x": 2.0}), None, None)
        left = list(door.errors)
        result = await runner.run(attempt_of({"x": 3.0}), None, None)

    assert (left, result.data) == ([], {"y": 9.0})


@pytest.mark.anyio
async def test_a_killed_engine_goes_on_and_a_person_is_asked_for_the_run_that_was_under_way(tmp_path):
    async with opened("scpi", make_lab(duration_s=0.1)) as door:
        loop = await killed_and_resumed(
            "scpi",
            TWIN | {"host": "127.0.0.1", "port": door.port, "poll_s": 0.01},
            starts=door.lab.starts,
            folder=tmp_path,
            parameters={"x": (0.0, 3.0)},
        )

    assert (len(loop.lost), loop.found) == (1, [])


@pytest.mark.anyio
async def test_a_killed_engine_with_two_instruments_that_name_runs_finds_them_again(tmp_path):
    async with opened("scpi", make_lab(duration_s=0.1)) as first, opened("scpi", make_lab(duration_s=0.1)) as second:

        async def starts():
            return await first.lab.starts() + await second.lab.starts()

        both = [
            way | {"host": "127.0.0.1", "port": one.port, "poll_s": 0.01}
            for way, one in ((NAMED, first), (LATEST, second))
        ]
        loop = await killed_and_resumed("scpi", both, starts=starts, folder=tmp_path, parallelism=2)

    assert loop.begun_and_lost == 0


# --- what pyvisa-sim plays --------------------------------------------------------------------------------------------


@pytest.fixture
async def played():
    """The definitions of pyvisa-sim behind a TCP port."""
    library = f"{Path(__file__).with_name('data') / 'visa_run.yaml'}@sim"
    manager = pyvisa.ResourceManager(library)
    supply = manager.open_resource(
        "TCPIP0::psu::5025::SOCKET", read_termination="\n", write_termination="\n", timeout=50
    )

    async def talk(stream):
        received = BufferedByteReceiveStream(stream)
        async with stream:
            try:
                while True:
                    asked = (await received.receive_until(b"\n", 4096)).decode()
                    await stream.send(supply.query(asked).encode() + b"\n")
            except (anyio.IncompleteRead, anyio.EndOfStream, pyvisa.VisaIOError):
                return

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, talk)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.cancel_scope.cancel()
    supply.close()
    manager.close()


@pytest.fixture
def supply(played):
    fields = {"settings": SETTINGS, "measure": {"y": "VOLT?"}, "safe": ("OUTP OFF",), "timeout_s": 0.5}
    return lambda **more: ScpiRunner(host="127.0.0.1", port=played, **(fields | more))


@pytest.mark.anyio
async def test_a_closed_loop_runs_on_what_pyvisa_sim_plays(supply):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 6.0))])
        await client.configure_optimization("y")
        await client.configure_generation_strategy("random_search")
        await client.configure_runner(supply(identity="TITRANT,SUPPLY"))
        await client.run_trials(max_trials=12, progress=False)
        done = client.state.trials()

    assert [trial.status.name for trial in done] == ["COMPLETED"] * 12


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("x", "fields", "error", "told"),
    [
        (9.0, {}, SubmissionRefused, "VOLT 9.0 was answered with -222"),
        (1.0, {"start": "TRIG"}, RunnerError, "TRIG was answered with -113"),
        (1.0, {"measure": {"y": "MEAS:BROKEN?"}, "run_timeout_s": 0.4}, OutcomeUnknown, "the run took longer than 0.4"),
    ],
)
async def test_what_pyvisa_sim_answers_has_a_stated_outcome(supply, x, fields, error, told):
    async with supply(**fields) as runner:
        with pytest.raises(error, match=told):
            await runner.run(attempt_of({"x": x}), None, None)
