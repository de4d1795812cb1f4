"""Functions on a Dask cluster of two processes, whose workers are killed."""

from __future__ import annotations

import os
import re
import sys
from typing import ClassVar

import anyio
import dask
import distributed
import distributed.client
import distributed.comm
import distributed.core
import distributed.exceptions
import distributed.scheduler
import pytest
from tests.adapters.loops import killed_and_resumed
from tests.adapters.program_lab import ProgramLab
from tests.adapters.servers.process import python

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import TitrantError
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.dask import DaskRunner
from titrant_adapters.dask.once import let_begin

HERE = "tests.adapters.functions"
ONE_VALUE = "a task has one result, and Dask hands it over as a whole"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def cluster(serve_a_module, tmp_path_factory):
    """A cluster whose workers know where the lab is."""
    folder = tmp_path_factory.mktemp("lab")
    there = {"ready": lambda server: server.has_said("the workers are there")}
    server = serve_a_module("dask_lab", python("cluster"), env={"PROGRAM_LAB": str(folder)}, **there)
    server.lab = folder
    return server


@pytest.fixture
def lab(cluster):
    for path in cluster.lab.iterdir():
        path.unlink()
    return ProgramLab(cluster.lab)


@pytest.fixture
def fields(cluster):
    return {
        "scheduler": f"tcp://127.0.0.1:{cluster.port}",
        "function": f"{HERE}:measured",
        "settings": {"x": {"to": "x", "read_back": "x", "tolerance": 1e-6}},
        "measure": {"y": "y"},
        "poll_s": 0.05,
    }


@pytest.fixture
def make_runner(fields, lab):
    return lambda **more: DaskRunner(**fields | {"run_timeout_s": 30.0} | more)


class TestDaskKeepsTheContract(RunnerContract):
    deadline_s = 2.0
    run_deadline_s = 5.0  # a worker that was killed is there again after seconds
    cannot: ClassVar = {
        "half_frame": ONE_VALUE,
        "duplicate": ONE_VALUE,
        "drop": "workers have lines of their own; the client's is cut below",
    }

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, make_runner):
        return lambda: make_runner(run_timeout_s=5.0, rerun_safe=False)


@pytest.mark.anyio
async def test_a_killed_engine_finds_its_tasks_again(lab, fields, tmp_path):
    config = fields | {"workers": 2, "run_timeout_s": 30.0, "rerun_safe": False}
    loop = await killed_and_resumed("dask", config, starts=lab.starts, folder=tmp_path, parallelism=2)

    assert loop.again == 0


@pytest.mark.anyio
async def test_a_result_that_was_collected_and_not_yet_logged_is_found_again(lab, make_runner):
    attempt = attempt_of({"x": 2.0})
    async with make_runner(rerun_safe=False) as runner:
        await runner.run(attempt, None, None)
    async with make_runner(rerun_safe=False) as another:
        ended = await Carrier(another, "y").find_again(
            attempt_of({"x": 2.0}, metadata={"task": f"titrant-{attempt.key}"})
        )

    assert (ended.outcome, ended.value, lab.count()) == ("completed", 4.0, 1)


@pytest.mark.anyio
async def test_results_are_not_kept_longer_than_there_are_slots(make_runner):
    async with make_runner(rerun_safe=False, workers=2) as runner:
        attempts = [attempt_of({"x": float(x)}) for x in range(4)]
        for attempt in attempts:
            await runner.run(attempt, None, None)
        known = await runner._client.list_datasets()

    assert [f"titrant-{attempt.key}" in known for attempt in attempts] == [False, False, True, True]


@pytest.mark.anyio
async def test_a_result_is_not_lost_by_what_cannot_be_forgotten(make_runner, monkeypatch):
    async def cut(_name):
        raise distributed.core.RPCClosed("cut")

    async with make_runner(rerun_safe=False) as runner:
        monkeypatch.setattr(runner._client, "unpublish_dataset", cut)
        ended = [await Carrier(runner, "y").carry_out(attempt_of({"x": float(x)})) for x in range(3)]
        monkeypatch.undo()
        last = attempt_of({"x": 3.0})
        await runner.run(last, None, None)

        assert [(one.outcome, one.value) for one in ended] == [
            ("completed", 0.0),
            ("completed", 1.0),
            ("completed", 4.0),
        ]
        assert list(runner._collected) == [f"titrant-{last.key}"]


@pytest.mark.anyio
async def test_a_scheduler_that_is_out_of_reach_is_looked_for_again_before_a_run_is_given_up(
    lab, make_runner, monkeypatch
):
    attempt = attempt_of({"x": 2.0})
    async with make_runner(rerun_safe=False) as runner:
        await runner.run(attempt, None, None)

    found = attempt_of({"x": 2.0}, metadata={"task": f"titrant-{attempt.key}"})
    async with make_runner(rerun_safe=False) as another:
        await another.disconnect()
        ended = await Carrier(another, "y").find_again(found)

    assert (ended.outcome, ended.value, lab.count()) == ("completed", 4.0, 1)


