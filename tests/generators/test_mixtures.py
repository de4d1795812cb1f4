"""Mixtures of up to twenty components, of which only some may be present."""

import numpy as np
import pytest

from titrant import Client
from titrant.errors import GenerationError, SearchSpaceError
from titrant.generators import dispatch
from titrant.generators.base import Point, Request
from titrant.generators.emptiness import refuse_empty
from titrant.generators.encoding import encoding_of
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space

NAMES = [f"c{i:02d}" for i in range(20)]
ALL = ", ".join(NAMES)


def mixture(*constraints, upper=1.0, total=1.0, **fields):
    parts = [RangeParameterConfig(name, (0.0, upper), **fields) for name in NAMES]
    return search_space(parts, [f"{' + '.join(NAMES)} == {total}", *constraints])


def present(parameters):
    return [name for name in NAMES if parameters[name] > 0]


@pytest.mark.parametrize("node", ["sobol", "random", "latin_hypercube"])
def test_designs_of_twenty_components_have_three_of_them_in_ever_other_sets(node):
    space = mixture(f"at most 3 of {ALL}, each 0 or >= 0.05")
    made = [one.parameters for one in dispatch.suggest(Request(space=space, node=node, count=40, seed=5)).proposals]

    sets = {tuple(present(parameters)) for parameters in made}
    assert len(sets) > 30
    assert {1, 2, 3} == {len(one) for one in sets}
    assert all(space.contains(parameters) for parameters in made)


def test_one_by_one_gives_the_same_recipes_as_all_at_once():
    request = Request(space=mixture(f"at most 3 of {ALL}"), count=6, seed=2)
    together = dispatch.suggest(request).proposals
    position = 0
    for expected in together:
        (one,) = dispatch.suggest(Request(space=request.space, count=1, seed=2, position=position)).proposals
        position = one.position

        assert one == expected


def test_the_model_finds_the_recipe_and_keeps_to_the_number_of_components():
    space = search_space(
        [RangeParameterConfig(name, (0.0, 1.0)) for name in NAMES[:6]],
        [f"{' + '.join(NAMES[:6])} == 1", f"at most 2 of {', '.join(NAMES[:6])}, each 0 or >= 0.1"],
    )
    best = {"c01": 0.6, "c04": 0.4}
    points = []
    for number in range(14):
        request = Request(
            space=space,
            node="sobol" if number < 6 else "bo",
            optimization=optimization_config("y"),
            observed=tuple(points),
            position=number,
            seed=4,
        )
        (made,) = dispatch.suggest(request).proposals
        miss = sum((value - best.get(name, 0.0)) ** 2 for name, value in made.parameters.items())
        points.append(Point(number, made.parameters, (Observation("y", -miss),)))

        assert made.fallback is None
        assert space.contains(made.parameters)

    assert max(point.observations[0].mean for point in points) > -0.01


def test_what_is_held_fixed_counts_as_present():
    space = mixture(f"at most 3 of {ALL}", upper=0.6)
    made = dispatch.suggest(Request(space=space, count=8, seed=1, fixed={"c00": 0.3, "c01": 0.0})).proposals

    assert all(one.parameters["c00"] == 0.3 and len(present(one.parameters)) <= 3 for one in made)


def test_held_values_that_are_too_many_are_refused():
    space = mixture(f"at most 1 of {ALL}")

    with pytest.raises(GenerationError, match="held fixed breaks the constraint 'at most 1 of"):
        encoding_of(space, {"c00": 0.3, "c01": 0.7})


def test_components_that_reach_no_total_are_refused_with_both_constraints():
    with pytest.raises(SearchSpaceError, match=r"== 1.0' and 'at most 3 of .* clash"):
        refuse_empty(mixture(f"at most 3 of {ALL}", upper=0.3))


def test_recipes_of_one_size_are_uniform_on_their_simplex():
    space = mixture(f"exactly 3 of {ALL}")
    made = dispatch.suggest(Request(space=space, node="random", count=600, seed=0)).proposals
    largest = [max(one.parameters.values()) for one in made]

    # Of three uniform shares the largest is 11/18 on average, with a standard deviation of about 0.14.
    assert np.mean(largest) == pytest.approx(11 / 18, abs=0.025)


def test_a_client_optimizes_a_formulation_in_per_cent():
    with Client(random_seed=3, virtual_time=True) as client:
        client.configure_experiment(
            [RangeParameterConfig(name, (0.0, 100.0), step_size=5.0) for name in "abcd"],
            ["a + b + c + d = 100", "at most 2 of a, b, c, d, each 0 or >= 20"],
        )
        client.configure_optimization("y")
        client.configure_runner(lambda at: {"y": -abs(at["a"] - 35) - abs(at["c"] - 65)})
        client.run_trials(12, progress=False)
        trials = client.state.trials()

    for trial in trials:
        there = [value for value in trial.parameters.values() if value]
        assert sum(there) == 100
        assert len(there) <= 2
        assert min(there) >= 20


def shares(number, upper, total=1.0):
    """A thousand shares of a total, each at most the upper bound, and how they were made: ``1000 x number``."""
    names = [f"c{i}" for i in range(number)]
    space = search_space(
        [RangeParameterConfig(name, (0.0, bound)) for name, bound in zip(names, upper, strict=True)],
        [f"{' + '.join(names)} == {total}"],
    )
    made = dispatch.suggest(Request(space=space, count=1000, seed=1)).proposals
    return np.array([list(one.parameters.values()) for one in made]), made[0].generator


def test_twenty_shares_that_bounds_leave_little_room_are_uniform():
    rows, generator = shares(20, [0.08] * 20)
    rng = np.random.default_rng(0)
    # By another way: a walk that shares two components' sum out anew, for which the uniform distribution is stationary.
    walk = np.full((2000, 20), 0.05)
    for _ in range(600):
        i, j = rng.permuted(np.tile(np.arange(20), (len(walk), 1)), axis=1)[:, :2].T
        at = np.arange(len(walk))
        both = walk[at, i] + walk[at, j]
        low = np.maximum(both - 0.08, 0.0)
        walk[at, i] = low + rng.random(len(walk)) * (np.minimum(both, 0.08) - low)
        walk[at, j] = both - walk[at, i]

    assert "between the bounds" in generator
    assert np.abs(rows.sum(1) - 1).max() < 1e-9
    assert rows.mean(0) == pytest.approx(np.full(20, 0.05), abs=0.003)
    assert rows.std() == pytest.approx(walk.std(), rel=0.03)
    assert np.sort(rows, 1).mean(0) == pytest.approx(np.sort(walk, 1).mean(0), abs=0.002)


def test_unequal_bounds_are_those_of_points_that_were_left_out():
    upper = np.array([0.35, 0.3, 0.25, 0.2, 0.1])
    rows, generator = shares(5, upper)
    even = np.random.default_rng(0).dirichlet(np.ones(5), size=1_000_000)
    even = even[(even <= upper).all(1)]

    assert "between the bounds" in generator
    assert rows.mean(0) == pytest.approx(even.mean(0), abs=0.006)
    assert rows.std(0) == pytest.approx(even.std(0), abs=0.006)
    assert np.corrcoef(rows.T) == pytest.approx(np.corrcoef(even.T), abs=0.12)
