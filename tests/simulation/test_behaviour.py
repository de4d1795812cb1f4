"""What comes of an attempt depends on its own identity, and on nothing else."""

import math
import statistics

import pytest

from titrant.errors import ConfigurationError
from titrant.simulation.behaviour import Behaviour, Lognormal


def behaviour(**settings):
    return Behaviour(objective=lambda parameters: 10.0 * parameters["x"], **settings)


def test_the_same_attempt_always_takes_the_same_course(attempt):
    lab = behaviour(duration_s=Lognormal(60.0), failure_probability=0.5)

    assert [lab.course(attempt(n)) for n in (3, 1, 2)] == [lab.course(attempt(n)) for n in (3, 1, 2)]


def test_another_seed_another_trial_and_another_attempt_are_drawn_anew(attempt):
    lab, other = behaviour(noise_sd=1.0), behaviour(noise_sd=1.0, seed=1)
    drawn = [lab.measure(attempt(), 0), lab.measure(attempt(1), 0), lab.measure(attempt(0, 2), 0)]

    assert len({*drawn, other.measure(attempt(), 0)}) == 4


def test_what_else_is_switched_on_does_not_change_a_draw(attempt):
    calm = behaviour(duration_s=Lognormal(60.0))
    noisy = behaviour(duration_s=Lognormal(60.0), noise_sd=2.0, hang_probability=1e-9)

    assert calm.course(attempt()) == noisy.course(attempt())


def test_a_duration_may_follow_from_the_conditions(attempt):
    lab = behaviour(duration_s=lambda parameters, draws: 60.0 * parameters["x"])

    assert lab.course(attempt(x=2.0)).seconds == 120.0


def test_half_of_the_lognormal_durations_are_below_the_median(attempt):
    lab = behaviour(duration_s=Lognormal(60.0, 0.5))
    drawn = [lab.course(attempt(n)).seconds for n in range(2_000)]

    assert statistics.median(drawn) == pytest.approx(60.0, rel=0.05)


def test_a_failing_attempt_fails_on_its_way(attempt):
    course = behaviour(duration_s=60.0, failure_probability=1.0).course(attempt())

    assert course.failure == "simulated failure"
    assert 0 <= course.seconds < 60.0


def test_a_hanging_attempt_never_ends(attempt):
    assert math.isinf(behaviour(hang_probability=1.0).course(attempt()).seconds)


def test_noise_has_the_standard_deviation_that_is_reported(attempt):
    lab = behaviour(noise_sd=2.0)
    drawn = [lab.measure(attempt(n), 0) for n in range(2_000)]

    assert statistics.stdev(mean for mean, _ in drawn) == pytest.approx(2.0, rel=0.1)
    assert {sem for _, sem in drawn} == {2.0}


def test_a_lab_may_not_know_its_noise(attempt):
    assert behaviour(noise_sd=2.0, sem_known=False).measure(attempt(), 0)[1] is None


def test_noise_and_drift_go_by_metric(attempt):
    lab = Behaviour(
        objective=lambda parameters: {"yield": 80.0, "impurity": 2.0},
        noise_sd={"yield": 1.0},
        drift_per_hour={"impurity": 0.5},
    )

    values = lab.measure(attempt(), hours=2.0)

    assert values["impurity"] == (3.0, 0.0)
    assert values["yield"][0] != 80.0


@pytest.mark.parametrize("name", ["failure_probability", "hang_probability"])
def test_a_probability_that_is_none_is_refused(name):
    with pytest.raises(ConfigurationError, match=f"{name} is 1.5: a probability is between 0 and 1"):
        behaviour(**{name: 1.5})
