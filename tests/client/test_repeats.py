"""Nothing is suggested twice unless somebody asks for it, and a space that is used up ends a run."""

from __future__ import annotations

from itertools import combinations

import pytest

from titrant import ChoiceParameterConfig, Client, RangeParameterConfig
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
