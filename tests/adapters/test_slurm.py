"""Batch jobs on a real Slurm cluster of one node."""

from __future__ import annotations

import shutil
import sys

import anyio
import pytest
from tests.adapters import program
from tests.adapters.loops import killed_and_resumed, killed_at
from tests.adapters.program_lab import ProgramLab

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.slurm import SlurmRunner

PYTHON = [sys.executable, "-I", "-S"]
RUN_SECONDS = 5.0
"""The scheduler of the tests' cluster looks once a second."""


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
        "settings": {"x": {"to": "x", "read_back": "x", "tolerance": 1e-6}},
        "measure": {"y": "y"},
        "runs": str(tmp_path / "runs"),
        "poll_s": 0.05,
        "timeout_s": 10.0,
    }


@pytest.fixture
def make_runner(fields, slurm, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", slurm.env["SLURM_CONF"])
    return lambda **more: SlurmRunner(**fields | {"run_timeout_s": 30.0} | more)


@pytest.mark.adapters_slow
class TestSlurmKeepsTheContract(RunnerContract):
    deadline_s = RUN_SECONDS

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, make_runner):
        return lambda: make_runner(run_timeout_s=RUN_SECONDS)


@pytest.mark.anyio
async def test_a_killed_engine_finds_its_jobs_again(lab, fields, slurm, tmp_path):
    env = {"SLURM_CONF": slurm.env["SLURM_CONF"]}
    config = fields | {"workers": 2}
    loop = await killed_and_resumed("slurm", config, starts=lab.starts, folder=tmp_path, parallelism=2, env=env)

    assert loop.lost == []
    assert loop.starts == 12


@pytest.mark.anyio
async def test_an_engine_that_dies_before_it_lets_a_job_go_is_no_reason_to_ask_anybody(lab, fields, slurm, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", slurm.env["SLURM_CONF"])
        loop = await killed_at("runner.recorded#2", "slurm", fields, starts=lab.starts, folder=tmp_path)

    assert (loop.at_kill, loop.starts) == (1, 3)
    assert (loop.lost, loop.ended["trial.completed"]) == ([], 3)


async def carried_out(runner):
    async with runner:
        return await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))


@pytest.mark.anyio
async def test_a_job_fails_with_what_its_program_says(lab, make_runner):
    await lab.arm("defined_error")
    ended = await carried_out(make_runner())

    assert ended.outcome == "failed"
    assert ended.reason.endswith("ended with 7: the nozzle is clogged")


@pytest.mark.anyio
@pytest.mark.parametrize(("again_is_safe", "outcome"), [(False, "unknown"), (True, "failed")])
async def test_a_job_that_was_killed_with_its_shell_leaves_no_code(lab, make_runner, again_is_safe, outcome):
    await lab.arm("drop")
    ended = await carried_out(make_runner(rerun_safe=again_is_safe))

    assert ended.outcome == outcome
    assert "has left no exit code" in ended.reason


@pytest.mark.anyio
async def test_a_trial_can_be_stopped_while_it_waits(lab, slurm, make_runner):
    """The node takes no jobs: the job waits in the queue until it is cancelled."""
    slurm.run("scontrol", "update", "NodeName=localhost", "State=DRAIN", "Reason=test")
    told = []
    try:
        async with make_runner() as runner, anyio.create_task_group() as tasks:
            carrier = Carrier(runner, "y")

            async def carry():
                told.append(await carrier.carry_out(attempt_of({"x": 2.0})))

            tasks.start_soon(carry)
            while carrier.recorded is None:  # noqa: ASYNC110  (a job is submitted by another process)
                await anyio.sleep(0.01)
            levels = [one.level for one in await make_runner().probe()]
            await runner.stop(attempt_of({"x": 2.0}, metadata=carrier.recorded))
    finally:
        slurm.run("scontrol", "update", "NodeName=localhost", "State=RESUME")

    assert (told[0].outcome, lab.count()) == ("failed", 0)
    assert told[0].reason.startswith("it was stopped")
    assert levels == ["ok", "warn"]


