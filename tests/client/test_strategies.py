"""Strategies given as graphs, and policies, from a program to the log and back."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from random import Random

import pytest
from msgspec.structs import replace

from titrant import Client, ConfigurationError, RangeParameterConfig
from titrant.cli.events import event_words
from titrant.generators import dispatch
from titrant.generators.base import Proposal, Reply
from titrant.log.scanning import scan
from titrant.messages import events as e
from titrant.model.strategy import AutoTransitionAfterGen, GenerationNode, MaxGenerationParallelism, MinTrials
from titrant.replay.decisions import verify_decisions
from titrant.replay.telling import text
from titrant.replay.why import why
from titrant.simulation.thinking import TakesTime

from .labs import Takes

GRAPH = (
    GenerationNode(
        name="middle", generator="centre", transition_criteria=(AutoTransitionAfterGen(transition_to="even"),)
    ),
    GenerationNode(
        name="even",
        generator="latin_hypercube",
        size=4,
        transition_criteria=(
            MinTrials(threshold=4, transition_to="climb", not_in_statuses=("FAILED",)),
            MinTrials(threshold=3, transition_to="climb", only_in_statuses=("COMPLETED",), use_all_trials_in_exp=True),
        ),
    ),
    GenerationNode(name="climb", generator="bo", transition_criteria=(MinTrials(threshold=3, transition_to="shake"),)),
    GenerationNode(name="shake", generator="random", pausing_criteria=(MaxGenerationParallelism(threshold=1),)),
)


def opened(path=None, **settings):
    client = Client(path, random_seed=1, virtual_time=True, **settings)
    client.configure_experiment([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("z", (0, 1))])
    client.configure_optimization("-y")
    return client


def made(client):
    return [(trial.strategy_node, trial.node) for trial in client.state.trials()]


def created(path):
    return [event.suggestion for _, _, event in scan(path) if isinstance(event, e.TrialCreated)]


def test_a_run_follows_the_graph_and_each_trial_tells_its_node(tmp_path):
    path = tmp_path / "graph.titrant"
    with opened(path) as client:
        client.configure_generation_strategy(nodes=GRAPH)
        lab = Takes(10)
        client.configure_runner(lab)
        client.run_trials(11, parallelism=3)

        assert made(client) == [
            ("middle", "centre"),
            *[("even", "latin_hypercube")] * 4,
            *[("climb", "bo")] * 3,
            *[("shake", "random")] * 3,
        ]
        assert lab.most == 3
    assert verify_decisions(path).ok
    assert "(node 'climb') made it, fitted to the data of" in text(why(path, 6))
    assert "by node 'even'" in text(why(path, 2))
    told = {type(event): event_words(event) for _, _, event in scan(path)}
    assert told[e.StrategyConfigured] == (
        "middle (centre) → even (latin_hypercube) → climb (bo, fast) → shake (random)"
    )
    assert told[e.TrialCreated].startswith("shake (random): ")


def test_what_pauses_lets_as_many_run_as_it_says():
    with opened() as client:
        client.configure_generation_strategy(
            nodes=[
                {
                    "name": "one",
                    "generator": "sobol",
                    "pausing_criteria": [{"criterion": "MaxGenerationParallelism", "threshold": 2}],
                }
            ]
        )
        lab = Takes(10)
        client.configure_runner(lab)
        report = client.run_trials(8, parallelism=5)

        assert (report.outcome, lab.most) == ("finished", 2)


def test_who_asks_is_never_refused_for_lack_of_data(tmp_path):
    path = tmp_path / "asked.titrant"
    with opened(path) as client:
        client.configure_generation_strategy(
            nodes=[
                {
                    "name": "design",
                    "generator": "sobol",
                    "transition_criteria": [
                        {
                            "criterion": "MinTrials",
                            "threshold": 2,
                            "transition_to": "model",
                            "only_in_statuses": ["COMPLETED"],
                        }
                    ],
                    "pausing_criteria": [{"criterion": "MaxTrialsAwaitingData", "threshold": 3}],
                },
                {"name": "model", "generator": "bo"},
            ]
        )
        assert len(client.get_next_trials(8)) == 8
        assert len(client.get_next_trials(1)) == 1
    told = [one.fallback for one in created(path)]
    assert told[:3] == [None] * 3
    assert set(told[3:]) == {"node 'design' pauses: 3 trials, MaxTrialsAwaitingData 3"} | {
        "node 'design' pauses: 8 trials, MaxTrialsAwaitingData 3"
    }
    assert verify_decisions(path).equal == 9


def test_a_model_before_there_is_anything_to_learn_from_says_what_went_instead(tmp_path):
    path = tmp_path / "early.titrant"
    with opened(path) as client:
        client.configure_generation_strategy(nodes=[{"name": "model", "generator": "bo"}])
        assert len(client.get_next_trials(3)) == 3
    assert all("a model needs 2" in one.fallback for one in created(path))
    assert verify_decisions(path).ok


def test_a_strategy_replaced_between_two_runs_is_followed_by_the_next_suggestion(tmp_path):
    path = tmp_path / "replaced.titrant"
    with opened(path) as client:
        client.configure_generation_strategy(initialization_budget=3)

        client.configure_runner(lambda at: {"y": at["x"] ** 2 + at["z"]})
        client.run_trials(5)
        client.configure_generation_strategy(nodes=GRAPH[3:])
        client.run_trials(2)
        client.configure_generation_strategy(nodes=[{"name": "again", "generator": "bo", "method": "fast"}])
        client.run_trials(2)

        assert made(client)[5:] == [("shake", "random")] * 2 + [("again", "bo")] * 2
        assert [node for node, _ in made(client)[:5]] == [""] * 5
    assert verify_decisions(path).equal == 9


class Replaces(Takes):
    """Has the strategy replaced while its fifth trial runs."""

    def __init__(self, client):
        super().__init__(10)
        self.client = client

    async def run(self, attempt):
        if attempt.trial == 4:
            await self.client._async.configure_generation_strategy(nodes=GRAPH[3:])
        return await super().run(attempt)


def test_a_strategy_may_be_replaced_while_a_run_is_under_way(tmp_path):
    path = tmp_path / "meanwhile.titrant"
    with opened(path) as client:
        client.configure_generation_strategy(initialization_budget=3)
        client.configure_runner(Replaces(client))
        client.run_trials(9, parallelism=2)

        assert made(client)[:5] == [("", "centre"), *[("", "sobol")] * 2, *[("", "bo")] * 2]
        assert made(client)[5:] == [("shake", "random")] * 4
    assert verify_decisions(path).equal == 9


KILLED = """
    import os, sys
    from titrant import Client, RangeParameterConfig

    client = Client(sys.argv[1], random_seed=1, virtual_time=True)
    client.configure_experiment([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("z", (0, 1))])
    client.configure_optimization("-y")
    client.configure_generation_strategy(initialization_budget=3)
    runs = iter(range(100))

    def lab(parameters):
        number = next(runs)
        if number == 8:
            os._exit(9)
        return {"y": parameters["x"] ** 2 + parameters["z"]}

    client.configure_runner(lab)
    client.run_trials(4)
    client.configure_generation_strategy(nodes=[
        {"name": "shake", "generator": "random",
         "transition_criteria": [{"criterion": "MinTrials", "threshold": 3, "transition_to": "climb"}]},
        {"name": "climb", "generator": "bo"},
    ])
    client.run_trials(9)
