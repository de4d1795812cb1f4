"""Choices whose values are described: what a model makes of the descriptors, and what it gains by them."""

import numpy as np
import pytest

from titrant.generators import dispatch
from titrant.generators.base import Point, PredictionRequest, Request
from titrant.generators.descriptors import telling
from titrant.generators.encoding import encoding_of
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

YIELD = optimization_config("yield")


def table(*columns):
    return np.array(columns, dtype=float).T


def test_descriptors_are_scaled_from_zero_to_one_over_the_values():
    assert telling(table([2, 4, 10])).tolist() == [[0.0], [0.25], [1.0]]


def test_constant_descriptors_are_dropped():
    assert telling(table([5, 5, 5], [2, 4, 10])).tolist() == [[0.0], [0.25], [1.0]]


def test_of_descriptors_that_repeat_each_other_the_first_stays():
    one, other = [1.0, 2.0, 3.0, 4.0], [-2.0, -4.1, -6.0, -8.0]

    assert telling(table(one, other, [0, 1, 1, 0])).shape == (4, 2)
    assert telling(table(other, one))[:, 0].tolist() == pytest.approx([1.0, 0.65, 1 / 3, 0.0])


def test_a_descriptor_that_repeats_another_stays_where_only_it_tells_two_values_apart():
    rough, fine = [0, 0, 1, 1, 2, 2], [0, 0.1, 1, 1.1, 2, 2.1]

    assert telling(table(rough, fine)).shape == (6, 2)


def test_a_described_choice_has_a_column_for_each_descriptor_that_tells_something():
    rows = {"a": {"p": 0, "q": 3}, "b": {"p": 1, "q": 5}, "c": {"p": 4, "q": 3}}
    encoding = encoding_of(search_space([ChoiceParameterConfig("s", tuple("abc"), descriptors=rows)]), {})

    assert encoding.to_model(np.array([[0.0], [1.0], [2.0]])).tolist() == [[0.0, 0.0], [0.25, 1.0], [1.0, 0.0]]
    assert encoding.from_model(np.array([[0.3, 0.8], [0.9, 0.1]])).tolist() == [[1.0], [2.0]]


def test_described_numbers_still_stand_in_constraints():
    rows = {n: {"p": n * n % 7} for n in (1, 2, 3)}
    space = search_space(
        [ChoiceParameterConfig("n", (3, 1, 2), "int", descriptors=rows), RangeParameterConfig("x", (0, 3))],
        ["n + x <= 3", "n >= 2"],
    )
    made = dispatch.suggest(Request(space=space, count=12, seed=1)).proposals

    assert len(made) == 12
    assert all(space.contains(one.parameters) for one in made)


# --- a reaction whose yield depends on two of three descriptors of its solvent ---------------------------------------


def reaction(seed, count=40, *, described):
    """A search space, and the true yield."""
    rng = np.random.default_rng(seed)
    names, rows, best = [f"s{i}" for i in range(count)], rng.random((count, 3)), rng.random(3)
    weights = np.array([1.0, 0.5, 0.0])
    said = {name: dict(zip("abc", map(float, row), strict=True)) for name, row in zip(names, rows, strict=True)}
    solvent = ChoiceParameterConfig("solvent", names, descriptors=said if described else None)
    space = search_space([solvent, RangeParameterConfig("t", (0, 1))])

    def true(parameters):
        row = rows[names.index(parameters["solvent"])]
        return float(100 * np.exp(-3 * (weights @ (row - best) ** 2) - 2 * (parameters["t"] - 0.6) ** 2))

    return space, true


def measured(trial, parameters, true):
    return Point(trial=trial, parameters=parameters, observations=(Observation("yield", true(parameters)),))


def error_at_unseen_values(seed, *, described):
    """Root mean square of what a model of 16 solvents misses at the others."""
    space, true = reaction(seed, described=described)
    rng = np.random.default_rng(seed)
    seen = tuple(measured(i, {"solvent": f"s{i}", "t": float(rng.random())}, true) for i in range(16))
    unseen = tuple({"solvent": f"s{i}", "t": 0.5} for i in range(16, 40))
    request = PredictionRequest(space=space, optimization=YIELD, observed=seen, points=unseen)
    said = [one["yield"][0] for one in dispatch.predict(request).predictions]
    return float(np.sqrt(np.mean((np.array(said) - [true(point) for point in unseen]) ** 2)))


def test_values_that_were_never_tried_are_predicted_from_those_that_were():
    errors = np.array(
        [[error_at_unseen_values(seed, described=kind) for kind in (True, False)] for seed in range(1000, 1003)]
    )

    assert (errors[:, 0] < errors[:, 1]).all()
    assert errors[:, 0].mean() < 0.5 * errors[:, 1].mean()


def trials_needed(seed, *, described, most=20):
    """Trials until one has 98 % of the best yield there is."""
    space, true = reaction(seed, described=described)
    enough = 0.98 * max(true({"solvent": f"s{i}", "t": 0.6}) for i in range(40))
    points, position = [], 0
    for trial in range(most):
        of_model = {"node": "bo", "optimization": YIELD, "observed": tuple(points)} if trial >= 5 else {}
        (made,) = dispatch.suggest(Request(space=space, seed=seed, position=position, **of_model)).proposals
        position = made.position
        points.append(measured(trial, made.parameters, true))
        if true(made.parameters) >= enough:
            return trial + 1
    return most + 1


def test_the_best_value_is_found_in_fewer_trials():
    needed = np.array([[trials_needed(seed, described=kind) for kind in (True, False)] for seed in (1000, 1001)])

    assert needed[:, 0].sum() < 0.8 * needed[:, 1].sum()


def test_botorch_sees_the_descriptors_too():
    space, true = reaction(1000, described=True)
    seen = tuple(measured(i, {"solvent": f"s{i}", "t": 0.5}, true) for i in range(8))
    request = Request(space=space, node="bo", method="botorch", optimization=YIELD, observed=seen, seed=1)

    (made,) = dispatch.suggest(request).proposals

    assert made.fallback is None
    assert space.contains(made.parameters)
