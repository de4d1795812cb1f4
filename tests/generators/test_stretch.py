"""Metrics with a bound, in logarithms where they are smoother so."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.generators.base import Point, Request
from titrant.generators.dispatch import suggest
from titrant.generators.encoding import encoding_of
from titrant.generators.gp.bend import Bend
from titrant.generators.gp.data import Data, collect
from titrant.generators.gp.fitted import Fitted, fit
from titrant.generators.gp.goal import goal
from titrant.generators.gp.kernel import matern, squared_distances
from titrant.generators.gp.model import predict
from titrant.generators.gp.stretch import Stretch
from titrant.model.objective import OptimizationConfig, optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

SPACE = search_space([RangeParameterConfig("heat", (0.0, 1.0)), RangeParameterConfig("time", (0.0, 1.0))])
BOUNDED = optimization_config("yield", ["impurity <= 3"])


def impurity(heat: float, time: float) -> float:
    """From a hundredth of a per cent to eighty."""
    return 0.01 * math.exp(6 * heat + 3 * time)


def points(count: int = 16) -> tuple[Point, ...]:
    rng = np.random.default_rng(0)
    found = []
    for trial, (heat, time) in enumerate(rng.random((count, 2)).tolist()):
        measured = (Observation("yield", 50 * (heat + time)), Observation("impurity", impurity(heat, time), 0.01))
        found.append(Point(trial, {"heat": heat, "time": time}, measured))
    return tuple(found)


def data(config: OptimizationConfig, *, count: int = 16) -> Data:
    return collect(encoding_of(SPACE, {}), config.metric_names, points(count))


def fitted(config: OptimizationConfig) -> Fitted:
    found = data(config)
    return fit(config, found, found.y[:, 0])


def function_of(metric: str, config: OptimizationConfig) -> Bend:
    return fitted(config).functions[config.metric_names.index(metric)]


def test_what_grows_by_factors_is_stretched():
    assert isinstance(function_of("impurity", BOUNDED), Stretch)


def test_what_is_smooth_as_it_is_stays_straight():
    config = optimization_config("impurity", ["yield >= 20"])

    assert function_of("yield", config) == Bend()


@pytest.mark.parametrize(
    "constraints",
    [["impurity <= 3", "impurity >= 0.1"], ["impurity + yield <= 60"], ["impurity - yield <= 0", "impurity <= 3"]],
)
def test_a_metric_with_two_bounds_or_in_a_sum_stays_straight(constraints):
    assert function_of("impurity", optimization_config("yield", constraints)) == Bend()


def test_a_metric_that_is_sought_is_not_stretched():
    config = optimization_config("-impurity", ["impurity <= 3"])

    assert not isinstance(function_of("impurity", config), Stretch)


@pytest.mark.parametrize("text", ["impurity <= 3", "-2*impurity >= -6"])
def test_bounds_go_with_it(text):
    config = optimization_config("yield", [text])
    found = fitted(config)
    target = goal(config, found.data)
    seen = np.stack([one.there(found.data.y[:, j]) for j, one in enumerate(found.functions)], axis=1)

    assert isinstance(found.functions[config.metric_names.index("impurity")], Stretch)
    assert found.aim(target).feasible(seen).tolist() == target.feasible(found.data.y).tolist()
    assert 0 < target.feasible(found.data.y).sum() < len(found.data)


def test_where_the_bound_is_crossed_is_told_more_exactly():
    found = fitted(BOUNDED)
    straight = optimization_config("yield", ["impurity <= 3", "impurity >= -1e9"])
    there = np.random.default_rng(1).random((200, 2))
    truth = np.array([impurity(*row) for row in there.tolist()])
    near = (truth > 1) & (truth < 9)

    def errors(one: Fitted) -> float:
        told = predict(one.posteriors, one.data, there[near], one.functions)
        return float(np.median(np.abs(np.array([row["impurity"][0] for row in told]) - truth[near])))

    assert errors(found) < 0.5 * errors(fitted(straight))


def spring(wire: float, coil: float) -> float:
    """What a spring of Coello's lacks in deflection: from 1, which is too much, down to minus a million."""
    return 1 - 20 * (0.05 + coil) ** 3 / (71785 * (0.002 + 0.1 * wire) ** 4)