@pytest.mark.anyio
async def test_a_job_that_was_never_let_go_is_let_go_after_the_restart(lab, make_runner, slurm):
    async with make_runner() as runner:
        carrier = Carrier(runner, "y")
        with pytest.raises(RuntimeError):
            await runner.run(attempt_of({"x": 2.0}), killed_while_recording(carrier), None)
        assert carrier.recorded["job"] in slurm.run("squeue", "--noheader", "--format=%i %r").stdout
        ended = await carrier.find_again(attempt_of({"x": 2.0}, metadata=carrier.recorded))

    assert (ended.outcome, ended.value, lab.count()) == ("completed", 4.0, 1)


def killed_while_recording(carrier):
    async def record(metadata):
        carrier.recorded = dict(metadata)
        raise RuntimeError("the engine is gone")

    return record


SHIM = """#!/bin/sh
[ -e {mark} ] || {{ touch {mark}; {fault}; }}
exec {command} "$@"
"""


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("command", "fault", "outcome"),
    [
        ("sbatch", "echo 'Unable to contact slurm controller' >&2; exit 1", "refused"),
        ("sbatch", "echo nonsense; exit 0", "refused"),
        ("scontrol", "echo 'Unable to contact slurm controller' >&2; exit 1", "completed"),
        ("scontrol", "echo JobId=1 JobSt; exit 0", "completed"),
        ("scontrol", "exec sleep 600", "completed"),
    ],
)
async def test_a_controller_that_does_not_answer_is_asked_again(
    lab, make_runner, tmp_path, monkeypatch, command, fault, outcome
):
    shims = tmp_path / "bin"
    shims.mkdir()
    (shims / command).write_text(SHIM.format(mark=tmp_path / "mark", fault=fault, command=shutil.which(command)))
    (shims / command).chmod(0o755)
    (tmp_path / "mark").touch()
    monkeypatch.setenv("PATH", str(shims), prepend=":")
    async with make_runner(timeout_s=1.0) as runner:
        await anyio.Path(tmp_path / "mark").unlink()
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert ended.outcome == outcome
    assert lab.count() == (1 if outcome == "completed" else 0)


@pytest.mark.anyio
async def test_a_job_that_slurm_has_forgotten_is_known_by_its_folder(lab, make_runner, tmp_path):
    told = tmp_path / "told"
    told.mkdir()
    async with make_runner(timeout_s=0.5) as runner:
        carrier = Carrier(runner, "y")
        found = attempt_of({"x": 2.0}, metadata={"job": "4000000", "folder": str(told)})
        lost = await carrier.find_again(found)
        (told / "stdout").write_text('{"x": 2, "y": 4}')
        (told / "ended").write_text("0\n")
        ended = await carrier.find_again(found)

    assert lost.outcome == "unknown"
    assert "job 4000000 is Invalid job id" in lost.reason
    assert (ended.outcome, ended.value) == ("completed", 4.0)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"options": ["-p debug"]}, "options is '-p debug': write --name=value"),
        ({"options": ["--array=1-4"]}, "options is '--array=1-4': .*leave --hold"),
        ({"timeout_s": 0}, "timeout_s is 0"),
        ({"partition": "debug"}, "there is no field 'partition'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, more, told):
    with pytest.raises(ConfigurationError, match=told):
        SlurmRunner(**fields | more)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("more", "path", "told"),
    [
        ({"options": ["--partition=weekend"]}, None, "options is .*invalid partition"),
        ({"options": ["--time=soon"]}, None, "options is .*Invalid --time specification"),
        ({}, "", "there is no sbatch, scontrol, scancel, sinfo here"),
    ],
)
async def test_what_cannot_be_submitted_is_told_before_the_first_trial(make_runner, monkeypatch, more, path, told):
    if path is not None:
        monkeypatch.setenv("PATH", path)
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(make_runner(**more))
        with pytest.raises(ConfigurationError, match=told):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0


@pytest.mark.anyio
async def test_the_doctor_is_told_which_nodes_there_are(make_runner, lab):
    (found,) = await make_runner().probe()

    assert (found.level, lab.count()) == ("ok", 0)
    assert "debug*" in found.what
