"""The search space as a whole."""

from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import ParameterizationError, SearchSpaceError
from titrant.model.space import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    RangeParameterConfig,
    SearchSpace,
    search_space,
)

A = RangeParameterConfig("a", (0.0, 1.0))
B = RangeParameterConfig("b", (0.0, 1.0))
N = RangeParameterConfig("n", (1, 5), "int")
C = ChoiceParameterConfig("c", ("x", "y"))
F = FixedParameterConfig("f", 2.0)
SPACE = search_space([A, B, N, C, F], ["a + b <= 1.5"])
POINT = {"a": 0.5, "b": 0.5, "n": 3, "c": "x", "f": 2.0}


@st.composite
def ranges(draw, name):
    kind = draw(st.sampled_from(["float", "int"]))
    number = st.integers(-1000, 1000) if kind == "int" else st.floats(-1e6, 1e6).map(lambda x: round(x, 6))
    lower, upper = sorted(draw(st.lists(number, min_size=2, max_size=2, unique=True)))
    fraction = draw(st.none() | st.integers(1, 50))
    step = None if fraction is None else (upper - lower) / fraction if kind == "float" else 1 + (upper - lower) // 50
    return RangeParameterConfig(name, (lower, upper), kind, step if step is None or step <= upper - lower else None)


@st.composite
def choices(draw, name):
    kind, values = draw(
        st.sampled_from(
            [("int", st.integers()), ("float", st.floats(-9, 9)), ("str", st.text()), ("bool", st.booleans())]
        )
    )
    return ChoiceParameterConfig(name, draw(st.lists(values, min_size=1, max_size=4, unique=True)), kind)


@st.composite
def points(draw):
    """A space and a parameterization made from it."""
    parameters = [draw(ranges(f"p{i}") | choices(f"p{i}")) for i in range(draw(st.integers(1, 4)))]
    values = {}
    for p in parameters:
        if isinstance(p, ChoiceParameterConfig):
            values[p.name] = draw(st.sampled_from(p.values))
        elif p.grid.step:
            values[p.name] = p.grid.at(draw(st.integers(0, p.grid.steps)))
        else:
            values[p.name] = draw(st.floats(*p.bounds))
    return SearchSpace((*parameters, F)), {**values, "f": F.value}


@given(points())
def test_a_parameterization_made_from_a_space_is_canonical(made):
    space, parameterization = made

    assert repr(space.check(parameterization)) == repr(parameterization)
    assert space.contains(parameterization)
    assert space.round(parameterization) == parameterization


@given(points())
def test_a_space_survives_the_log(made):
    space, parameterization = made
    found = msgspec.json.decode(msgspec.json.encode(space), type=SearchSpace)

    assert repr(found) == repr(space)
    assert found.signature(parameterization) == space.signature(parameterization)


@given(points())
def test_the_centre_fits_a_space_without_constraints(made):
    space, _ = made

    assert space.contains(space.centre())


def test_the_canonical_form_has_the_spaces_order_and_the_fixed_values():
    found = SPACE.check({"c": "x", "n": 3.0, "b": 1, "a": 0})

    assert repr(found) == "{'a': 0.0, 'b': 1.0, 'n': 3, 'c': 'x', 'f': 2.0}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": 2}, r"parameter 'a' is 2.0, outside its bounds \[0.0, 1.0\]"),
        ({"c": "z"}, "parameter 'c' is 'z', not among its values"),
        ({"f": 3}, "parameter 'f' is 3.0, not among its values: use one of 2.0"),
        ({"g": 1}, "'g' is no parameter of this search space: use a, b, n, c, f"),
        ({"a": 1, "b": 0.75}, r"'a \+ b <= 1.5' is violated by 0.25 at a = 1.0, b = 0.75: change one of them"),
        ({"a": 2, "n": 9}, "'a' is 2.0, .*; parameter 'n' is 9, "),
    ],
)
def test_what_does_not_fit_is_refused_with_all_that_is_wrong(change, message):
    with pytest.raises(ParameterizationError, match=message):
        SPACE.check(POINT | change)


def test_a_missing_value_is_named():
    with pytest.raises(ParameterizationError, match="parameter 'n' has no value: give every parameter one"):
        SPACE.check({"a": 0, "b": 0, "c": "x"})


def test_violations_are_told_without_raising():
    assert SPACE.violations(POINT) == ()
    assert len(SPACE.violations(POINT | {"a": 2, "n": 2.5, "z": 0})) == 3
    assert not SPACE.contains(POINT | {"a": 2})


def test_rounding_leaves_constraints_alone():
    assert SPACE.round({"a": 1.2, "b": 1, "n": 2.2, "c": "y"}) == {"a": 1.0, "b": 1.0, "n": 2, "c": "y", "f": 2.0}


