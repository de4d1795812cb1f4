"""Programs of this machine as instruments."""

from __future__ import annotations

import sys

import anyio
import pytest
from tests.adapters import program
from tests.adapters.loops import killed_and_resumed, killed_at
from tests.adapters.program_lab import ProgramLab, lives

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import NeverSeen, OutcomeUnknown
from titrant.model.space import search_space
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.shape import keepers
from titrant_adapters.shell import ShellRunner

SETTINGS = {"x": {"to": "x", "read_back": "x", "tolerance": 1e-6}}
PYTHON = [sys.executable, "-I", "-S"]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def lab(tmp_path):
    return ProgramLab(tmp_path / "lab")


@pytest.fixture
def fields(lab, tmp_path):
    return {
        "command": [*PYTHON, program.__file__, str(lab.folder), "{x}"],
        "settings": SETTINGS,
        "measure": {"y": "y"},
        "runs": str(tmp_path / "runs"),
        "poll_s": 0.01,
    }


@pytest.fixture
def make_runner(fields):
    return lambda **more: ShellRunner(**fields | {"run_timeout_s": 1.5} | more)


class TestShellKeepsTheContract(RunnerContract):
    deadline_s = 1.5

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, make_runner):
        return make_runner


@pytest.mark.anyio
async def test_a_killed_engine_finds_its_programs_again(lab, fields, tmp_path):
    config = fields | {"workers": 2, "run_timeout_s": 20.0}
    loop = await killed_and_resumed("shell", config, starts=lab.starts, folder=tmp_path, parallelism=2)

    assert loop.lost == []
    assert loop.starts == 12


def saying(text):
    """A command that writes a text into ``told.csv`` of the run's folder, and another to its output."""
    code = f"import sys, pathlib; pathlib.Path(sys.argv[1], 'told.csv').write_text({text!r}); print({text!r})"
    return [*PYTHON, "-c", code.replace("{", "{{").replace("}", "}}"), "{folder}"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("told", "result", "outcome", "said"),
    [
        ('started\n{"x": 2, "y": 4}', "", "completed", ""),
        ("by run 7\nx,y\n2,4", "told.csv", "completed", ""),
        ('{"x": 2}', "", "failed", "the result has no y; it has x"),
        ("[1]", "", "failed", "the result is no JSON object"),
        ("", "", "failed", "the result is no JSON"),
        ("", "gone.csv", "failed", "the result gone.csv cannot be read"),
    ],
)
async def test_the_result_is_the_last_line_or_a_file(make_runner, told, result, outcome, said):
    async with make_runner(command=saying(told), result=result) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert ended.outcome == outcome
    assert said in ended.reason
    assert ended.value == (4.0 if outcome == "completed" else None)


@pytest.mark.anyio
@pytest.mark.parametrize(("again_is_safe", "outcome"), [(False, "unknown"), (True, "failed")])
async def test_a_program_that_was_killed_may_have_acted(lab, make_runner, again_is_safe, outcome):
    await lab.arm("crash_in_run")
    async with make_runner(rerun_safe=again_is_safe) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert ended.outcome == outcome
    assert "ended with -9" in ended.reason


@pytest.mark.anyio
async def test_what_the_program_calls_ends_with_it(make_runner, tmp_path):
    """The shell waits for a process of its own; when time is up, both are ended."""
    command = ["sh", "-c", f"echo $$ > {tmp_path}/pids; sleep 600 & echo $! >> {tmp_path}/pids; wait"]
    async with make_runner(command=command, run_timeout_s=0.3) as runner:
        with pytest.raises(OutcomeUnknown, match=r"sh took longer than 0\.3 s"):
            await runner.run(attempt_of({"x": 2.0}), None, None)

    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2
    assert not any(lives(int(pid)) for pid in pids)


