"""Actors that fail: restarted one by one, given up when they fail too often, and the experiment goes on."""

from __future__ import annotations

import pytest
from tests.client.labs import Polled, Square, Takes

from titrant import Client, RangeParameterConfig
from titrant.actors.metric import MetricActor
from titrant.actors.runner import RunnerActor
from titrant.errors import GenerationError
from titrant.generators.base import Proposal, Reply
from titrant.messages import events as e


@pytest.fixture
def client():
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("-y")
        client.configure_generation_strategy("random_search")
        yield client


def events(client, kind):
    return [record.event for record in client._async.engine.log.read() if isinstance(record.event, kind)]


def failing(monkeypatch, actor, method, times):
    """Let an actor's own code fail the first *times* times (foreign code never gets that far)."""
    original = getattr(actor, method)
    left = [times]

    async def sometimes(self, message):
        if left[0]:
            left[0] -= 1
            raise RuntimeError("a bug in the actor")
        await original(self, message)

    monkeypatch.setattr(actor, method, sometimes)


def test_a_failed_runner_actor_is_started_anew_and_finds_its_trials_again(client, monkeypatch):
    failing(monkeypatch, RunnerActor, "_carry_out", 1)
    runner = Takes(10)
    runner.rerun_safe = True
    client.configure_runner(runner)

    client.run_trials(max_trials=4, parallelism=2)

    assert [trial.status.name for trial in client.state.trials()] == ["COMPLETED"] * 4
    assert [(event.name, event.restarts) for event in events(client, e.ActorRestarted)] == [("runner:pushed", 1)]


def test_a_trial_whose_actor_failed_is_not_run_again_where_that_may_do_harm(client, monkeypatch):
    failing(monkeypatch, RunnerActor, "_carry_out", 1)
    client.configure_runner(Takes(10))

    report = client.run_trials(max_trials=4, parallelism=2)

    assert report.outcome == "stuck"
    assert {trial.status.name for trial in client.state.trials()} == {"UNKNOWN"}
    assert events(client, e.RunnerQuarantined)


def test_a_runner_that_fails_too_often_is_quarantined_and_the_others_go_on(client, monkeypatch):
    original = RunnerActor._carry_out

    async def broken(self, message):
        if self.name == "runner:bad":
            raise RuntimeError("a bug in the actor")
        await original(self, message)

    monkeypatch.setattr(RunnerActor, "_carry_out", broken)
    bad, good = Takes(1, "bad", capacity=1), Takes(10, "good", capacity=1)
    bad.rerun_safe = True
    client.configure_runners([bad, good])

    client.run_trials(max_trials=6, parallelism=2)

    (quarantined,) = events(client, e.RunnerQuarantined)
    assert quarantined.name == "bad"
    assert "failed 6 times in 30 s" in quarantined.reason
    finished = [trial for trial in client.state.trials() if trial.status.name == "COMPLETED"]
    assert {trial.runner for trial in finished} == {"good"}
    assert len(finished) >= 5


def test_a_failed_metric_actor_fetches_what_was_awaited(client, monkeypatch):
    failing(monkeypatch, MetricActor, "_fetch", 2)
    client.configure_runner(Polled())
    client.configure_metrics([Square("y")])

    client.run_trials(max_trials=3, parallelism=3)

    assert [trial.missing for trial in client.state.trials()] == [()] * 3
    assert {event.name for event in events(client, e.ActorRestarted)} == {"metric:y"}


def test_a_generator_of_ones_own_takes_twenty_lines(monkeypatch):
    class Ladder:
        """Suggests 0.1, 0.2, 0.3 …"""

        def suggest(self, request):
            return Reply(
                proposals=tuple(
                    Proposal(
                        parameters={"x": (request.position + step) / 10},
                        node=request.node,
                        generator="ladder",
                        position=request.position + step,
                    )
                    for step in range(1, request.count + 1)
                )
            )

    with Client(random_seed=1, virtual_time=True, generator=Ladder()) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("-y")
        client.configure_generation_strategy("random_search", initialize_with_center=False)
        client.configure_runner(lambda parameters: parameters["x"])

        client.run_trials(max_trials=3)

        assert [trial.parameters["x"] for trial in client.state.trials()] == [0.1, 0.2, 0.3]


def test_a_generator_that_cannot_go_on_ends_the_run_with_its_reason(client):
    class Out:
        def suggest(self, request):
            return Reply(proposals=(), short_reason="the stock room is empty")

    with Client(random_seed=1, virtual_time=True, generator=Out()) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("-y")
        client.configure_runner(lambda parameters: parameters["x"])

        report = client.run_trials(max_trials=3)

        assert (report.outcome, report.reason) == ("exhausted", "the stock room is empty")


def test_a_model_that_breaks_is_stood_in_for_by_sobol_and_the_log_says_so():
    class Breaks:
        def suggest(self, request):
            if request.node == "bo":
                raise GenerationError("the matrix is singular")
            values = [(request.position + step) / 20 for step in range(request.count)]
            return Reply(
                proposals=tuple(
                    Proposal(
                        parameters={"x": value}, node=request.node, generator="steps", position=round(20 * value) + 1
                    )
                    for value in values
                )
            )

    with Client(random_seed=1, virtual_time=True, generator=Breaks()) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("-y")
        client.configure_runner(lambda parameters: parameters["x"])

        client.run_trials(max_trials=7)

        assert [trial.status.name for trial in client.state.trials()] == ["COMPLETED"] * 7
        told = [event.suggestion.fallback for event in events(client, e.TrialCreated)]
        assert told == [None] * 5 + ["GenerationError: the matrix is singular"] * 2
        assert [event.fallback for event in events(client, e.GenerationFailed)] == ["sobol"] * 2


def test_a_constraint_relative_to_the_baseline_reaches_the_model_as_a_number():
    asked = []

    class Notes:
        def suggest(self, request):
            asked.append(request)
            used = request.position
            made = Proposal(parameters={"x": 0.1 * used}, node=request.node, generator="notes", position=used + 1)
            return Reply(proposals=(made,))

    with Client(random_seed=1, virtual_time=True, generator=Notes()) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("-y", outcome_constraints=["speed >= 0.9*baseline"])
        client.complete_trial(client.attach_baseline({"x": 0.5}), raw_data={"y": 1.0, "speed": 200.0})
        client.configure_generation_strategy(initialization_budget=1)

        client.get_next_trials(max_trials=1)

    (constraint,) = asked[-1].optimization.constraints
    assert (constraint.relative, constraint.bound) == (False, 180.0)