def test_a_parameter_is_found_by_name():
    assert SPACE.parameter("n") is N
    with pytest.raises(SearchSpaceError, match="there is no parameter 'z': there are a, b, n, c, f"):
        SPACE.parameter("z")


def test_the_size_is_that_of_all_combinations():
    assert SPACE.size() is None
    assert SearchSpace((N, C, F)).size() == 10


def test_signatures_are_equal_where_values_are():
    shuffled = {"c": "x", "n": 3.0, "b": 0.5 + 1e-15, "a": 0.5}

    assert SPACE.signature(shuffled) == SPACE.signature(POINT)
    assert hash(SPACE.signature(shuffled)) == hash(SPACE.signature(POINT))
    assert SPACE.signature(POINT | {"a": 0.5 + 1e-8}) != SPACE.signature(POINT)


def test_what_does_not_fit_has_a_signature_too():
    assert SPACE.signature({"a": 7, "b": "?", "z": 1}) == (7.0, "'?'", None, None, 2.0)


@pytest.mark.parametrize(
    ("parameters", "constraints", "message"),
    [
        ([], [], "has no parameter: give at least one"),
        ([A, A], [], "more than one parameter is called 'a': rename one"),
        ([A], ["a + z <= 1"], "'z' is none of a; use numeric parameters of the space"),
        ([A, C], ["a + c <= 1"], "'c' is no ordered number"),
        ([A, B], ["a + b >= 3"], r"cannot be met: the bounds leave 1\*a \+ 1\*b between 0 and 2, and it must be >= 3"),
        ([A, B], ["a + b >= 1", "a + b <= 0.5"], "the bounds and the other constraints leave"),
        ([A, F], ["a + f <= 1"], "between 2 and 3, and it must be <= 1"),
        ([A], ["a <= "], "cannot read 'a <= ' at column 6"),
        (["a"], [], "'a' is no parameter: use RangeParameterConfig or ChoiceParameterConfig"),
    ],
)
def test_an_ill_defined_space_is_refused(parameters, constraints, message):
    with pytest.raises(SearchSpaceError, match=message):
        search_space(parameters, constraints)


def test_ordered_numbers_of_a_choice_may_be_constrained():
    space = search_space([A, ChoiceParameterConfig("t", (1, 2), "int")], ["a + t <= 2"])

    assert space.contains({"a": 0.5, "t": 1})
    assert not space.contains({"a": 0.5, "t": 2})


def test_the_configs_of_ax_are_taken_as_they_are():
    axs_range = SimpleNamespace(name="n", bounds=[1, 5], parameter_type="int", step_size=None, scaling=None)
    axs_choice = SimpleNamespace(
        name="c", values=["x", "y"], parameter_type="str", is_ordered=None, log_scale=None, dependent_parameters=None
    )

    assert search_space([axs_range, axs_choice]).parameters == (N, C)


@pytest.mark.parametrize("field", ["expression_str", "log_scale"])
def test_what_is_not_supported_is_said(field):
    config = SimpleNamespace(name="c", values=["x"], parameter_type="str", **{field: {"x": ["a"]}})

    with pytest.raises(SearchSpaceError, match=f"'c' has {field}, which is not supported yet: leave it out"):
        search_space([config])


def test_an_ill_defined_space_in_a_log_is_refused_with_its_reason():
    with pytest.raises(msgspec.ValidationError, match="the lower must be below the upper"):
        msgspec.json.decode(b'{"parameters":[{"type":"range","name":"a","bounds":[1,0]}]}', type=SearchSpace)


@pytest.mark.parametrize("given", [A, "a", {"a": (0, 1)}, None])
def test_parameters_that_are_no_list_are_refused(given):
    with pytest.raises(SearchSpaceError, match=r"list of parameters is .*: give a list of parameters"):
        search_space(given)


def test_a_parameter_that_is_a_mapping_is_refused_with_the_way_to_write_it():
    with pytest.raises(SearchSpaceError, match=r"'t' is given as a mapping: write RangeParameterConfig\(\"t\""):
        search_space([{"name": "t", "bounds": [1, 10]}])


def test_a_single_constraint_is_not_read_letter_by_letter():
    with pytest.raises(
        SearchSpaceError, match=r"parameter_constraints is the text 'a \+ b <= 1': give a list of texts"
    ):
        search_space([A, B], "a + b <= 1")


@pytest.mark.parametrize("given", [None, 3, [0.5]])
def test_what_maps_nothing_is_no_parameterization(given):
    with pytest.raises(ParameterizationError, match="is no parameterization: give a mapping of parameter names"):
        SPACE.check(given)
