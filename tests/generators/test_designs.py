"""Initial designs beside Sobol: even where they promise it, once each where they are finite, and always an end."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from tests.generators.strategies import spaces

from titrant.errors import GenerationError
from titrant.generators import dispatch
from titrant.generators.base import Design, Request
from titrant.generators.sequences import LatinHypercubes, UniformSequence
from titrant.model.factorial import factorial, flaw
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

MIXED = search_space(
    [
        RangeParameterConfig("x", (0.0, 1.0)),
        RangeParameterConfig("rate", (0.01, 1.0), scaling="log"),
        RangeParameterConfig("n", (1, 2), "int"),
        ChoiceParameterConfig("solvent", ("water", "DMF", "THF")),
    ]
)


def asked(space, node, count, **changes):
    return dispatch.suggest(Request(space=space, node=node, count=count, **changes))


def made(space, node, count, **changes):
    return [proposal.parameters for proposal in asked(space, node, count, **changes).proposals]


@pytest.mark.parametrize("node", ["random", "latin_hypercube", "grid"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(space=spaces(), seed=st.integers(0, 10**6), position=st.integers(0, 500))
def test_no_suggestion_ever_breaks_a_constraint_or_a_step(node, space, seed, position):
    try:
        points = made(space, node, 4, seed=seed, position=position, design=Design(size=4))
    except GenerationError:
        reject()  # a grid that constraints leave hardly a point of, if any

    assert all(space.check(point) == point for point in points)


@pytest.mark.parametrize("least", [2, 8])
def test_a_sliver_that_no_wall_is_met_in_on_some_directions_has_points(least):
    """Two constraints leave hardly anything of a scale over seven decades."""
    wide = RangeParameterConfig("p2", (1.0, 15848931.924611142), scaling="log")
    space = search_space(
        [RangeParameterConfig("p0", (0.0, 0.25)), RangeParameterConfig("p1", (0.0, 1.0)), wide],
        [f"3*p1 - 2*p2 <= -{least}", f"p0 + p1 - 2*p2 >= -{least + 2}"],
    )

    points = made(space, "random", 4, seed=0, design=Design(size=4))

    assert len(points) == 4
    assert all(space.check(point) == point for point in points)


# --- latin hypercubes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "dimension"), [(1, 3), (7, 2), (10, 6), (150, 20)])
def test_every_stratum_of_every_axis_is_met_once_in_each_hypercube(size, dimension):
    points = LatinHypercubes(dimension, 3, size).points(0, 2 * size)

    for cube in (points[:size], points[size:]):
        assert (np.sort(np.floor(cube * size), axis=0) == np.arange(size)[:, None]).all()
    assert not np.allclose(points[:size], points[size:])


def test_the_hypercube_taken_is_more_even_than_the_first_that_comes(monkeypatch):
    def nearest(seed):
        points = LatinHypercubes(4, seed, 12).points(0, 12)
        return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(points, 2))

    taken = [nearest(seed) for seed in range(10)]
    monkeypatch.setattr("titrant.generators.sequences._CANDIDATES", 1)

    assert np.median(taken) > 1.3 * np.median([nearest(seed) for seed in range(10)])


def test_a_design_of_the_budgets_size_has_each_choice_equally_often():
    solvents = [point["solvent"] for point in made(MIXED, "latin_hypercube", 9, design=Design(size=9))]

    assert {solvent: solvents.count(solvent) for solvent in solvents} == {"water": 3, "DMF": 3, "THF": 3}


# --- sequences of chance --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sequence", [UniformSequence(3, 8), LatinHypercubes(3, 8, 5)])
def test_a_point_depends_on_its_position_alone(sequence):
    whole = sequence.points(0, 150)

    assert (sequence.points(60, 10) == whole[60:70]).all()
    assert ((whole > 0) & (whole < 1)).all()


@pytest.mark.parametrize("node", ["random", "latin_hypercube", "grid"])
def test_another_seed_gives_another_order(node):
    assert made(MIXED, node, 6, seed=1, design=Design(size=6)) != made(MIXED, node, 6, seed=2, design=Design(size=6))


# --- grids ----------------------------------------------------------------------------------------------------------


def test_a_grid_has_every_combination_once_and_then_ends():
    reply = asked(MIXED, "grid", 100, design=Design(levels={"x": 2}, last=True))
    points = [tuple(proposal.parameters.values()) for proposal in reply.proposals]

    assert set(points) == set(itertools.product((0.0, 1.0), (0.01, 0.1, 1.0), (1, 2), ("water", "DMF", "THF")))
    assert len(points) == 36
    assert reply.short_reason == "the grid is used up: each of its 36 points was tried or is under way"


def test_where_a_model_follows_sobol_points_go_on_after_a_grid_and_say_so():
    space = search_space([RangeParameterConfig("x", (0.0, 1.0))])
    reply = asked(space, "grid", 5)

    assert [proposal.node for proposal in reply.proposals] == ["grid"] * 3 + ["sobol"] * 2
    assert "used up" in (reply.proposals[-1].fallback or "")


def test_the_grid_of_a_mixture_is_its_lattice():
    parts = [RangeParameterConfig(name, (0.0, 1.0)) for name in "abc"]
    points = factorial(search_space(parts, ["a + b + c == 1"]), 5)

    assert len(points) == 15  # {3, 4} simplex lattice
    assert all(sum(point.values()) == pytest.approx(1) for point in points)


@pytest.mark.parametrize(
    ("config", "count", "expected"),
    [
        (RangeParameterConfig("p", (0.0, 10.0)), 1, (5.0,)),
        (RangeParameterConfig("p", (1e-4, 1.0), scaling="log"), 3, (1e-4, pytest.approx(1e-2), 1.0)),
        (RangeParameterConfig("p", (1, 6), "int"), 10, (1, 2, 3, 4, 5, 6)),
        (RangeParameterConfig("p", (0.0, 1.0), step_size=0.25), 3, (0.0, 0.5, 1.0)),
        (RangeParameterConfig("p", (0.0, 1.1), step_size=0.5), 2, (0.0, 1.0)),
        (ChoiceParameterConfig("p", ("a", "b", "c", "d")), 2, ("a", "b", "c", "d")),
    ],
)
def test_levels_go_from_end_to_end_on_what_may_be_suggested(config, count, expected):
    assert tuple(point["p"] for point in factorial(search_space([config]), count)) == expected


def test_what_is_held_fixed_need_not_stand_in_the_grid():
    points = made(MIXED, "grid", 4, fixed={"x": 0.37, "solvent": "THF"}, design=Design(last=True))

    assert all((point["x"], point["solvent"]) == (0.37, "THF") for point in points)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"y": 2}, "names 'y', which is no parameter"),
        (0, "one level at least"),
        (100_000, "more than 10000: give fewer levels"),
        (2, "keeps the constraints: give more levels"),
    ],
)
def test_a_grid_that_cannot_be_is_named(levels, said):
    space = search_space([RangeParameterConfig("x", (0.0, 1.0))], ["x >= 0.4", "x <= 0.6"])

    assert said in (flaw(space, levels) or "")
