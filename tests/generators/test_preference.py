"""Suggestions where trials are compared: they keep what a space says, and lead a noisy judge to what it likes."""

from __future__ import annotations

import math
from statistics import median

import numpy as np
import pytest
from msgspec.structs import replace

from titrant.errors import GenerationError
from titrant.generators import dispatch
from titrant.generators.base import Examination, Point, PredictionRequest, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.preference import known as knowing
from titrant.generators.preference.choosing import chances
from titrant.generators.preference.duels import duels
from titrant.generators.preference.eubo import eubo, of_pairs
from titrant.generators.preference.utility import Utility
from titrant.model.comparison import Comparison, Verdict, counting, tallies
from titrant.model.objective import PREFERENCE
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space
from titrant.simulation.problems import branin

PLANE = search_space([RangeParameterConfig("x1", (-5.0, 10.0)), RangeParameterConfig("x2", (0.0, 15.0))])


def asked(space, points, verdicts, **more):
    """A request for suggestions."""
    observed = tuple(Point(trial=place, parameters=point) for place, point in enumerate(points))
    given = {"space": space, "optimization": PREFERENCE, "node": "bo", "seed": 1, "observed": observed, **more}
    return Request(comparisons=tuple(verdicts), **given)


def design(space, count, seed=1):
    made = dispatch.suggest(Request(space=space, node="sobol", count=count, seed=seed))
    return [one.parameters for one in made.proposals]


def chain(count):
    """Each is better than the next."""
    return [Verdict(place, place + 1) for place in range(count - 1)]


# --- where suggestions lie ------------------------------------------------------------------------------------------

