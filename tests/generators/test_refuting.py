"""Whether formulas leave a point is told when a space is defined: exactly on small grids, and soundly elsewhere."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.generators.strategies import every_point, few_values

from titrant import Client
from titrant.errors import SearchSpaceError
from titrant.generators import refuting
from titrant.generators.emptiness import refuse_empty
from titrant.generators.intervals import Boxed
from titrant.generators.rows import keeps
from titrant.model import formulas
from titrant.model.restrictions import Formula
from titrant.model.space import RangeParameterConfig, search_space


def numbers(names, upper=1.0, **fields):
    return [RangeParameterConfig(name, (0.0, upper), **fields) for name in names]


def whole(names, upper=9):
    return [RangeParameterConfig(name, (0, upper), "int") for name in names]


@pytest.mark.parametrize(
    ("parameters", "constraints", "clashing"),
    [
        (numbers("ab"), ["a*b >= 0.5", "a + b <= 1.2"], ["a + b <= 1.2", "a*b >= 0.5"]),
        (whole("ab"), ["a*b >= 6", "a + b <= 4"], ["a + b <= 4", "a*b >= 6"]),
        (numbers("ab"), ["a*b >= 0.250001", "a + b <= 1"], ["a + b <= 1", "a*b >= 0.250001"]),
        (
            numbers("abc"),
            ["a <= 0.9", "a*b*c >= 0.05", "exp(-a) >= 0.4", "a + b + c == 1"],
            ["a + b + c == 1", "a*b*c >= 0.05"],
        ),
        (numbers("ab"), ["a*b <= 0.9", "sqrt(a - b) >= 0", "b - a >= 0.1"], ["b - a >= 0.1", "sqrt(a - b) >= 0"]),
        (
            numbers("xyzw"),
            ["x + y + z + w == 1", "at most 2 of x, y, z, w, each 0 or >= 0.1", "x*y*z >= 0.001", "w <= 0.5"],
            ["at most 2 of x, y, z, w, each 0 or >= 0.1", "x*y*z >= 0.001"],
        ),
        (
            numbers("xyzw"),
            ["x + y + z + w == 1", "at most 2 of x, y, z, w", "z*w >= 0.01", "x**2 >= 0.1"],
            ["at most 2 of x, y, z, w", "z*w >= 0.01", "x**2 >= 0.1"],
        ),
        (
            whole("abc", 100_000),
            ["a*b*c >= 1e15", "a + b + c <= 299000"],
            ["a + b + c <= 299000", "a*b*c >= 1e15"],
        ),
        (
            [RangeParameterConfig("t", (1e-6, 1e3), scaling="log"), RangeParameterConfig("k", (280.0, 420.0))],
            ["t*exp(-5000/k) <= 2e-9", "t >= 1e-3*k"],
            ["t >= 1e-3*k", "t*exp(-5000/k) <= 2e-9"],
        ),
    ],
)
def test_formulas_that_clash_are_named_with_what_they_clash_with_and_no_other(parameters, constraints, clashing):
    with pytest.raises(SearchSpaceError) as caught:
        refuse_empty(search_space(parameters, constraints))

    listed = ", ".join(map(repr, clashing[:-1])) + f" and {clashing[-1]!r}"
    assert str(caught.value) == (
        f"the constraints {listed} clash: no point within the bounds keeps all of them, and without any one of them "
        "some would; relax one of them, or widen the bounds"
    )


def test_of_a_formula_that_only_the_steps_miss_it_is_said_that_points_between_them_would_do():
    with pytest.raises(
        SearchSpaceError, match="no point on the steps of a, b keeps it; points between the steps would"
    ):
        refuse_empty(search_space(whole("ab"), ["(a - 3.5)**2 + (b - 3.5)**2 <= 0.1", "a + b <= 9"]))


def test_of_a_linear_clash_beside_formulas_only_the_linear_constraints_are_named():
    triangle = ["a + b <= 1", "b + c <= 1", "a + c <= 1", "a + b + c >= 1.6"]
    with pytest.raises(SearchSpaceError) as caught:
        refuse_empty(search_space(numbers("abc"), [*triangle, "a*b*c >= 0.001"]))

    assert "a*b*c" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "constraints"),
    [
        (numbers("xy"), ["x*y >= 0.24", "x + y <= 1"]),
        (numbers("xy"), ["x*y >= 0.25", "x + y <= 1"]),
        (numbers("xy"), ["(x - 0.5)**2 + (y - 0.5)**2 <= 0.16", "(x - 0.5)**2 + (y - 0.5)**2 >= 0.15999"]),
        (numbers("xy"), ["(x - 0.3)**2 + (y - 0.7)**2 <= 1e-12"]),
        (numbers("xyz"), ["x + y + z == 1", "x*y*z >= 0.03703", "x <= 0.4"]),
        (numbers("xyzw"), ["x + y + z + w == 1", "at most 2 of x, y, z, w, each 0 or >= 0.1", "z*w >= 0.2499"]),
        (numbers("xyzuvw"), ["x*y*z*u*v*w >= 2e-5", "x + y + z + u + v + w <= 1"]),
        (whole("ab", 5000), ["a*b >= 6e6", "(a - 3001)**2 + (b - 1999)**2 <= 2"]),
    ],
)
def test_a_space_with_hardly_any_point_is_not_refused(parameters, constraints):
    refuse_empty(search_space(parameters, constraints))


def test_where_the_search_gives_up_the_space_passes():
    names = [f"x{i}" for i in range(8)]
    product_, sum_ = "*".join(names), " + ".join(names)

    refuse_empty(search_space(numbers(names), [f"{product_} >= {1.01 / 8**8}", f"{sum_} <= 1"]))


def test_a_usual_space_with_formulas_loads_no_arrays():
    code = (
        "import sys\n"
        "from titrant.generators.emptiness import refuse_empty\n"
        "from titrant.model.space import RangeParameterConfig, search_space\n"
        "parts = [RangeParameterConfig(n, (0.0, 1.0)) for n in 'abc']\n"
        "refuse_empty(search_space(parts, ['a + b + c == 1', 'a*b*c <= 0.001', 'a**2 + b**2 >= 0.4']))\n"
        "print([name for name in ('numpy', 'scipy') if name in sys.modules])"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_client_refuses_it_and_nothing_is_in_the_log():
    with Client(random_seed=1, virtual_time=True) as client:
        with pytest.raises(SearchSpaceError, match="clash"):
            client.configure_experiment(whole("ab"), ["a*b >= 6", "a + b <= 4"])

        assert client.state.experiment is None


# --- against looking at all points ------------------------------------------------------------------------------------

TERMS = [
    "a",
    "b",
    "a*b",
    "a*c",
    "b**2",
    "a/b",
    "sqrt(c)",
    "log(a)",
    "exp(-b)",
    "abs(a - c)",
    "max(a, b)",
    "c**(-1)",
    "2**c",
]


@st.composite
def small(draw):
    """A small finite space with a few formulas, which may well be empty."""
    configs = [draw(few_values(name)) for name in "abc"]
    constraints = []
    for _ in range(draw(st.integers(1, 3))):
        one, other = draw(st.sampled_from(TERMS)), draw(st.sampled_from(TERMS))
        sign, relation = draw(st.sampled_from("+-*/")), draw(st.sampled_from(["<=", ">="]))
        constraints.append(f"{one} {sign} ({other}) {relation} {draw(st.sampled_from([-2, -0.5, 0, 0.3, 1, 4, 20]))}")
    return configs, list(dict.fromkeys(constraints))


def points(configs, constraints):
    """Whether a point of the grid keeps the constraints, by looking at all."""
    space = search_space(configs, constraints)
    return any(space.contains(row) for row in every_point(configs))


def refused(configs, constraints):
    try:
        refuse_empty(search_space(configs, constraints))
    except SearchSpaceError as error:
        return str(error)
    return ""


@given(small())
@settings(max_examples=300, deadline=None)
def test_exactly_the_empty_grids_are_refused_and_what_clashes_is_irreducible(given_space):
    configs, constraints = given_space
    said = refused(configs, constraints)
    try:
        kept = points(configs, constraints)
    except SearchSpaceError:  # by bounds alone
        assert said
        return
    assert bool(said) is not kept
    if "without any one" in said:
        named = [one for one in constraints if repr(one) in said]
        assert not points(configs, named)
        for left_out in named:
            assert points(configs, [one for one in named if one is not left_out])


@given(small())
@settings(max_examples=300, deadline=None)
def test_boxes_refute_no_grid_that_has_a_point(given_space):
    configs, constraints = given_space
    try:
        space = search_space(configs, constraints)
    except SearchSpaceError:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refuting, "_LISTABLE", 0)
        found = refuting.Refuter(space).allows(space.every_constraint)
    assert found in (None, points(configs, constraints))


@given(
    st.lists(st.tuples(st.sampled_from(TERMS), st.sampled_from("+-*/")), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(-4, 4), st.floats(0, 3), st.floats(0, 1)), min_size=3, max_size=3),
)
@settings(max_examples=500, deadline=None)
def test_intervals_enclose_every_value_within_a_box_to_the_last_bit(terms, sides):
    text = " ".join(f"({term}) {sign}" for term, sign in terms) + " 1.5"
    tree = formulas.parse(f"{text} <= 0").left
    at = {name: low + part * width for name, (low, width, part) in zip("abc", sides, strict=True)}
    boxed = Boxed(
        {name: (np.array([low]), np.array([low + width])) for name, (low, width, _) in zip("abc", sides, strict=True)},
        1,
    )
    low, high = boxed.reach(tree)
    value = formulas.number(tree, at)

    if not math.isnan(value):
        assert not boxed.nowhere[0]
        assert low[0] <= value <= high[0]


@given(
    st.sampled_from(TERMS),
    st.sampled_from(TERMS),
    st.lists(st.tuples(*[st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])] * 3), min_size=1, max_size=8),
)
@settings(max_examples=300, deadline=None)
def test_many_points_are_judged_as_each_of_them_is(one, other, rows):
    formula = Formula(f"{one} / ({other}) <= 0.5*a*b*c")
    together = keeps(
        formula, {name: np.array(column) for name, column in zip("abc", zip(*rows, strict=True), strict=True)}
    )

    assert [bool(kept) for kept in together] == [
        formula.fault(dict(zip("abc", row, strict=True))) is None for row in rows
    ]
