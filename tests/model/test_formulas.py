"""Expressions that need not be linear, read from texts."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import SearchSpaceError
from titrant.model import formulas
from titrant.model.restrictions import Formula, Function, constraint
from titrant.model.space import ChoiceParameterConfig, LinearConstraint, RangeParameterConfig, SearchSpace, search_space

A, B = RangeParameterConfig("a", (0.0, 1.0)), RangeParameterConfig("b", (0.0, 2.0))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a*b", 6.0),
        ("a/b - 1", 0.5),
        ("-a**2", -9.0),
        ("2**-b", 0.25),
        ("2**b**a", 256.0),
        ("a - b - 1", 0.0),
        ("exp(0) + log(1) + sqrt(a + 1)", 3.0),
        ("abs(b - a) * min(a, b, 7) + max(a)", 5.0),
        ("(a + b)*(a - b)", 5.0),
        ("`a` + 1e1", 13.0),
    ],
)
def test_values_are_those_of_arithmetic(text, value):
    assert formulas.number(formulas.parse(f"{text} <= 1").left, {"a": 3.0, "b": 2.0}) == value


@pytest.mark.parametrize("text", ["log(a)", "1/a", "a**-1", "(a - 1)**0.5", "exp(1e9*(a + 1))"])
def test_what_has_no_value_is_none(text):
    assert math.isnan(formulas.number(formulas.parse(f"{text} <= 1").left, {"a": 0.0}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a*b", "a relation is missing"),
        ("a*b == 1", "two inequalities"),
        ("a*b < 1", "write <= instead"),
        ("a*b <= 1 <= 2", "one relation"),
        ("a^2 <= 1", r"write \*\* for a power"),
        ("sin(a) <= 1", "no function 'sin': use one of exp"),
        ("sqrt(a, b) <= 1", "takes one argument"),
        ("a*(b <= 1", "not closed"),
        ("a* <= 1", "missing before '<='"),
        ("a*b <= 1 # x", "'#' means nothing"),
        ("__import__('os')*a <= 1", "means nothing"),
        ("(" * 60 + "a*a" + ")" * 60 + " <= 1", "levels within each other"),
        ("2*3**2 <= 1", "no parameter in it"),
    ],
)
def test_texts_that_make_no_sense_are_refused_with_the_place_and_what_to_do(text, said):
    with pytest.raises(SearchSpaceError, match=said):
        Formula(text)


def test_linear_texts_stay_linear_and_others_become_formulas_or_functions():
    assert isinstance(constraint("a + 2*b <= 3"), LinearConstraint)
    assert constraint("a*b <= 3") == Formula("a*b <= 3")
    assert constraint("my_lab.rules:is_soluble") == Function("my_lab.rules:is_soluble")
    assert constraint(math.gcd) == Function("math:gcd")
    with pytest.raises(SearchSpaceError, match="no function 'sin'"):
        constraint("sin(a) <= 1")
    with pytest.raises(SearchSpaceError, match="module of its own"):
        constraint(lambda values: True)


def test_a_slash_divides_unless_it_stands_in_a_name():
    other = RangeParameterConfig("mg/ml", (0.0, 1.0))

    assert search_space([A, B], ["a/b <= 3"]).restrictions == (Formula("a/b <= 3"),)
    assert search_space([A, other], ["a + mg/ml <= 3"]).constraints[0].names == ("a", "mg/ml")
    assert search_space([A, other], ["a*`mg/ml` <= 3"]).restrictions[0].names == ("a", "mg/ml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a*b >= 2.1", "left side is between 0 and 2"),
        ("a**2 + b**2 >= 5.1", "between 0 and 5"),
        ("exp(a) <= 0.9", "between 1 and 2.71828"),
        ("log(a) >= 0.1", "between -inf and 0"),
        ("abs(a - b) >= max(2.5, b)", "between 0 and 2"),
        ("sqrt(b) >= 1.5", "between 0 and 1.41"),
        ("1/(1 + a) <= 0.4", "between 0.5 and 1"),
        ("a*c <= 1", "'c' is none of a, b"),
        ("a*s <= 1", "'s' is no ordered number"),
    ],
)
def test_a_formula_that_no_point_within_the_bounds_keeps_is_refused(text, said):
    parameters = [A, B, *([ChoiceParameterConfig("s", ("x", "y"))] if "s <=" in text else [])]

    with pytest.raises(SearchSpaceError, match=said):
        search_space(parameters, [text])


_TREES = st.recursive(
    st.sampled_from([("name", "a"), ("name", "b"), ("number", 2.0), ("number", 0.5)]),
    lambda part: st.one_of(
        st.tuples(st.sampled_from(["add", "subtract", "multiply", "divide", "power", "min", "max"]), part, part),
        st.tuples(st.sampled_from(["negative", "exp", "log", "sqrt", "abs"]), part),
    ),
    max_leaves=6,
)
_ENDS = st.tuples(st.floats(-3, 3), st.floats(-3, 3)).map(lambda ends: (min(ends), max(ends)))


@given(_TREES, _ENDS, _ENDS, st.floats(0, 1), st.floats(0, 1))
def test_the_reach_of_an_expression_holds_every_value_it_has_within_the_intervals(tree, a, b, u, v):
    low, high = formulas.reach(tree, {"a": a, "b": b})
    at = {"a": min(a[0] + u * (a[1] - a[0]), a[1]), "b": min(b[0] + v * (b[1] - b[0]), b[1])}
    value = formulas.number(tree, at)

    slack = 1e-9 * (1 + abs(value)) if math.isfinite(value) else 0.0
    assert math.isnan(value) or low - slack <= value <= high + slack


def test_a_parameterization_that_breaks_one_is_refused_in_words_and_a_function_is_not_asked():
    space = search_space([A, B], ["a*b <= 1", "log(a) >= -2", "no_such_module:allowed"])

    assert space.contains({"a": 0.5, "b": 2.0})
    assert "'a*b <= 1' is violated by 1 at a = 1.0, b = 2.0" in space.violations({"a": 1.0, "b": 2.0})[0]
    assert "has no value at a = 0.0" in space.violations({"a": 0.0, "b": 1.0})[0]


def test_they_come_back_from_the_log():
    space = search_space([A, B], ["a + b <= 2", "a*b <= 1", "my_lab:allowed", "at most 1 of a, b"])

    assert msgspec.json.decode(msgspec.json.encode(space), type=SearchSpace) == space


@pytest.mark.parametrize("text", ["abs((a - 5)**0.5) >= 0", "exp((a - 5)**0.5) <= 3", "abs((a - 5)**0.5 * 2) <= 9"])
def test_a_power_that_no_real_number_is_has_no_value_whatever_is_made_of_it(text):
    tree = formulas.parse(text).left

    assert math.isnan(formulas.number(tree, {"a": 1.0}))
    assert math.isfinite(formulas.number(tree, {"a": 6.0}))