SPACES = {
    "mixed": search_space(
        [
            RangeParameterConfig("t", (20.0, 80.0), step_size=5.0),
            RangeParameterConfig("n", (1, 9), parameter_type="int"),
            ChoiceParameterConfig("solvent", ["water", "THF", "DMF"]),
        ],
        ["t + 5*n <= 90"],
    ),
    "mixture": search_space([RangeParameterConfig(name, (0.0, 1.0)) for name in "abc"], ["a + b + c == 1"]),
    "components": search_space(
        [RangeParameterConfig(name, (0.0, 1.0)) for name in "abcd"],
        ["a + b + c + d == 1", "at most 2 of a, b, c, d"],
    ),
    "curved": search_space([RangeParameterConfig(name, (0.1, 4.0)) for name in "ab"], ["a*b <= 3"]),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_suggestions_keep_all_that_the_space_says(space):
    points = design(space, 6)
    reply = dispatch.suggest(asked(space, points, chain(6), count=3))

    assert [one.fallback for one in reply.proposals] == [None] * 3
    assert all(space.contains(one.parameters) for one in reply.proposals)
    assert len({space.signature(one.parameters) for one in reply.proposals}) == 3


def test_what_is_held_fixed_stays():
    reply = dispatch.suggest(asked(SPACES["mixed"], design(SPACES["mixed"], 5), chain(5), fixed={"solvent": "THF"}))

    assert reply.proposals[0].parameters["solvent"] == "THF"


def test_a_finite_space_that_is_used_up_ends_with_a_reason():
    space = search_space([ChoiceParameterConfig("glaze", ["matt", "clear", "salt"])])
    points = [{"glaze": "matt"}, {"glaze": "clear"}]
    reply = dispatch.suggest(asked(space, points, chain(2), count=2, taken=tuple(points)))

    assert [one.parameters for one in reply.proposals] == [{"glaze": "salt"}]
    assert reply.short_reason


def test_what_is_under_way_is_kept_away_from():
    points = design(PLANE, 5)
    alone = dispatch.suggest(asked(PLANE, points, chain(5))).proposals[0]
    pending = (Point(trial=5, parameters=alone.parameters),)
    beside = dispatch.suggest(asked(PLANE, points, chain(5), pending=pending)).proposals[0]

    assert "LogEUBO" in alone.generator
    assert "LogqEUBO" in beside.generator
    assert max(abs(alone.parameters[name] - beside.parameters[name]) for name in ("x1", "x2")) > 0.1


def test_finished_trials_that_nobody_compared_are_options_too():
    points = design(PLANE, 6)
    reply = dispatch.suggest(asked(PLANE, points, chain(5)))

    assert "LogqEUBO" in reply.proposals[0].generator


def test_where_trials_fail_is_kept_away_from():
    """Everything in the better half failed: the suggestion stays out of it."""
    points = [{"x1": x, "x2": 7.0} for x in (-4.5, -3.0, -1.5, 0.0)]
    better_right = [Verdict(place + 1, place) for place in range(3)]
    failed = tuple(Point(trial=9 + i, parameters={"x1": x, "x2": 7.0}) for i, x in enumerate((2, 3, 4, 5, 6, 7, 8, 9)))
    plain = dispatch.suggest(asked(PLANE, points, better_right)).proposals[0]
    warned = dispatch.suggest(asked(PLANE, points, better_right, failed=failed)).proposals[0]

    assert plain.parameters["x1"] > 1.0 > warned.parameters["x1"]


def test_without_a_comparison_a_sobol_point_says_why():
    reply = dispatch.suggest(asked(PLANE, design(PLANE, 4), ()))

    assert reply.proposals[0].node == "sobol"
    assert "nobody has compared two trials yet" in reply.proposals[0].fallback


def test_the_same_request_gives_the_same_suggestion():
    request = asked(PLANE, design(PLANE, 5), chain(5), count=2)

    assert dispatch.suggest(request) == dispatch.suggest(request)


@pytest.mark.parametrize("seed", [2, 4])
def test_what_wins_every_time_is_not_challenged_from_the_corners_alone(seed):
    """Challengers lose one after the other: what nobody knows is not looked for in corners only."""
    points = design(HILL, 4, seed)
    verdicts = [Verdict(0, place) for place in range(1, 4)]
    for place in range(4, 10):
        points.append(dispatch.suggest(asked(HILL, points, verdicts, seed=seed)).proposals[0].parameters)
        verdicts.append(Verdict(0, place))
    cornered = [all(min(x, 1.0 - x) < 0.02 for x in point.values()) for point in points[4:]]

    assert sum(cornered) <= len(cornered) / 2


# --- awkward answers ------------------------------------------------------------------------------------------------

AWKWARD = {
    "one alone": [Verdict(0, 1)],
    "nothing but ties": [Verdict(0, 1, tie=True), Verdict(2, 3, tie=True), Verdict(1, 2, tie=True)],
    "round in a circle": [Verdict(0, 1), Verdict(1, 2), Verdict(2, 0)],
    "two hundred times the same": [Verdict(0, 1)] * 200,
    "half of them the other way": [Verdict(0, 1), Verdict(1, 0)] * 50,
}


@pytest.mark.parametrize("verdicts", AWKWARD.values(), ids=AWKWARD)
def test_a_model_makes_something_of_any_answers(verdicts):
    reply = dispatch.suggest(asked(PLANE, design(PLANE, 4), verdicts))

    assert reply.proposals[0].fallback is None
    assert all(math.isfinite(value) for value in reply.proposals[0].predicted["utility"])


def test_the_same_conditions_may_be_compared_with_themselves():
    points = [{"x1": 1.0, "x2": 2.0}] * 2 + [{"x1": 3.0, "x2": 4.0}]
    reply = dispatch.suggest(asked(PLANE, points, [Verdict(0, 1), Verdict(1, 0), Verdict(0, 2)]))

    assert reply.proposals[0].fallback is None


def test_of_very_many_trials_those_compared_last_are_looked_at(monkeypatch):
    monkeypatch.setattr(knowing, "MOST_TRIALS", 5)
    reply = dispatch.suggest(asked(PLANE, design(PLANE, 8), chain(8)))

    assert reply.proposals[0].generator.startswith("PairwiseGP(Matern-5/2) of 5 of 8 compared trials")


def test_a_point_that_does_not_fit_is_not_predicted():
    request = PredictionRequest(
        space=PLANE,
        optimization=PREFERENCE,
        observed=asked(PLANE, design(PLANE, 2), ()).observed,
        points=({"x1": 1.0},),
        comparisons=(Verdict(0, 1),),
    )
    with pytest.raises(GenerationError, match="does not fit"):
        dispatch.predict(request)


def test_verdicts_of_trials_that_are_gone_do_not_count():
    told = [Comparison(0, 1), Comparison(1, 2), Comparison(0, 2, withdrawn="mistaken"), Comparison(2, 0)]

    assert counting(told, [0, 2]) == (Verdict(2, 0),)


def test_a_tie_is_half_a_win_for_both():
    assert tallies([Verdict(0, 1), Verdict(1, 2, tie=True)]) == {0: (1.0, 1), 1: (0.5, 2), 2: (0.5, 1)}


# --- the numbers ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def utility():
    x = np.random.default_rng(2).random((5, 2))
    found = duels(chain(5), {place: place for place in range(5)})
    return Utility(x, found, Hyperparameters(np.array([0.4, 0.6]), 3.0, None, 0.0))


def test_eubo_is_the_mean_of_the_better_one(utility):
    pair = np.random.default_rng(3).random((2, 2))
    mean, covariance = utility.joint(pair)
    drawn = np.random.default_rng(4).multivariate_normal(mean, covariance, size=200_000).max(1)

    assert of_pairs(utility, pair, np.array([0]), np.array([1]))[0] == pytest.approx(
        drawn.mean(), abs=4 * drawn.std() / 447
    )


def test_with_several_options_it_is_the_mean_gain_over_the_best_of_them(utility):
    points = np.random.default_rng(5).random((3, 2))
    mean, covariance = utility.joint(points)
    drawn = np.random.default_rng(6).multivariate_normal(mean, covariance, size=100_000)
    gain = np.log(np.maximum(drawn[:, 2] - drawn[:, :2].max(1), 0.0).mean())
    found = [eubo(utility, points[0], points[1:2], seed).values(points[2:])[0] for seed in range(8)]

    assert np.mean(found) == pytest.approx(gain, abs=0.1)


def test_chances_to_be_best_are_those_of_joint_draws(utility):
    mean, covariance = utility.joint(utility.x)
    drawn = np.random.default_rng(7).multivariate_normal(mean, covariance, size=100_000).argmax(1)
    found = chances(utility, utility.x)

    assert found.sum() == pytest.approx(1.0)
    assert found == pytest.approx(np.bincount(drawn, minlength=5) / len(drawn), abs=0.03)


# --- what it is for -------------------------------------------------------------------------------------------------


def liked(space, function, unit, seed, rounds, *, at_random):
    """The value of what is recommended after so many answers of a judge with probit noise."""
    rng = np.random.default_rng([seed, int(at_random)])
    points, verdicts = design(space, 4, seed), []
    for _ in range(rounds):
        basis = asked(space, points, verdicts, seed=seed, position=len(points), node="sobol" if at_random else "bo")
        if verdicts or at_random:
            points.append(dispatch.suggest(basis).proposals[0].parameters)
            basis = asked(space, points, verdicts, seed=seed)
        if at_random:
            pair = (len(points) - 1, int(rng.integers(len(points) - 1)))
        else:
            pair = dispatch.examine(Examination(question="pairing", basis=basis)).trials
        seen = [function(points[place]) / unit + rng.standard_normal() for place in pair]
        verdicts.append(Verdict(*(pair if seen[0] > seen[1] else pair[::-1])))
    basis = asked(space, points, verdicts)
    request = PredictionRequest(
        space=space,
        optimization=PREFERENCE,
        observed=basis.observed,
        points=tuple(points),
        comparisons=basis.comparisons,
    )
    means = [one["utility"][0] for one in dispatch.predict(request).predictions]
    return function(points[int(np.argmax(means))])


HILL = search_space([RangeParameterConfig(name, (0.0, 1.0)) for name in "abc"])


def hill(values):
    return math.exp(-8.0 * sum((values[name] - at) ** 2 for name, at in zip("abc", (0.2, 0.7, 0.4), strict=True)))


@pytest.mark.parametrize(
    ("space", "function", "unit", "best", "rounds"),
    [(PLANE, lambda x: -branin(x)["branin"], 5.0, -0.397887, 18), (HILL, hill, 0.04, 1.0, 18)],
    ids=["branin", "hill"],
)
def test_a_noisy_judge_is_led_to_what_it_likes_and_random_pairs_lead_it_less_far(space, function, unit, best, rounds):
    seeds = range(1000, 1005)
    ours = median(best - liked(space, function, unit, seed, rounds, at_random=False) for seed in seeds)
    theirs = median(best - liked(space, function, unit, seed, rounds, at_random=True) for seed in seeds)

    assert ours < 0.6 * theirs


def test_rows_of_a_request_are_those_of_its_space():
    data, compared, found = knowing.read(
        encoding_of(PLANE, {}), asked(PLANE, design(PLANE, 4), ()).observed, [Verdict(3, 1), Verdict(3, 1)]
    )

    assert (len(data), compared.trials, found.weights.tolist()) == (4, (1, 3), [2.0])


def test_a_request_without_a_place_for_its_trials_stands_back():
    request = asked(PLANE, [{"x1": 0.0, "x2": 1.0}, {"x1": 2.0, "x2": 1.0}], [Verdict(0, 1)])
    gone = replace(request, comparisons=(Verdict(7, 8),))

    assert "nobody has compared" in dispatch.suggest(gone).proposals[0].fallback


def test_wrapped_optimizers_say_that_they_know_no_comparisons():
    from titrant.generators.peers.told import told  # noqa: PLC0415 - of no other test here

    with pytest.raises(GenerationError, match="Ax knows no comparisons"):
        told(asked(PLANE, design(PLANE, 2), chain(2)), "Ax")