@pytest.mark.anyio
async def test_nothing_begins_that_would_be_lost_with_this_process(lab, make_runner, monkeypatch):
    """Dask forgets a task that nobody waits for and that is not published; it may be carried out all the same."""

    submitted = []

    async def never(future, **_):
        submitted.append(future)
        await anyio.sleep_forever()

    async with make_runner(rerun_safe=False, timeout_s=0.5) as runner:
        monkeypatch.setattr(runner._client, "publish_dataset", never)
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))
        raised = await submitted[0].exception()

    assert (ended.outcome, lab.count()) == ("unknown", 0)
    assert "it did not begin" in str(raised)


async def carried_out(runner, meanwhile=None):
    """A run, with something that happens once it has begun."""
    told = []
    async with runner, anyio.create_task_group() as tasks:

        async def carry():
            told.append(await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0})))

        tasks.start_soon(carry)
        if meanwhile is not None:
            await meanwhile(runner)
    return told[0]


@pytest.mark.anyio
async def test_a_line_that_is_cut_is_no_end_of_the_task(lab, make_runner):
    await lab.arm("late_reply", 0.5)

    async def cut(runner):
        while not lab.count():  # noqa: ASYNC110  (another process)
            await anyio.sleep(0.01)
        runner._client.scheduler_comm.comm.abort()

    ended = await carried_out(make_runner(), cut)

    assert (ended.outcome, ended.value, lab.count()) == ("completed", 4.0, 1)


@pytest.mark.anyio
@pytest.mark.parametrize(("again_is_safe", "outcome"), [(False, "unknown"), (True, "failed")])
async def test_a_task_whose_worker_was_killed_is_not_run_again(lab, make_runner, again_is_safe, outcome):
    await lab.arm("crash_in_run")
    ended = await carried_out(make_runner(rerun_safe=again_is_safe))

    assert (ended.outcome, lab.count()) == (outcome, 1)
    assert "KilledWorker" in ended.reason


@pytest.mark.anyio
async def test_what_was_done_and_lost_with_its_worker_is_not_done_again(lab, make_runner):
    """Dask runs a task again whose result died with a worker, whatever its allowed failures are."""
    attempt = attempt_of({"x": 2.0})
    async with make_runner(rerun_safe=False) as runner:
        collect, runner._awaited = runner._awaited, lost_with_its_worker(runner)
        await runner.run(attempt, None, None)
        found = attempt_of({"x": 2.0}, metadata={"task": f"titrant-{attempt.key}"})
        runner._awaited = collect
        ended = await Carrier(runner, "y").find_again(found)

    assert (ended.outcome, lab.count()) == ("unknown", 1)
    assert "it ran before" in ended.reason


def lost_with_its_worker(runner):
    """Awaits the result, and kills whoever has it before it is fetched."""

    async def awaited(_attempt, task, _course):
        await let_begin(task, runner._client)
        future = await runner._client.get_dataset(task)
        await future.exception()
        holders = ()
        with anyio.fail_after(30):
            while not holders:  # the client may hear of a result before the scheduler's books say who has it
                (holders,) = (await runner._client.who_has([future])).values()
        await runner._client.run(die, workers=[holders[0]], wait=False)

    async def die():
        os._exit(1)

    return awaited


@pytest.mark.anyio
async def test_a_scheduler_that_forgot_everything_leaves_it_open(lab, make_runner, cluster):
    async with make_runner() as runner:
        ended = await Carrier(runner, "y").find_again(attempt_of({"x": 2.0}, metadata={"task": "titrant-gone"}))

    assert ended.outcome == "unknown"
    assert "the scheduler has no task titrant-gone" in ended.reason


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"function": "square"}, "function is 'square': write module:name"),
        ({"measure": {}}, "measure is {}"),
        ({"workers": 0}, "workers is 0"),
        ({"sheduler": "x"}, "there is no field 'sheduler': did you mean 'scheduler'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, more, told):
    with pytest.raises(ConfigurationError, match=told):
        DaskRunner(**fields | more)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"function": "no_such_module_here:f"}, "it cannot be imported"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "127.0.0.1:1"),
    ],
)
async def test_what_is_not_there_is_told_before_the_first_trial(make_runner, more, told):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(make_runner(timeout_s=1.0, **more))
        with pytest.raises(TitrantError, match=told):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0


@pytest.mark.anyio
async def test_without_the_library_the_extra_is_named(make_runner, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[dask\]'"):
        async with make_runner():
            pass


@pytest.mark.anyio
async def test_the_doctor_is_told_of_workers_and_of_runs_that_dask_repeats(make_runner, lab):
    (fit,) = await make_runner().probe()
    with dask.config.set({"distributed.scheduler.allowed-failures": 3}):
        async with distributed.Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0") as careless:
            found = await make_runner(scheduler=careless.address).probe()

    assert (fit.level, lab.count()) == ("ok", 0)
    assert re.search("has [12] workers", fit.what)  # one that was killed may not be there again
    assert [one.level for one in found] == ["warn", "warn"]
    assert "is run 4 times" in found[1].what


def test_every_error_of_the_library_has_a_meaning():
    parts = (distributed, distributed.client, distributed.comm, distributed.core, distributed.scheduler)

    assert DaskRunner.errors.unlisted(*parts, distributed.exceptions) == []
    assert DaskRunner.errors.dangling() == []