"""


def test_a_graph_goes_on_where_it_stood_when_the_process_was_killed(tmp_path):
    path = tmp_path / "killed.titrant"
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), path], check=False, timeout=120)
    assert done.returncode == 9
    with Client.open(path, virtual_time=True) as client:

        def lab(parameters):
            return {"y": parameters["x"] ** 2 + parameters["z"]}

        client.configure_runner(lab)
        client.resume()

        assert made(client)[4:] == [("shake", "random")] * 3 + [("climb", "bo")] * 6
        assert client.state.made_by["shake"][3] == 3
    assert verify_decisions(path).equal == 13


def test_nodes_and_a_design_cannot_both_be_given():
    with opened() as client:
        with pytest.raises(ConfigurationError, match="either nodes or an initial design"):
            client.configure_generation_strategy(nodes=GRAPH, initialization_budget=9)
        with pytest.raises(ConfigurationError, match=r"unknown field `colour`"):
            client.configure_generation_strategy(nodes=[{"name": "a", "generator": "sobol", "colour": "red"}])
        given = {"criterion": "MinTrials", "threshold": 1, "transition_to": "b", "only_in_statuses": ["DONE"]}
        with pytest.raises(ConfigurationError, match=r"Invalid enum value 'DONE'.*transition_criteria"):
            client.configure_generation_strategy(
                nodes=[{"name": "a", "generator": "sobol", "transition_criteria": [given]}]
            )


# --- policies, in virtual time where a model takes four seconds -----------------------------------------------------


class Draws:
    """A model that draws its points, each request others; what matters here is when they are asked for."""

    def suggest(self, request):
        if request.node != "bo":
            return dispatch.suggest(request)
        draw = Random(f"{request.seed} {len(request.observed)} {len(request.pending)}")
        made = ({"x": draw.random(), "z": draw.random()} for _ in range(request.count))
        return Reply(
            proposals=tuple(
                Proposal(parameters=one, node="bo", generator="draws", position=request.position) for one in made
            )
        )


def slow():
    return TakesTime(4.0, Draws())


def campaign(path, policy, *, trials=16, seconds=10, parallelism=2):
    with opened(path, generator=slow()) as client:
        client.configure_generation_strategy(initialization_budget=4, policy=policy, suggestion_wait_seconds=30)
        client.configure_runner(Takes(seconds))
        client.run_trials(trials, parallelism=parallelism)
        trials = client.state.trials()
        return (max(trial.ended_at for trial in trials) - min(trial.created_at for trial in trials)) / 1e6


def models(path):
    return [one for one in created(path) if one.node == "bo"]


def test_ready_keeps_slots_busy_and_fresh_sees_every_result(tmp_path):
    took = {policy: campaign(tmp_path / f"{policy}.titrant", policy) for policy in ("fresh", "ready", "auto")}
    unseen = {policy: [one.unseen for one in models(tmp_path / f"{policy}.titrant")] for policy in took}

    assert set(unseen["fresh"]) == {0}
    assert max(unseen["ready"]) > 0
    assert took["ready"] < took["fresh"]
    assert took["ready"] <= 16 / 2 * 10 + 4 + 1  # the first suggestion of the model is waited for
    assert took["ready"] <= took["auto"] < took["fresh"]  # what a suggestion costs is known after the first one


def test_auto_waits_for_a_fresh_suggestion_where_that_costs_a_slot_next_to_nothing(tmp_path):
    campaign(tmp_path / "auto.titrant", "auto", seconds=3600, trials=9, parallelism=1)

    assert [one.unseen for one in models(tmp_path / "auto.titrant")] == [0] * 5


@pytest.mark.parametrize("policy", ["fresh", "ready", "auto"])
def test_a_policy_gives_the_same_log_again_and_can_be_verified(tmp_path, policy):
    one, other = tmp_path / "one.titrant", tmp_path / "other.titrant"
    campaign(one, policy, trials=9)
    campaign(other, policy, trials=9)

    assert created(one) == created(other)
    assert verify_decisions(one, generator=slow()).equal == 9


def test_why_tells_what_a_suggestion_had_not_seen(tmp_path):
    path = tmp_path / "ready.titrant"
    campaign(path, "ready")
    trial = next(place for place, one in enumerate(created(path)) if one.ahead and one.unseen == 1)

    assert "It was made ahead of the slot that took it, and had not seen 1 change of the results since." in text(
        why(path, trial)
    )


def test_a_run_of_another_policy_follows_it(tmp_path):
    path = tmp_path / "run.titrant"
    with opened(path, generator=slow()) as client:
        client.configure_generation_strategy(initialization_budget=2, policy="fresh")
        client.configure_runner(Takes(10))
        client.run_trials(8, parallelism=2, policy="ready")

    assert any(one.ahead for one in models(path))


class SlowToDraw:
    """The usual suggestions, each request of which takes (virtual) time, a sequence's too."""

    def suggest(self, request):
        return replace(dispatch.suggest(request), virtual_seconds=0.01)


