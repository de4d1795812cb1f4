"""The board follows an engine event by event."""

import anyio
import pytest

from titrant import OutcomeUnknown
from titrant.analysis.results import best_observed
from titrant.progress.board import Board
from titrant.simulation import Lognormal, SimulatedLab, SimulatedPolledLab

pytestmark = pytest.mark.anyio


def parabola(parameters):
    return {"y": -((parameters["x"] - 0.3) ** 2)}


def begin(client):
    return Board(client.state, virtual=True)


def feed(board, seen):
    for record, state in seen:
        board.record(record, state)


async def test_at_the_end_everything_is_counted_and_every_slot_is_free(open_client, published):
    lab = SimulatedLab(parabola, capacity=3, duration_s=Lognormal(60.0), failure_probability=0.2, noise_sd=0.01)
    async with open_client([lab]) as client:
        board = begin(client)
        async with published(client.engine) as seen:
            await client.run_trials(30, parallelism=3, tolerated_trial_failure_rate=1.0)
        feed(board, seen)
        shown = board.picture(client.engine.clock.now())
        failed = len(client.state.last_run.failures)

    assert (shown.ended, shown.asked, shown.outcome) == (30, 30, "finished")
    assert dict(shown.counts) == {"completed": 30 - failed, "failed": failed}
    assert [(lane.slot, lane.doing) for lane in shown.lanes] == [(1, "idle"), (2, "idle"), (3, "idle")]
    assert shown.leader.trial == best_observed(client.state).trial.index
    assert len(shown.trace) == 30 - failed


async def test_a_slot_keeps_its_number_while_a_trial_is_on_it(open_client, published):
    lab = SimulatedLab(parabola, capacity=2, duration_s=lambda parameters, draws: 30.0 + 60.0 * parameters["x"])
    async with open_client([lab]) as client:
        board = begin(client)
        async with published(client.engine) as seen:
            await client.run_trials(8, parallelism=2)
        places = {}
        for record, state in seen:
            board.record(record, state)
            for lane in board.picture(record.recorded_at).lanes:
                if lane.trial is not None:
                    places.setdefault(lane.trial, set()).add(lane.slot)

    assert sorted(places) == list(range(8))
    assert all(len(slots) == 1 for slots in places.values())
    assert set.union(*places.values()) == {1, 2}


async def test_in_the_middle_lanes_tell_elapsed_and_expected_time_and_what_is_left(open_client, published):
    lab = SimulatedLab(parabola, capacity=2, duration_s=100.0)
    async with open_client([lab]) as client:
        board = begin(client)
        async with published(client.engine) as seen, anyio.create_task_group() as tasks:
            tasks.start_soon(client.run_trials, 6, 2)
            await anyio.sleep(130.0)
            feed(board, seen)
            shown = board.picture(client.engine.clock.now())

    assert [(lane.trial, round(lane.elapsed_s), lane.expected_s) for lane in shown.lanes] == [
        (2, 30, 100.0),
        (3, 30, 100.0),
    ]
    assert shown.left_s == pytest.approx(170.0)
    assert shown.waiting == "all 2 runner slots are in use"
    assert (shown.ended, shown.asked) == (2, 6)


async def test_an_unknown_trial_holds_its_lane_and_needs_a_person(open_client, published):
    class Broken(SimulatedLab):
        async def run(self, attempt):
            raise OutcomeUnknown("the line broke")

    async with open_client([Broken(parabola, name="arm", capacity=1)]) as client:
        board = begin(client)
        async with published(client.engine) as seen:
            await client.run_trials(2)
        feed(board, seen)
        shown = board.picture(client.engine.clock.now())

    assert [(lane.trial, lane.doing) for lane in shown.lanes] == [(0, "unknown")]
    assert shown.needs_person
    assert shown.unknown == (0,)
    assert "resolve(0, ...)" in shown.waiting


async def test_a_board_begun_in_the_middle_shows_what_runs(open_client):
    lab = SimulatedLab(parabola, capacity=2, duration_s=100.0)
    async with open_client([lab]) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.run_trials, 4, 2)
        await anyio.sleep(50.0)
        shown = begin(client).picture(client.engine.clock.now())

    assert [(lane.trial, lane.elapsed_s, lane.expected_s) for lane in shown.lanes] == [(0, 50.0, None), (1, 50.0, None)]
    assert shown.left_s is None


async def test_trials_whose_data_are_on_the_way_are_named(open_client, published):
    class Slow(SimulatedPolledLab):
        def metrics(self, *names):
            [metric] = super().metrics(*names)
            fetch = metric.fetch

            async def late(trial_index, trial_metadata):
                await anyio.sleep(50.0)
                return await fetch(trial_index, trial_metadata)

            metric.fetch = late
            return [metric]

    lab = Slow(parabola, capacity=1, duration_s=10.0)
    async with open_client([lab]) as client:
        await client.configure_metrics(lab.metrics("y"))
        board = begin(client)
        async with published(client.engine) as seen, anyio.create_task_group() as tasks:
            tasks.start_soon(client.run_trials, 1)
            await anyio.sleep(30.0)
            feed(board, seen)
            shown = board.picture(client.engine.clock.now())

    assert shown.fetching == (0,)
    assert dict(shown.counts) == {"fetching": 1}
    assert [lane.doing for lane in shown.lanes] == ["idle"]


async def test_several_objectives_have_a_front_and_no_leader(open_client, published):
    lab = SimulatedLab(lambda parameters: {"a": parameters["x"], "b": parameters["x"] ** 2})
    async with open_client([lab], "a, -b") as client:
        board = begin(client)
        async with published(client.engine) as seen:
            await client.run_trials(5)
        feed(board, seen)
        shown = board.picture(client.engine.clock.now())

    assert shown.leader is None
    assert shown.front == 5


async def test_draining_leaves_only_what_runs_to_be_done(open_client, published):
    async with open_client([SimulatedLab(parabola, capacity=2, duration_s=100.0)]) as client:
        board = begin(client)
        async with published(client.engine) as seen, anyio.create_task_group() as tasks:
            tasks.start_soon(client.run_trials, 20, 2)
            await anyio.sleep(150.0)
            await client.drain("lunch")
            await anyio.wait_all_tasks_blocked()
            feed(board, seen)
            shown = board.picture(client.engine.clock.now())

    assert (shown.ended, shown.asked) == (2, 4)
    assert shown.left_s == pytest.approx(50.0)
    assert shown.notices[-1].text == "draining: what runs is finished, nothing new is started (lunch)"
