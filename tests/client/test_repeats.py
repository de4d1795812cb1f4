"""Nothing is suggested twice unless somebody asks for it, and a space that is used up ends a run."""

from __future__ import annotations

from itertools import combinations

import pytest

from titrant import ChoiceParameterConfig, Client, RangeParameterConfig
from titrant.errors import GenerationError
from titrant.generators import requests
from titrant.model.trial import TrialStatus
from titrant.replay.decisions import verify_decisions

from .labs import Takes

CORNERS = {
    "in a corner": lambda at: at["x"] + at["z"],
    "on an edge": lambda at: at["x"] - (at["z"] - 0.4) ** 2,
    "nowhere": lambda _at: 1.0,
}


@pytest.mark.parametrize("best", CORNERS)
@pytest.mark.parametrize("parallelism", [1, 4])
def test_a_continuous_space_is_never_asked_for_a_point_twice(best, parallelism):
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("z", (0, 1))])
        client.configure_optimization("y")
        client.configure_runner(lambda at: {"y": CORNERS[best](at)})
        client.run_trials(14, parallelism=parallelism, progress=False)
        points = [tuple(trial.parameters.values()) for trial in client.state.trials()]

    apart = [max(abs(a - b) for a, b in zip(one, other, strict=True)) for one, other in combinations(points, 2)]
    assert min(apart) >= 1e-4


def test_a_point_is_measured_again_where_somebody_asks_for_it():
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("y")
        client.configure_runner(lambda at: {"y": at["x"]})
        client.run_trials(7, progress=False)
        (again,) = client.replicate_trial(6)
        client.complete_trial(again, {"y": 1.0})

        assert client.state.trial(again).parameters == client.state.trial(6).parameters


class FailsLate(Takes):
    """Each takes ten seconds; the third takes half a minute and fails at its first go."""

    def __init__(self):
        super().__init__(10)
        self.failed = 0

    async def run(self, attempt):
        if attempt.trial == 2:
            self.seconds = 30
            await super().run(attempt)
            self.seconds, self.failed = 10, self.failed + 1
            raise ValueError("spilled")
        self.seconds = 10
        return await super().run(attempt)


def few(path=None):
    client = Client(path, random_seed=1, virtual_time=True)
    client.configure_experiment(
        [RangeParameterConfig("x", (1, 4), "int"), ChoiceParameterConfig("solvent", ("water", "ethanol"))]
    )
    client.configure_optimization("-y")
    return client


@pytest.mark.parametrize("method", ["fast", "random_search"])
def test_a_run_ends_when_every_point_was_tried_and_what_runs_is_over(tmp_path, method):
    path = tmp_path / "few.titrant"
    with few(path) as client:
        client.configure_generation_strategy(method)
        lab = Takes(10)
        client.configure_runner(lab)
        report = client.run_trials(50, parallelism=3)
        trials = client.state.trials()

        assert report.outcome == "exhausted"
        assert "used up" in report.reason or "every" in report.reason or "all" in report.reason
        assert {trial.status for trial in trials} == {TrialStatus.COMPLETED}
        assert len({tuple(trial.parameters.items()) for trial in trials}) == len(trials) == 8
    assert verify_decisions(path).equal == 8


WHOLE = [RangeParameterConfig(name, (0, 3), "int") for name in "ab"]
WATER = RangeParameterConfig("water", (0.0, 10.0))
DETERMINED = {
    "the solvent fills up": ([*WHOLE, WATER], ["a + b + water = 10"], 16),
    "the solvent does not reach that far": ([*WHOLE, WATER], ["a + b + 2*water = 4", "water >= 0.9"], 6),
    "two unknowns have two equations": (
        [*WHOLE, WATER, RangeParameterConfig("salt", (-10.0, 10.0))],
        ["0.3*a + 0.7*water + salt = 3", "water - salt = 0.1*b"],
        16,
    ),
    "bounds are far wider than what the sum leaves": (
        [RangeParameterConfig(name, (0, 300), "int") for name in "abc"] + [RangeParameterConfig("water", (0.0, 5.0))],
        ["a + b + c + water = 5", "b >= 2"],
        20,
    ),
    "bounds leave one point": ([RangeParameterConfig(name, (0.0, 1.0)) for name in "ab"], ["a + b = 2"], 1),
    "an equality says what it is": ([WHOLE[0], WATER], ["water = 0.5"], 4),
    "two inequalities do": ([WHOLE[0], WATER], ["water <= 0.5", "water >= 0.5"], 4),
}