@pytest.mark.anyio
async def test_a_trial_can_be_stopped(lab, make_runner):
    await lab.arm("mute")
    attempt = attempt_of({"x": 2.0})
    async with make_runner(run_timeout_s=60.0) as runner, anyio.create_task_group() as tasks:
        carrier, ended = Carrier(runner, "y"), []

        async def carry():
            ended.append(await carrier.carry_out(attempt))

        tasks.start_soon(carry)
        while not lab.count():  # noqa: ASYNC110  (another process)
            await anyio.sleep(0.005)
        await runner.stop(attempt_of({"x": 2.0}, metadata=carrier.recorded))

    assert ended[0].outcome == "failed"
    assert ended[0].reason.startswith("it was stopped")


@pytest.mark.anyio
async def test_an_engine_that_dies_between_record_and_call_is_no_reason_to_ask_anybody(lab, fields, tmp_path):
    loop = await killed_at("runner.recorded#2", "shell", fields, starts=lab.starts, folder=tmp_path)

    assert (loop.at_kill, loop.starts) == (1, 3)
    assert (loop.lost, loop.ended["trial.completed"]) == ([], 3)


@pytest.mark.anyio
async def test_a_program_that_was_not_called_before_the_restart_never_is(lab, make_runner):
    """The engine was killed between its record and the call; a keeper that comes late finds the claim made."""
    async with make_runner() as runner:
        attempt = attempt_of({"x": 2.0})
        folder, words = runner.prepare(attempt)
        found = attempt_of({"x": 2.0}, metadata={"folder": str(folder)})
        for _ in range(2):
            with pytest.raises(NeverSeen, match="nothing was called"):
                await runner.reattach(found)
        keepers.launch(folder, words, {})
        ended = await Carrier(runner, "y").carry_out(attempt)

    assert ended.outcome == "completed"
    assert lab.count() == 1


@pytest.mark.anyio
async def test_secrets_get_to_the_program_by_its_environment(make_runner, monkeypatch):
    monkeypatch.setenv("KEY_OF_THE_LAB", "271828")
    code = "import os; print('{{\"x\": 2, \"y\": ' + os.environ['LICENCE'] + '}}')"
    command = [*PYTHON, "-c", code]
    async with make_runner(command=command, environment={"LICENCE": "env:KEY_OF_THE_LAB"}) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert ended.value == 271828.0
    assert "271828" not in repr(runner.config)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"command": []}, "command is .*: give the program and its arguments"),
        ({"command": ["run", "{x"]}, "command is .*: expected '}' before end of string"),
        ({"command": ["run", "{x.real}"]}, r"\{x.real\} is no name"),
        ({"measure": {}}, "measure is {}"),
        ({"workers": 0}, "workers is 0"),
        ({"settings": {"x": {"to": "x", "unit": "celsius"}}}, "'celsius' is no unit known here"),
        ({"comand": []}, "there is no field 'comand': did you mean 'command'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(make_runner, more, told):
    with pytest.raises(ConfigurationError, match=told):
        make_runner(**more)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "nothing says how 'gas' reaches the instrument"),
        ({"settings": {}, "command": ["run", "{temperature}"]}, "no parameter goes by temperature; there are gas, x"),
    ],
)
def test_a_command_that_does_not_fit_the_space_is_refused(make_runner, more, told):
    space = search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
    with pytest.raises(ConfigurationError, match=told):
        make_runner(**more).check_space(space)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"command": ["no-such-program", "{x}"]}, "there is no program no-such-program here"),
        ({"environment": {"A": "env:NO_SUCH_VARIABLE"}}, "the environment variable NO_SUCH_VARIABLE is not set"),
        ({"runs": "/proc/runs"}, "runs is '/proc/runs': it is no folder that can be used here"),
    ],
)
async def test_what_is_not_there_is_told_before_the_first_trial(make_runner, more, told):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(make_runner(**more))
        with pytest.raises(ConfigurationError, match=told):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0
    assert [one.level for one in await make_runner(**more).probe()] == ["fail"]


@pytest.mark.anyio
async def test_the_doctor_is_told_which_program_it_is(lab, make_runner):
    (found,) = await make_runner().probe()

    assert (found.level, lab.count()) == ("ok", 0)
    assert sys.executable in found.what
