"""Which continuous parameters the others determine, and when two points are one."""

import pytest

from titrant import ChoiceParameterConfig, RangeParameterConfig
from titrant.model.determined import determined, key_of
from titrant.model.space import search_space

A, B = (RangeParameterConfig(name, (0, 3), "int") for name in "ab")
X, Y = (RangeParameterConfig(name, (0.0, 1.0)) for name in "xy")
WATER = RangeParameterConfig("water", (0.0, 10.0))


def space(*parameters, constraints=()):
    return search_space(parameters, constraints)


def test_an_equality_determines_the_one_continuous_parameter_in_it():
    assert determined(space(A, B, WATER, constraints=["a + 2*b + 4*water = 10"]), {}) == {
        "water": (2.5, {"a": -0.25, "b": -0.5})
    }


def test_what_is_held_is_known():
    held = space(A, X, Y, constraints=["a + x + y = 2"])

    assert determined(held, {"x": 0.5}) == {"y": (1.5, {"a": -1.0})}
    assert determined(held, {"x": 0.5, "y": 0.5}) == {}
    assert determined(held, {"a": 0}) == {"x": (1.0, {}), "y": (1.0, {})}


def test_bounds_that_leave_one_value_give_it_exactly():
    tight = space(A, X, Y, constraints=["x + y = 2"])

    assert determined(tight, {}) == {"x": (1.0, {}), "y": (1.0, {})}
    assert determined(space(X, Y, constraints=["x - y >= 0.75", "x + 2*y <= 0.75"]), {}) == {
        "x": (0.75, {}),
        "y": (0.0, {}),
    }


@pytest.mark.parametrize(
    ("parameters", "constraints"),
    [
        ([A, X], []),
        ([A, X], ["a + x <= 2"]),
        ([X, Y], ["x + y = 1"]),
        ([A, X, Y], ["a + x + y = 2", "2*a + 2*x + 2*y = 4"]),
        ([A, X, WATER], ["a + water = 10"]),
        ([X, Y], ["x <= 1e-5"]),
        ([WATER, X], ["1000000*a + x + water = 2000000", "x + water <= 1"]),
        ([RangeParameterConfig("x", (1e-9, 1.0), scaling="log")], ["x <= 1e-8"]),
    ],
)
def test_what_may_vary_is_not_determined(parameters, constraints):
    every = parameters if A in parameters or "a" not in " ".join(constraints) else [A, *parameters]

    assert determined(space(*every, constraints=constraints), {}) is None


def test_a_constraint_that_does_not_always_count_determines_nothing():
    solvent = ChoiceParameterConfig("solvent", ("oil", "none"), dependent_parameters={"oil": ["water"]})
    some = space(solvent, A, WATER, constraints=["a + water = 10"])

    assert determined(some, {}) is None
    assert determined(some, {"solvent": "none"}) == {}


def test_points_that_differ_in_what_is_determined_by_rounding_are_one_and_no_others():
    fills = space(A, B, WATER, constraints=["a + b + water = 10"])
    formulas = determined(fills, {})
    at = {"a": 1, "b": 2, "water": 7.0}

    assert key_of(fills, formulas, at) == key_of(fills, formulas, {**at, "water": 7.00000001})
    assert key_of(fills, formulas, at) != key_of(fills, formulas, {"a": 2, "b": 1, "water": 7.0})
    # What breaks the constraint was another point.
    assert key_of(fills, formulas, at) != key_of(fills, formulas, {**at, "water": 3.0})