@pytest.mark.parametrize("case", DETERMINED)
@pytest.mark.parametrize("method", ["fast", "random_search"])
def test_where_constraints_determine_what_is_continuous_each_point_is_tried_once_and_the_run_ends(
    tmp_path, method, case
):
    parameters, constraints, number = DETERMINED[case]
    path = tmp_path / "determined.titrant"
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment(parameters, constraints)
        client.configure_optimization("-y")
        client.configure_generation_strategy(method)
        client.configure_runner(lambda at: {"y": sum(at.values())})
        report = client.run_trials(30, parallelism=3, progress=False)
        points = [tuple(round(value, 6) for value in trial.parameters.values()) for trial in client.state.trials()]

    assert report.outcome == "exhausted"
    assert "used up" in report.reason
    assert len(set(points)) == len(points) == number
    assert verify_decisions(path).equal == number


def test_a_solvent_that_fills_up_gives_the_conditions_of_a_failed_trial_back():
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 3), "int"), WATER], ["x + water = 10"])
        client.configure_optimization("y")
        lab = FailsLate()
        client.configure_runner(lab)
        report = client.run_trials(50, parallelism=4, progress=False)
        trials = client.state.trials()

        assert (report.outcome, lab.failed, len(trials)) == ("exhausted", 1, 5)
        assert trials[4].parameters == pytest.approx(trials[2].parameters)


@pytest.mark.parametrize("given", ["context", "fixed_parameters"])
def test_what_is_given_may_leave_finitely_many_points_and_each_comes_once_for_each_of_its_values(given):
    warmth = RangeParameterConfig("warmth", (0.0, 1.0), is_context=given == "context")
    with Client(random_seed=2, virtual_time=True) as client:
        client.configure_experiment([WHOLE[0], warmth])
        client.configure_optimization("y")
        for value in (0.5, 0.25):
            tried = []
            for _ in range(4):
                ((trial, at),) = client.get_next_trials(1, **{given: {"warmth": value}}).items()
                client.complete_trial(trial, {"y": at["a"] * value})
                tried.append((at["a"], at["warmth"]))
            assert sorted(tried) == [(a, value) for a in range(4)]
            with pytest.raises(GenerationError, match="used up"):
                client.get_next_trials(1, **{given: {"warmth": value}})


def test_logs_of_before_such_points_were_kept_away_from_are_derived_again(tmp_path, monkeypatch):
    path = tmp_path / "before.titrant"
    with monkeypatch.context() as before, Client(path, random_seed=2, virtual_time=True) as client:
        before.setattr(requests, "determined", lambda *_: None)
        client.configure_experiment([*WHOLE, WATER], ["a + b + water = 10"])
        client.configure_optimization("y")
        client.configure_generation_strategy("random_search")
        client.configure_runner(lambda at: {"y": at["a"]})
        report = client.run_trials(30, progress=False)

    assert report.outcome == "finished"  # with repeats
    assert verify_decisions(path).equal == 30


def test_where_the_fidelity_alone_is_continuous_the_model_has_no_point_measured_again_at_the_target():
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment(
            [WHOLE[0], RangeParameterConfig("time", (0.0, 1.0), is_fidelity=True, target_value=1.0)]
        )
        client.configure_optimization("y")
        client.configure_runner(lambda at: {"y": -((at["a"] - 2) ** 2) * at["time"]})
        report = client.run_trials(25, progress=False)
        there = [trial for trial in client.state.trials() if trial.parameters["time"] == 1.0]

    assert report.outcome == "exhausted"
    for place, trial in enumerate(there):
        assert trial.node != "bo" or trial.parameters not in [other.parameters for other in there[:place]]
    assert {trial.parameters["a"] for trial in there} == {0, 1, 2, 3}


def test_points_that_others_have_in_hand_are_not_suggested_again():
    with few() as client:
        asked = client.get_next_trials(5)
        more = client.get_next_trials(9)
        points = [tuple(at.items()) for at in (*asked.values(), *more.values())]

        assert len(set(points)) == len(points) == 8


def test_the_conditions_of_a_trial_that_failed_last_are_tried_again_before_the_run_ends():
    with few() as client:
        client.configure_generation_strategy("random_search")
        lab = FailsLate()
        client.configure_runner(lab)
        report = client.run_trials(50, parallelism=8)
        trials = client.state.trials()

        assert (report.outcome, lab.failed) == ("exhausted", 1)
        assert [trial.status.name for trial in trials].count("COMPLETED") == 8
        assert trials[8].parameters == trials[2].parameters
