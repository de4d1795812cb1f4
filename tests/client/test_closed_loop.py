"""The closed loop as its user sees it."""

from __future__ import annotations

import threading

import anyio
import pytest

from titrant import ChoiceParameterConfig, Client, CommandRefused, FunctionRunner, Runner, TrialStatus
from titrant.messages import events as e

from .conftest import MakeClient
from .labs import Endless, Polled, Square, Takes


def statuses(client):
    return [trial.status.name for trial in client.state.trials()]


def test_as_many_trials_as_asked_for_are_completed_with_data(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Polled())
    client.configure_metrics([Square("y")])

    report = client.run_trials(max_trials=4)

    assert (report.outcome, report.trials_created) == ("finished", 4)
    assert statuses(client) == ["COMPLETED"] * 4
    assert [row["y"] for row in client.summarize()] == [trial.parameters["x"] ** 2 for trial in client.state.trials()]


def test_each_call_counts_its_own_new_trials(make_client: MakeClient):
    client = make_client()
    client.configure_runner(lambda parameters: parameters["x"])

    client.run_trials(max_trials=1)
    client.run_trials(max_trials=10)

    assert statuses(client) == ["COMPLETED"] * 11


def test_trials_that_were_asked_for_and_left_are_seen_to_their_end(make_client: MakeClient):
    client = make_client()
    for index in client.get_next_trials(max_trials=2):
        client.complete_trial(trial_index=index, raw_data={"y": 1.0})
    client.get_next_trials(max_trials=1)
    runner = Polled()
    client.configure_runner(runner)
    client.configure_metrics([Square("y")])

    client.run_trials(max_trials=2)

    assert statuses(client) == ["COMPLETED"] * 5
    assert runner.started == [2, 3, 4]


def test_all_slots_fill_at_once_and_never_more(make_client: MakeClient):
    client = make_client()
    lab = Takes(10)
    client.configure_runner(lab)

    client.run_trials(max_trials=9, parallelism=3)

    assert lab.most == 3
    ends = sorted((trial.ended_at - client.state.trial(0).created_at) / 1e6 for trial in client.state.trials())
    assert ends == [10] * 3 + [20] * 3 + [30] * 3


def test_a_trial_goes_to_a_runner_that_has_room(make_client: MakeClient):
    client = make_client()
    small, large = Takes(10, "small", capacity=1), Takes(10, "large", capacity=3)
    client.configure_runners([small, large])

    client.run_trials(max_trials=8, parallelism=10)

    assert (small.most, large.most) == (1, 3)
    assert max(trial.ended_at for trial in client.state.trials()) - client.state.trial(0).created_at == 20_000_000


def test_a_slow_trial_holds_up_nobody_else(make_client: MakeClient):
    client = make_client()

    class Uneven(Takes):
        async def run(self, attempt):
            self.seconds = 100 if attempt.trial == 0 else 1
            return await super().run(attempt)

    client.configure_runner(Uneven(1))

    client.run_trials(max_trials=51, parallelism=2)

    assert max(trial.ended_at for trial in client.state.trials()[1:]) - client.state.trial(0).created_at == 50_000_000


def test_runs_that_are_polled_end_at_most_two_percent_late(make_client: MakeClient):
    client = make_client()

    class Timed(Runner):
        name = "timed"

        async def run_trial(self, trial_index, parameterization):
            return {"until": client.state_clock() + 300.0, "x": parameterization["x"]}

        async def poll_trial(self, trial_index, trial_metadata):
            return TrialStatus.COMPLETED if client.state_clock() >= trial_metadata["until"] else TrialStatus.RUNNING

    client.state_clock = anyio.current_time
    client.configure_runner(Timed())
    client.configure_metrics([Square("y")])

    client.run_trials(max_trials=6, parallelism=2, initial_seconds_between_polls=60)

    late = [(t.ended_at - t.started_at) / 1e6 - 300.0 for t in client.state.trials()]
    assert max(late) <= 0.02 * 300.0


def test_a_time_limit_ends_the_call_on_time_and_what_runs_goes_on(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Takes(100))

    report = client.run_trials(max_trials=5, parallelism=2, timeout_seconds=30)

    assert report.outcome == "timeout"
    assert statuses(client) == ["RUNNING"] * 2

    client.run_trials(max_trials=0)

    assert statuses(client) == ["COMPLETED"] * 2
    assert [(t.ended_at - t.started_at) / 1e6 for t in client.state.trials()] == [100, 100]


def test_a_trial_past_its_time_to_live_is_stopped_and_failed(make_client: MakeClient):
    client = make_client()
    runner = Endless()
    client.configure_runner(runner)
    client.configure_metrics([Square("y")])

    report = client.run_trials(max_trials=2, trial_ttl_seconds=20, tolerated_trial_failure_rate=1)

    assert runner.stopped == [0, 1]
    assert statuses(client) == ["FAILED"] * 2
    assert report.failures[0] == (0, "it ran past its time to live")
    assert [(t.ended_at - t.submitted_at) / 1e6 for t in client.state.trials()] == [20, 20]


def test_without_a_runner_the_loop_refuses_to_start(make_client: MakeClient):
    client = make_client()

    with pytest.raises(CommandRefused, match="call configure_runner first"):
        client.run_trials(max_trials=1)


def test_a_metric_that_nobody_fetches_is_named_before_anything_starts(make_client: MakeClient):
    client = make_client()
    runner = Polled()
    client.configure_runner(runner)

    with pytest.raises(CommandRefused, match="no metric fetches 'y'"):
        client.run_trials(max_trials=1)
    assert runner.started == []


def test_with_one_slot_trials_run_one_after_the_other(make_client: MakeClient):
    client = make_client()
    lab = Takes(1)
    client.configure_runner(lab)

    client.run_trials(max_trials=5)

    assert lab.most == 1


def test_no_trials_asked_for_means_none_are_made(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Takes(1))

    assert client.run_trials(max_trials=0).outcome == "finished"
    assert client.state.next_index == 0


def test_a_used_up_space_ends_the_run_with_a_reason(make_client: MakeClient):
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([ChoiceParameterConfig("solvent", ["water", "ethanol", "acetone"], "str")])
        client.configure_optimization("y")
        client.configure_generation_strategy("random_search")
        client.configure_runner(FunctionRunner(lambda parameters: len(parameters["solvent"])))

        report = client.run_trials(max_trials=10, parallelism=2)

        assert (report.outcome, report.trials_created) == ("exhausted", 3)
        assert report.reason


def test_events_are_published_in_order_once_they_are_durable(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Takes(1))
    records = client.subscribe()

    seen = []
    done = threading.Event()

    def follow():
        for record in records:
            seen.append(record)
            if isinstance(record.event, e.RunEnded):
                break
        done.set()

    thread = threading.Thread(target=follow)
    thread.start()
    while not client._async.engine.hub._boxes:
        pass
    client.run_trials(max_trials=2)
    done.wait()
    thread.join()

    assert [record.seq for record in seen] == list(range(seen[0].seq, seen[0].seq + len(seen)))
    assert isinstance(seen[0].event, e.RunStarted)


def test_a_runner_replaced_between_runs_takes_over_what_the_old_one_watched(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Endless())
    client.configure_metrics([Square("y")])
    client.run_trials(max_trials=2, parallelism=2, timeout_seconds=5)
    runner = Polled()
    client.configure_runner(runner)

    client.run_trials(max_trials=1)

    assert statuses(client) == ["COMPLETED"] * 3
    assert runner.started == [2]
