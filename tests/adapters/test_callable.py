"""Python functions as instruments."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest
from tests.adapters.loops import killed_and_resumed
from tests.adapters.program_lab import ProgramLab

from titrant import AsyncClient, ConfigurationError, OutcomeUnknown, RangeParameterConfig
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.callable import CallableRunner

HERE = "tests.adapters.functions"
ONE_VALUE = "a function returns once, and returns a whole value"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    lab = ProgramLab(tmp_path / "lab")
    monkeypatch.setenv("PROGRAM_LAB", str(lab.folder))
    return lab


class TestProcessesKeepTheContract(RunnerContract):
    deadline_s = 3.0
    cannot: ClassVar = {"half_frame": ONE_VALUE, "duplicate": ONE_VALUE, "drop": "a process and its line die together"}

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, lab):
        return lambda: CallableRunner(function=f"{HERE}:instrument", pool="process", run_timeout_s=3.0)


@pytest.mark.anyio
async def test_what_an_engine_was_killed_over_is_called_again(lab, tmp_path):
    config = {"function": f"{HERE}:instrument", "workers": 2}
    env = {"PROGRAM_LAB": str(lab.folder)}
    loop = await killed_and_resumed("callable", config, starts=lab.starts, folder=tmp_path, parallelism=2, env=env)

    assert 1 <= loop.again <= 2
    assert 12 < loop.starts <= 12 + loop.again


@pytest.mark.anyio
async def test_what_an_engine_was_killed_over_is_left_to_a_person_where_twice_does_harm(lab, tmp_path):
    config = {"function": f"{HERE}:instrument", "rerun_safe": False}
    env = {"PROGRAM_LAB": str(lab.folder)}
    loop = await killed_and_resumed("callable", config, starts=lab.starts, folder=tmp_path, env=env, trials=8)

    assert (len(loop.lost), loop.again, loop.starts) == (1, 0, 8)


async def carried_out(**fields):
    async with CallableRunner(**fields) as runner:
        return await Carrier(runner, "y").carry_out(attempt_of({"x": 3.0}))


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "pool"), [("square", "thread"), ("square", "process"), ("awaited", "thread")])
async def test_a_function_gives_its_result_wherever_it_is_called(name, pool):
    ended = await carried_out(function=f"{HERE}:{name}", pool=pool)

    assert (ended.outcome, ended.value) == ("completed", 9.0)


@pytest.mark.anyio
async def test_processes_are_other_processes():
    assert (await carried_out(function=f"{HERE}:where", pool="process")).value != os.getpid()
    assert (await carried_out(function=f"{HERE}:where", pool="thread")).value == os.getpid()


@pytest.mark.anyio
async def test_a_worker_that_dies_leaves_open_what_it_did():
    ended = await carried_out(function=f"{HERE}:dies", pool="process")

    assert ended.outcome == "unknown"


@pytest.mark.anyio
async def test_a_call_that_never_ends_is_given_up():
    async with CallableRunner(function=f"{HERE}:hangs", run_timeout_s=0.05) as runner:
        with pytest.raises(OutcomeUnknown, match=r"took longer than 0\.05 s"):
            await runner.run(attempt_of({"x": 1.0}), None, None)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("square", "function is 'square': write module:name"),
        ("no_such_module_here:f", "it cannot be imported"),
        (f"{HERE}:nothing", "has no attribute 'nothing'"),
        (f"{HERE}:NOT_CALLABLE", "it is no function"),
    ],
)
def test_a_function_that_is_not_there_is_told_at_once(function, told):
    with pytest.raises(ConfigurationError, match=told):
        CallableRunner(function=function)


def test_a_coroutine_needs_no_process():
    with pytest.raises(ConfigurationError, match="leave pool out"):
        CallableRunner(function=f"{HERE}:awaited", pool="process")


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "status"), [("square", "COMPLETED"), ("overheated", "FAILED")])
async def test_it_runs_in_a_closed_loop(name, status):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))])
        await client.configure_optimization("y")
        await client.configure_generation_strategy("random_search")
        await client.configure_runner(CallableRunner(function=f"{HERE}:{name}", workers=2))
        await client.run_trials(max_trials=3, parallelism=2, tolerated_trial_failure_rate=1, progress=False)
        trials = client.state.trials()

    assert {trial.status.name for trial in trials} == {status}
    assert all(trial.reason == "RuntimeError: overheated" for trial in trials if status == "FAILED")
