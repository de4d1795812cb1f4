"""Parameters that are active only under a value of a choice."""

import types

import msgspec
import pytest

from titrant.errors import ParameterizationError, SearchSpaceError
from titrant.model.space import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    RangeParameterConfig,
    SearchSpace,
    search_space,
)

MODE = ChoiceParameterConfig(
    "mode", ["batch", "flow"], dependent_parameters={"flow": ["rate", "coil"], "batch": ["stirring"]}
)
COIL = ChoiceParameterConfig("coil", ["steel", "PFA"], dependent_parameters={"steel": ["pressure"]})
PARAMETERS = [
    RangeParameterConfig("pressure", (1, 200)),  # before those it depends on, since order must not matter
    MODE,
    RangeParameterConfig("rate", (0.1, 10)),
    COIL,
    RangeParameterConfig("stirring", (100, 1000), "int", step_size=100),
    RangeParameterConfig("t", (20, 120)),
]
SPACE = search_space(PARAMETERS)


def test_a_point_has_values_of_what_is_active_only():
    assert list(SPACE.check({"t": 50, "mode": "batch", "stirring": 300})) == ["mode", "stirring", "t"]
    assert SPACE.check({"t": 50, "mode": "flow", "coil": "steel", "rate": 1, "pressure": 5}) == {
        "pressure": 5.0,
        "mode": "flow",
        "rate": 1.0,
        "coil": "steel",
        "t": 50.0,
    }


def test_values_of_what_is_not_active_are_left_out():
    given = {"t": 50, "mode": "flow", "coil": "PFA", "rate": 1, "pressure": float("nan"), "stirring": None}

    assert SPACE.check(given) == {"mode": "flow", "rate": 1.0, "coil": "PFA", "t": 50.0}
    assert SPACE.signature(given) == SPACE.signature(SPACE.check(given))


def test_what_is_active_must_have_a_value():
    with pytest.raises(ParameterizationError, match="parameter 'pressure' has no value"):
        SPACE.check({"t": 50, "mode": "flow", "coil": "steel", "rate": 1})


def test_the_centre_and_the_nearest_point_are_points_of_the_space():
    assert SPACE.centre() == {"mode": "batch", "stirring": 500, "t": 70.0}
    assert SPACE.round({"t": 500, "mode": "flow", "coil": "PFA", "rate": 0}) == {
        "mode": "flow",
        "rate": 0.1,
        "coil": "PFA",
        "t": 120.0,
    }


def test_points_are_counted_branch_by_branch():
    finite = search_space([MODE, COIL, *(FixedParameterConfig(n, 1.0) for n in ("rate", "pressure")), PARAMETERS[4]])

    assert finite.size() == 10 + 2
    assert SPACE.size() is None


def test_a_conditional_space_consists_of_plain_ones():
    assert [space.names for space in SPACE.branches()] == [
        ("mode", "stirring", "t"),
        ("pressure", "mode", "rate", "coil", "t"),
        ("mode", "rate", "coil", "t"),
    ]
    assert not any(space.is_conditional for space in SPACE.branches())
    assert SPACE.branch({"mode": "flow", "coil": "PFA"}).names == ("mode", "rate", "coil", "t")


def test_a_constraint_holds_where_all_its_parameters_are_active():
    space = search_space(PARAMETERS, ["t + 10*rate <= 100"])

    assert space.contains({"t": 120, "mode": "batch", "stirring": 300})
    assert not space.contains({"t": 120, "mode": "flow", "coil": "PFA", "rate": 1})


def test_a_space_is_empty_only_where_no_branch_has_a_point():
    one, other = "t + rate <= 10", "t + stirring <= 10"
    space = search_space(PARAMETERS, [one])

    assert [branch.names for branch in space.branches()] == [("mode", "stirring", "t")]
    with pytest.raises(SearchSpaceError, match="cannot be met"):
        search_space(PARAMETERS, [one, other])


def test_conditions_go_through_a_log():
    assert msgspec.json.decode(msgspec.json.encode(SPACE), type=SearchSpace) == SPACE


def test_values_of_any_type_may_have_dependents():
    switch = ChoiceParameterConfig("on", (True, False), "bool", dependent_parameters={True: ["x"]})
    again = ChoiceParameterConfig("on", (True, False), "bool", dependent_parameters={"true": ["x"], "false": []})
    space = search_space([switch, RangeParameterConfig("x", (0, 1))])

    assert switch == again
    assert space.check({"on": False}) == {"on": False}
    assert space.check({"on": True, "x": 0}) == {"on": True, "x": 0.0}


def test_a_parameter_may_be_active_under_several_values_of_a_choice():
    mode = ChoiceParameterConfig("m", ["a", "b", "c"], dependent_parameters={"a": ["x"], "b": ["x"]})
    space = search_space([mode, RangeParameterConfig("x", (0, 1), "int")])

    assert space.size() == 5
    assert [(one.names, one.parameter("m").values) for one in space.branches()] == [
        (("m", "x"), ("a", "b")),
        (("m",), ("c",)),
    ]


def test_what_depends_on_a_choice_that_was_fixed_is_active_or_is_not():
    fixed = FixedParameterConfig("mode", "batch", {"flow": ["rate"], "batch": ["stirring"]})
    space = search_space([fixed, PARAMETERS[2], PARAMETERS[4]])

    assert space.check({"stirring": 300}) == {"mode": "batch", "stirring": 300}


def test_the_configuration_of_ax_is_read():
    theirs = types.SimpleNamespace(
        name="mode",
        values=["a", "b"],
        parameter_type="str",
        is_ordered=None,
        log_scale=None,
        dependent_parameters={"a": ["x"]},
    )
    space = search_space([theirs, RangeParameterConfig("x", (0, 1))])

    assert space.check({"mode": "b"}) == {"mode": "b"}


def under(**names):
    return ChoiceParameterConfig("m", ["a", "b"], dependent_parameters=names)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: under(c=["x"]), "of 'm' name the value 'c', which it has not: use a, b"),
        (lambda: under(a="x"), "of 'm' under 'a' are 'x': give a list of names"),
        (lambda: ChoiceParameterConfig("m", ["a"], dependent_parameters=["x"]), "of 'm' are no table"),
        (lambda: search_space([under(a=["x"])]), "of 'm' name 'x', which is none of m"),
        (
            lambda: search_space([under(a=["x"]), COIL, RangeParameterConfig("x", (0, 1))]),
            "of 'coil' name 'pressure', which is none of",
        ),
        (lambda: search_space([under(a=["m"])]), "parameter 'm' depends on itself"),
        (
            lambda: search_space(
                [under(a=["n"]), ChoiceParameterConfig("n", ["p", "q"], dependent_parameters={"p": ["m"]})]
            ),
            r"depends on itself \('n' on 'm' on 'n'\): break the circle",
        ),
        (
            lambda: search_space(
                [
                    under(a=["x"]),
                    ChoiceParameterConfig("n", ["p", "q"], dependent_parameters={"p": ["x"]}),
                    RangeParameterConfig("x", (0, 1)),
                ]
            ),
            "'x' depends on 'm' and on 'n': let it depend on one",
        ),
    ],
)
def test_conditions_that_make_no_sense_are_refused(make, message):
    with pytest.raises(SearchSpaceError, match=message):
        make()