def drawn(path, trial_s, parameters=None, **run):
    """What random search made, with trials of that length."""
    with Client(path, random_seed=1, virtual_time=True, generator=SlowToDraw()) as client:
        client.configure_experiment(
            parameters or [RangeParameterConfig("x", (0, 1)), RangeParameterConfig("z", (0, 1))]
        )
        client.configure_optimization("-y")
        client.configure_generation_strategy("random_search")
        client.configure_runner(Takes(trial_s))
        report = client.run_trials(**run)
    return report, created(path)


def test_points_drawn_ahead_of_short_trials_are_those_that_long_ones_get(tmp_path):
    _, short = drawn(tmp_path / "short.titrant", 0.1, max_trials=50, parallelism=2)
    _, long = drawn(tmp_path / "long.titrant", 10.0, max_trials=50, parallelism=2)

    assert [one.parameters for one in short] == [one.parameters for one in long]
    assert sum(one.ahead for one in short) > 40
    assert not any(one.ahead for one in long)
    assert verify_decisions(tmp_path / "short.titrant", generator=SlowToDraw()).equal == 50


def test_points_drawn_ahead_in_one_run_are_none_of_the_next(tmp_path):
    """A run has a context of its own."""
    with Client(tmp_path / "two.titrant", random_seed=1, virtual_time=True, generator=SlowToDraw()) as client:
        client.configure_experiment(
            [RangeParameterConfig("x", (0, 1)), RangeParameterConfig("t", (0, 100), is_context=True)]
        )
        client.configure_optimization("-y")
        client.configure_generation_strategy("random_search")
        client.configure_runner(Takes(0.1))
        first = client.run_trials(20, timeout_seconds=1.05, context={"t": 20.0})
        second = client.run_trials(10, context={"t": 77.0})

    assert first.outcome == "timeout"
    assert second.trials_created == 10
    made = created(tmp_path / "two.titrant")
    assert any(one.ahead for one in made[: first.trials_created])
    assert {one.parameters["t"] for one in made[first.trials_created :]} == {77.0}


def test_points_that_were_drawn_ahead_are_all_used_where_a_space_is_exhausted(tmp_path):
    few = [RangeParameterConfig("x", (0, 22), parameter_type="int")]
    report, made = drawn(tmp_path / "few.titrant", 0.1, few, max_trials=40, parallelism=2)

    assert report.trials_created == 23
    assert {one.parameters["x"] for one in made} == set(range(23))
    assert any(one.ahead for one in made)
