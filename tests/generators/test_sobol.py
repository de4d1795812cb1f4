"""The Sobol node: never a point that breaks the space, and always an end."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from tests.generators.strategies import spaces

from titrant.errors import GenerationError, SearchSpaceError
from titrant.generators import dispatch, sobol
from titrant.generators.base import Design, Examination, Point, PredictionRequest, Request
from titrant.generators.sampler import sampler_of
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space


def fractions(count, **config):
    return [RangeParameterConfig(f"x{i}", (0.0, 1.0), **config) for i in range(count)]


def total(count):
    return " + ".join(f"x{i}" for i in range(count))


def made(space, count, **changes):
    return [p.parameters for p in sobol.suggest(Request(space=space, count=count, **changes)).proposals]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spaces(), st.integers(0, 10**6), st.integers(0, 5000))
def test_no_suggestion_ever_breaks_a_constraint_or_a_step(space, seed, position):
    try:
        points = made(space, 5, seed=seed, position=position)
    except GenerationError:
        reject()  # a grid that constraints leave hardly a point of, if any

    assert all(space.check(point) == point for point in points)


@pytest.mark.parametrize("dimension", [1, 10, 50, 64])
def test_many_dimensions_are_covered_evenly(dimension):
    values = np.array([list(point.values()) for point in made(search_space(fractions(dimension)), 16)])

    assert (np.sort(np.floor(values * 16), axis=0) == np.arange(16)[:, None]).all()


@pytest.mark.parametrize(
    ("constraints", "method"),
    [
        (["x0 + x1 <= 1"], "box"),
        ([f"{total(4)} == 1"], "simplex"),
        ([f"{total(4)} == 1", "x0 <= 0.1", "x1 <= 0.02"], "polytope"),
        ([f"{total(4)} <= 0.1"], "polytope"),
    ],
)
def test_constraints_decide_how_points_are_made(constraints, method):
    assert sampler_of(search_space(fractions(4), constraints), {}, 0).method == method


@pytest.mark.parametrize("constraints", [[f"{total(3)} == 1"], [f"{total(3)} == 1", "x0 <= 0.999", "x1 - x2 <= 1"]])
def test_a_mixture_is_sampled_uniformly(constraints):
    values = np.array([list(point.values()) for point in made(search_space(fractions(3), constraints), 512)])

    assert values.mean(0) == pytest.approx([1 / 3] * 3, abs=0.03)
    assert (values**2).mean(0) == pytest.approx([1 / 6] * 3, abs=0.03)  # of the flat Dirichlet distribution


def test_random_walks_are_uniform_in_a_long_thin_polytope():
    space = search_space(fractions(3), ["x0 - x1 <= 0.001", "x1 - x0 <= 0.001"])
    values = np.array([list(point.values()) for point in made(space, 512)])

    assert sampler_of(space, {}, 0).method == "polytope"
    assert np.quantile(values[:, 0], [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.07)


def test_constraints_that_leave_a_plane_are_found_to_be_equalities():
    points = made(search_space(fractions(3), ["x0 - x1 <= 0", "x1 - x0 <= 0"]), 8)

    assert all(point["x0"] == pytest.approx(point["x1"], abs=1e-8) for point in points)
    assert len({point["x2"] for point in points}) == 8


@pytest.mark.parametrize("step", [0.05, 0.1])
def test_a_stepped_mixture_adds_up(step):
    space = search_space(fractions(4, step_size=step), [f"{total(4)} == 1"])

    assert all(sum(point.values()) == pytest.approx(1, abs=1e-9) for point in made(space, 20))


def test_whole_numbers_solve_an_equation():
    numbers = [RangeParameterConfig(name, (0, 50), "int") for name in "ab"]
    points = made(search_space(numbers, ["3*a + 5*b == 101"]), 20)

    assert {(point["a"], point["b"]) for point in points} == {
        (a, (101 - 3 * a) // 5) for a in (2, 7, 12, 17, 22, 27, 32)
    }


@pytest.mark.parametrize("node", ["centre", "sobol", "random", "latin_hypercube", "bo"])
def test_a_negative_seed_of_an_older_log_still_gives_points(node):
    space = search_space(fractions(2))
    points = tuple(Point(i, at, (Observation("y", at["x0"]),)) for i, at in enumerate(made(space, 4)))
    asked = Request(
        space=space,
        node=node,
        count=2,
        seed=-5,
        observed=points,
        optimization=optimization_config("y"),
        design=Design(size=4),
    )

    proposals = dispatch.suggest(asked).proposals
    assert len(proposals) == 2
    assert all("stood back" not in (one.fallback or "") for one in proposals)
    basis = PredictionRequest(
        space=space, optimization=optimization_config("y"), observed=points, points=({"x0": 0.5, "x1": 0.5},), seed=-5
    )
    assert dispatch.predict(basis).predictions
    assert dispatch.examine(Examination(question="fit", basis=asked)).metrics


def test_a_contradiction_is_named():
    # Of a kind that bounds alone do not show: the sums of any two are too large for the sum of all three.
    pairs = ["x0 + x1 >= 1.1", "x1 + x2 >= 1.1", "x0 + x2 >= 1.1"]

    with pytest.raises(GenerationError, match=r"no point .* keeps all its constraints .*x0 \+ x1 >= 1\.1; x1 \+ x2"):
        made(search_space(fractions(3), [*pairs, f"{total(3)} <= 1.6"]), 1)


def test_steps_without_a_solution_are_named_and_the_search_ends():
    space = search_space(fractions(3, step_size=0.5), [f"{total(3)} == 1.25"])

    with pytest.raises(GenerationError, match=r"no point found .* make steps finer"):
        made(space, 1)


def test_taken_points_of_a_finite_space_are_skipped_until_none_is_left():
    space = search_space([RangeParameterConfig("n", (1, 40), "int")])
    points = made(space, 40)
    reply = sobol.suggest(Request(space=space, count=2, taken=tuple(points[:39])))

    assert len({point["n"] for point in points}) == 40
    assert [p.parameters for p in reply.proposals] == points[39:]
    assert "used up: 1 of 2" in (reply.short_reason or "")


def test_a_space_with_everything_held_has_one_point():
    space = search_space(fractions(2))

    assert made(space, 3, fixed={"x0": 0.5, "x1": 0.25}) == [{"x0": 0.5, "x1": 0.25}]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(-2, 3), min_size=3, max_size=3), st.integers(-2, 8), st.integers(0, 10**6))
def test_where_an_equality_determines_what_is_continuous_each_point_that_it_leaves_comes_once(weights, bound, seed):
    names = ["a", "b", "c"]
    numbers = [RangeParameterConfig(name, (0, 2), "int") for name in names]
    terms = " + ".join(f"({weight})*{name}" for weight, name in zip(weights, names, strict=True) if weight)
    equality = f"{terms + ' + ' if terms else ''}0.7*water == {bound}"
    left = {
        at
        for at in itertools.product(range(3), repeat=3)
        if 0 <= round((bound - sum(w * x for w, x in zip(weights, at, strict=True))) / 0.7, 9) <= 5
    }
    try:
        space = search_space([*numbers, RangeParameterConfig("water", (0.0, 5.0))], [equality])
        reply = sobol.suggest(Request(space=space, count=40, seed=seed))
    except (GenerationError, SearchSpaceError):
        assert not left
        return

    assert sorted(tuple(p.parameters[name] for name in names) for p in reply.proposals) == sorted(left)
    assert "used up" in (reply.short_reason or "")


def test_the_few_points_that_steep_equalities_leave_are_solved_for():
    weights = ((29, 9, 2, -14, -12, -28), (-25, -29, -19, 20, 8, 25), (6, 15, 7, 13, 2, 23))
    point = (51, 38, 30, 16, 18, 2)
    names = [f"p{i}" for i in range(6)]
    constraints = [
        " + ".join(f"{w}*{name}" for w, name in zip(row, names, strict=True))
        + f" == {sum(w * x for w, x in zip(row, point, strict=True))}"
        for row in weights
    ]
    space = search_space([RangeParameterConfig(name, (0, 60), "int") for name in names], constraints)

    assert all(space.contains(values) for values in made(space, 1))
    assert sampler_of(space, {}, 0).block(0, 1)[1].all()
