"""Linear constraints and whether bounds leave room for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import SearchSpaceError
from titrant.model.constraints import LinearConstraint, conflict

UNIT = {"a": (0.0, 1.0), "b": (0.0, 1.0)}


def parsed(*texts):
    return [LinearConstraint.parse(text) for text in texts]


def test_a_constraint_keeps_its_text():
    expected = LinearConstraint("a - 2*b >= -1", (("a", 1.0), ("b", -2.0)), ">=", -1.0)

    assert LinearConstraint.parse(" a - 2*b >= -1 ") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 <= 2", "'1 <= 2' has no parameter in it: name at least one"),
        ("a - a <= 2", "gives 'a' the weight 0: leave the parameter out"),
        ("a * b <= 2", "column 3: 'a' \\* 'b' is not linear"),
    ],
)
def test_an_ill_defined_constraint_is_refused(text, message):
    with pytest.raises(SearchSpaceError, match=message):
        LinearConstraint.parse(text)


def test_a_parameter_stands_once_in_a_constraint():
    with pytest.raises(SearchSpaceError, match="has a parameter twice: add its weights up"):
        LinearConstraint("?", (("a", 1.0), ("a", 2.0)), "<=", 1.0)


def test_a_bound_is_finite():
    with pytest.raises(SearchSpaceError, match="use <=, >= or == and a finite bound"):
        LinearConstraint("?", (("a", 1.0),), "<=", float("inf"))


@pytest.mark.parametrize(("text", "excess"), [("a + b <= 1", 0.5), ("a - b >= 1", 1.5), ("a + b == 2", 0.5)])
def test_the_excess_tells_by_how_much_a_constraint_is_missed(text, excess):
    assert LinearConstraint.parse(text).excess({"a": 0.5, "b": 1.0}) == excess


def test_the_noise_of_floating_point_is_no_excess():
    constraint = LinearConstraint.parse("a + b + c == 1")

    assert constraint.excess({"a": 0.1, "b": 0.2, "c": 0.7 + 1e-9}) == 0.0


def test_tolerance_is_relative_to_the_terms():
    constraint = LinearConstraint.parse("a - b <= 0")

    assert constraint.excess({"a": 1e-12, "b": 0}) == 1e-12
    assert constraint.excess({"a": 1e9 + 1, "b": 1e9}) == 0.0


def test_the_reach_is_what_the_left_side_can_be():
    assert LinearConstraint.parse("2*a - b <= 9").reach({"a": (0, 3), "b": (1, 4)}) == (-4, 5)


def test_a_constraint_out_of_reach_is_named_with_its_reach():
    message = conflict(parsed("a + 2*b >= 4"), UNIT)

    assert message == (
        "constraint 'a + 2*b >= 4' cannot be met: the bounds leave 1*a + 2*b between 0 and 3, "
        "and it must be >= 4: change the constraint or the bounds"
    )


@pytest.mark.parametrize(
    "texts",
    [
        ("a + b <= 0.5", "a + b >= 0.6"),
        ("a >= 0.9", "b >= 0.9", "a + b == 1"),
        ("a - b >= 0.6", "b - a >= -0.1"),
        ("-2*a <= -1.8", "a == b", "b <= 0.5"),
    ],
)
def test_constraints_that_contradict_each_other_are_found(texts):
    assert "the bounds and the other constraints leave" in conflict(parsed(*texts), UNIT)


def test_a_simplex_has_room():
    assert conflict(parsed("a + b == 1", "a >= 0.2", "b >= 0.8"), UNIT) is None


def test_constraints_are_between_ordered_numbers_of_the_space():
    assert "'c' is none of a, b" in conflict(parsed("a + c <= 1"), UNIT)
    assert "'b' is no ordered number" in conflict(parsed("a + b <= 1"), {**UNIT, "b": None})


WEIGHT = st.integers(-5, 5).filter(bool)


@given(st.lists(st.tuples(WEIGHT, WEIGHT, st.sampled_from(["<=", ">=", "=="])), max_size=5), st.data())
def test_constraints_that_hold_at_some_point_are_never_refused(rows, data):
    a, b = data.draw(st.floats(0, 1)), data.draw(st.floats(0, 1))
    held = [LinearConstraint("?", (("a", float(w)), ("b", float(v))), rel, w * a + v * b) for w, v, rel in rows]

    assert conflict(held, UNIT) is None
