"""kill -9 of the generator's worker process: suggestions resume, and nothing of the run is lost or doubled."""

import os
import signal
import threading
from collections import Counter

import anyio
import pytest

from titrant import AsyncClient, FunctionRunner, RangeParameterConfig
from titrant.generators.process import WorkerProcess
from titrant.log.replay import read_log
from titrant.messages import events as e

pytestmark = pytest.mark.anyio


class Asked(WorkerProcess):
    """Dies while it is asked: at the calls whose numbers are given, counted over all workers."""

    def __init__(self, counted, fatal):
        super().__init__()
        self.counted = counted
        self.fatal = fatal

    def call(self, message):
        self.counted.append(self.pid)
        if len(self.counted) in self.fatal:
            os.kill(self.pid, signal.SIGSTOP)  # it will not have answered when it dies
            threading.Thread(target=os.kill, args=(self.pid, signal.SIGKILL)).start()
        return super().call(message)


class Doomed(WorkerProcess):
    """Dies as soon as it was started."""

    def start(self):
        super().start()
        os.kill(self.pid, signal.SIGKILL)


async def run(path, make_worker=None, trials=12, instrument=None, policy="fresh"):
    """A run of *trials*; its report, the parameters made, how often each was carried out, and the log's events."""
    carried_out = []

    async def bench(parameters):
        carried_out.append(parameters["x"])
        if instrument is not None:
            instrument(client, len(carried_out))
        await anyio.lowlevel.checkpoint()
        return {"y": parameters["x"]}

    client = AsyncClient(path, random_seed=5)
    if make_worker is not None:
        client.engine._make_worker = make_worker
    with anyio.fail_after(60):
        async with client:
            await client.configure_experiment([RangeParameterConfig(name="x", parameter_type="float", bounds=(0, 1))])
            await client.configure_optimization("y")
            await client.configure_generation_strategy("random_search", policy=policy)  # "fresh" asks for each point
            await client.configure_runner(FunctionRunner(bench, rerun_safe=False))
            report = await client.run_trials(trials, parallelism=3, progress=False)
            xs = [trial.parameters["x"] for trial in client.state.trials()]
    return report, xs, Counter(carried_out), [record.event for record in read_log(path)]


def restarts(events):
    return [event for event in events if isinstance(event, e.ActorRestarted)]


@pytest.fixture
async def reference(tmp_path):
    return (await run(tmp_path / "reference.titrant"))[1]


async def test_a_worker_killed_between_two_suggestions_is_replaced(tmp_path, reference):
    def kill_at_the_fourth(client, number):
        if number == 4:
            os.kill(client.engine.generator._workers[False].pid, signal.SIGKILL)

    report, xs, carried_out, events = await run(tmp_path / "killed.titrant", instrument=kill_at_the_fourth)

    assert report.outcome == "finished"
    assert xs == reference
    assert carried_out == Counter(reference)
    assert [event.name for event in restarts(events)] == ["generator"]
    assert "code -9" in restarts(events)[0].reason


async def test_a_worker_killed_where_points_are_drawn_ahead_changes_none_of_them(tmp_path):
    _, reference, *_ = await run(tmp_path / "each.titrant", trials=60)
    counted, fatal = [], {2, 3, 4}

    report, xs, carried_out, events = await run(
        tmp_path / "killed.titrant", lambda: Asked(counted, fatal), trials=60, policy="auto"
    )

    assert report.outcome == "finished"
    assert xs == reference
    assert carried_out == Counter(reference)
    assert [event.restarts for event in restarts(events)] == [1, 2, 3]
    assert any(event.suggestion.ahead for event in events if isinstance(event, e.TrialCreated))


@pytest.mark.parametrize("fatal", [{1}, {3}, {2, 3, 5, 6, 8}])
async def test_a_worker_killed_while_it_is_asked_is_asked_again(tmp_path, reference, fatal):
    counted = []

    report, xs, carried_out, events = await run(tmp_path / "killed.titrant", lambda: Asked(counted, fatal))

    assert report.outcome == "finished"
    assert xs == reference
    assert carried_out == Counter(reference)
    assert [event.restarts for event in restarts(events)] == list(range(1, len(fatal) + 1))


async def test_a_worker_that_always_dies_ends_the_run_with_a_reason(tmp_path):
    report, xs, _, events = await run(tmp_path / "doomed.titrant", Doomed)

    assert (report.outcome, xs) == ("exhausted", [])
    assert report.reason.startswith("the generator failed too often: failed 6 times in 30 s")
    assert "code -9" in report.reason
    assert len(restarts(events)) == 5


async def test_an_experiment_goes_on_after_its_generator_was_given_up(tmp_path, reference):
    path = tmp_path / "doomed.titrant"
    await run(path, Doomed)
    async with AsyncClient.open(path) as client:
        await client.configure_runner(FunctionRunner(lambda p: {"y": p["x"]}, name="bench", rerun_safe=False))
        report = await client.run_trials(12, parallelism=3, progress=False)

        assert report.outcome == "finished"
        assert [trial.parameters["x"] for trial in client.state.trials()] == reference
