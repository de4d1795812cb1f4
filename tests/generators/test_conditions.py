"""Suggestions in spaces whose parameters are active only under a value of a choice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.generators.strategies import parameters

from titrant.generators import centre, dispatch
from titrant.generators.base import Design, Point, Request
from titrant.generators.emptiness import refuse_empty
from titrant.generators.encoding import encoding_of
from titrant.generators.sampler import sampler_of
from titrant.model.factorial import factorial
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

MODE = ChoiceParameterConfig(
    "mode", ["batch", "flow"], dependent_parameters={"flow": ["a", "b"], "batch": ["stirring"]}
)
A, B = RangeParameterConfig("a", (0, 1)), RangeParameterConfig("b", (0, 1))
STIRRING = RangeParameterConfig("stirring", (0, 100), "int")
T = RangeParameterConfig("t", (0, 10))
SPACE = search_space([MODE, A, B, STIRRING, T], ["a + b == 1", "stirring - 10*t >= 50"])


@st.composite
def conditional_spaces(draw):
    """Two choices, one within the other, with other parameters under their values."""
    below = [draw(parameters(f"p{i}")) for i in range(4)]
    inner = ChoiceParameterConfig("inner", (1, 2, 3), "int", dependent_parameters={1: ["p0"], 3: ["p0", "p1"]})
    outer = ChoiceParameterConfig("outer", tuple("xyz"), dependent_parameters={"x": ["inner", "p2"], "y": ["p2"]})
    return search_space(draw(st.permutations([*below, inner, outer])))


@given(conditional_spaces(), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_points_survive_the_way_to_the_model_and_back(space, seed):
    encoding = encoding_of(space, {})
    z = encoding.from_unit(np.random.default_rng(seed).random((6, encoding.dimension)))
    x = encoding.to_model(z)
    for row, coordinates, again in zip(z, x, encoding.from_model(x), strict=True):
        made = encoding.parameters(row)
        assert space.check(made) == made
        assert space.signature(encoding.parameters(again)) == space.signature(made)
        assert encoding.to_model(encoding.numbers(made)[None])[0] == pytest.approx(coordinates, abs=1e-9)


def test_what_is_not_active_is_in_the_middle_for_the_model():
    encoding = encoding_of(search_space([MODE, A, B, STIRRING]), {})
    rows = [{"mode": "batch", "stirring": 0}, {"mode": "flow", "a": 0.0, "b": 1.0}]

    assert encoding.to_model(np.array([encoding.numbers(row) for row in rows])).tolist() == [
        [0.0, 0.5, 0.5, 0.0],
        [0.5, 0.0, 1.0, 0.5],
    ]


def test_what_is_held_decides_what_is_free():
    encoding = encoding_of(SPACE, {"mode": "flow"})

    assert [axis.name for axis in encoding.axes] == ["a", "b", "t"]
    assert not encoding.system.gates


def test_designs_keep_the_constraints_of_each_branch_and_visit_all_of_them():
    for node in ("sobol", "random", "latin_hypercube"):
        made = dispatch.suggest(Request(space=SPACE, node=node, count=40, seed=3, design=Design(size=40))).proposals
        points = [one.parameters for one in made]

        assert all(SPACE.check(point) == point for point in points)
        assert 10 < sum(point["mode"] == "flow" for point in points) < 30


def test_equalities_that_clash_across_branches_hold_each_in_its_own():
    mode = ChoiceParameterConfig("m", ["p", "q"], dependent_parameters={"p": ["a"], "q": ["b"]})
    space = search_space([mode, A, B, RangeParameterConfig("c", (0, 1))], ["a + c == 0.5", "b + c == 1.75"])
    refuse_empty(space)
    points = [one.parameters for one in dispatch.suggest(Request(space=space, count=20, seed=1)).proposals]

    assert all(space.contains(point) for point in points)
    assert {point["m"] for point in points} == {"p", "q"}


def test_the_centre_is_in_a_branch_that_has_a_point():
    mode = ChoiceParameterConfig("m", ["p", "q"], dependent_parameters={"p": ["a"]})
    space = search_space([mode, A, RangeParameterConfig("c", (0, 1))], ["a + c >= 3", "c <= 0.2"])

    assert centre.centre(space, {}, 0)[0] == {"m": "q", "c": pytest.approx(0.1, abs=1e-6)}
    assert centre.centre(SPACE, {"mode": "flow", "t": 3.0}, 0)[0] == {"mode": "flow", "a": 0.5, "b": 0.5, "t": 3.0}


def test_a_grid_has_each_point_once():
    space = search_space([MODE, A, B, STIRRING])

    points = factorial(space, {"a": 2, "b": 2, "stirring": 3})

    assert len(points) == 4 + 3
    assert len({space.signature(point) for point in points}) == 7


def test_a_finite_space_is_used_up_point_by_point():
    letters, one = ChoiceParameterConfig("a", ["x", "y"]), ChoiceParameterConfig("b", ["z"])
    space = search_space([MODE, letters, one, ChoiceParameterConfig("stirring", (1, 2, 3), "int")])
    reply = dispatch.suggest(Request(space=space, count=9, seed=0))

    assert len(reply.proposals) == space.size() == 5
    assert "used up" in reply.short_reason


def measured(trial, point, value):
    return Point(trial=trial, parameters=point, observations=(Observation("y", value),))


@pytest.mark.parametrize("method", ["fast", "botorch"])
def test_models_suggest_points_of_the_space_and_find_the_better_branch(method):
    def worth(point):  # flow is better, at a = 0.8, t = 2
        if point["mode"] == "batch":
            return 0.3 - (point["stirring"] / 100 - 0.9) ** 2
        return 1.0 - (point["a"] - 0.8) ** 2 - (point["t"] / 10 - 0.2) ** 2

    points = [one.parameters for one in dispatch.suggest(Request(space=SPACE, count=8, seed=2)).proposals]
    seen = tuple(measured(i, point, worth(point)) for i, point in enumerate(points))
    for trial in range(8, 14 if method == "fast" else 9):
        request = Request(
            space=SPACE, node="bo", method=method, optimization=optimization_config("y"), observed=seen, seed=2
        )
        (made,) = dispatch.suggest(request).proposals
        assert made.fallback is None
        assert SPACE.check(made.parameters) == made.parameters
        seen = (*seen, measured(trial, made.parameters, worth(made.parameters)))

    assert method == "botorch" or max(worth(point.parameters) for point in seen) > 0.99


def test_a_sampler_gives_the_same_points_one_by_one():
    together, _ = sampler_of(SPACE, {}, 5).block(0, 6)
    single = [sampler_of(SPACE, {}, 5).block(i, 1)[0][0] for i in range(6)]

    assert np.array(single).tolist() == together.tolist()