def springs(text: str, count: int = 24) -> tuple[OptimizationConfig, Data]:
    config = optimization_config("weight", [text])
    sign = 1.0 if "<=" in text else -1.0
    found = []
    for trial, (wire, coil) in enumerate(np.random.default_rng(2).random((count, 2)).tolist()):
        measured = (Observation("weight", wire * coil), Observation("lack", sign * spring(wire, coil)))
        found.append(Point(trial, {"heat": wire, "time": coil}, measured))
    return config, collect(encoding_of(SPACE, {}), config.metric_names, found)


@pytest.mark.parametrize("text", ["lack <= 0", "lack >= 0", "2*lack <= 0"])
def test_what_keeps_its_bound_by_orders_of_magnitude_is_counted_from_the_bound(text):
    config, found = springs(text)
    model = fit(config, found, found.y[:, 0])
    lack = model.functions[1]
    assert isinstance(lack, Stretch)
    assert found.shift[1] + found.scale[1] * lack.end == pytest.approx(0.0, abs=1e-9 * found.scale[1])

    there = np.random.default_rng(3).random((200, 2))
    kept = np.array([spring(*row) <= 0 for row in there.tolist()])
    sign = 1.0 if "<=" in text else -1.0
    seen = model.posteriors[1].mean(there) <= lack.there(np.array([lack.end]))[0]
    seen = seen if sign > 0 else ~seen
    straight = fit(optimization_config("weight", [text, "lack <= 1e30"]), found, found.y[:, 0]).posteriors[1]
    blunt = sign * (found.shift[1] + found.scale[1] * straight.mean(there)) <= 0

    assert 0.05 < kept.mean() < 0.95
    assert (seen != kept).mean() < 0.5 * (blunt != kept).mean()


@pytest.mark.parametrize("bound", [1e12, 1e300, -1e300])
def test_a_bound_that_is_very_far_changes_nothing(bound):
    config, found = springs(f"lack <= {bound!r}")
    model = fit(config, found, found.y[:, 0])

    assert np.isfinite(model.posteriors[1].mean(found.x)).all()


def test_a_bound_relative_to_the_baseline_is_not_needed_to_predict():
    config = optimization_config("weight", ["lack <= 1.5*baseline"])
    _, found = springs("lack <= 0")

    assert np.isfinite(fit(config, found, found.y[:, 0]).posteriors[1].mean(found.x)).all()


def test_what_is_told_of_far_away_stays_within_twice_what_was_measured():
    found = fitted(BOUNDED)
    measured = found.data.shift[1] + found.data.scale[1] * found.data.y[:, 1]
    corners = np.array([[1.0, 1.0], [3.0, 3.0], [-2.0, -2.0]])

    told = [row["impurity"] for row in predict(found.posteriors, found.data, corners, found.functions)]

    assert all(abs(mean) <= 2 * measured.max() and sem <= 2 * measured.max() for mean, sem in told)


@given(
    st.floats(-5, 5),
    st.floats(-2, 2),
    st.floats(0.003, 10),
)
def test_a_stretch_can_be_undone_and_its_slope_is_its_derivative(y, end, width):
    one = Stretch(0.0, 0.3, 1.7, end, width)
    at = np.array([y])
    step = 1e-6 * (width + abs(y - end))

    assert one.undone(one.there(at))[0] == pytest.approx(y, abs=1e-9)
    rise = (one.there(at + step) - one.there(at - step)) / (2 * step)
    assert one.slope(at)[0] == pytest.approx(float(rise[0]), rel=1e-4)


def test_few_or_equal_outcomes_stay_straight():
    few = data(BOUNDED, count=3)
    same = collect(
        encoding_of(SPACE, {}),
        ("yield", "impurity"),
        [Point(p.trial, p.parameters, (p.observations[0], Observation("impurity", 1.0))) for p in points()],
    )

    assert fit(BOUNDED, few, few.y[:, 0]).functions[1] == Bend()
    assert fit(BOUNDED, same, same.y[:, 0]).functions[1] == Bend()


def test_the_same_request_is_answered_by_the_same_point():
    request = Request(space=SPACE, optimization=BOUNDED, node="bo", observed=points(), seed=3)

    assert suggest(request).proposals == suggest(request).proposals


def test_choices_tell_of_each_other():
    space = search_space([ChoiceParameterConfig("solvent", ("a", "b", "c"), "str", is_ordered=False)])
    x = encoding_of(space, {}).to_model(np.arange(3.0)[:, None])
    correlation = matern(squared_distances(x / 0.7, x / 0.7))[0]

    assert correlation[0, 1] == pytest.approx(0.52, abs=0.01)
