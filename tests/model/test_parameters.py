"""The parameters of a search space, one by one."""

import math

import msgspec
import numpy as np
import pytest

from titrant.errors import ParameterizationError, SearchSpaceError
from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, ParameterConfig, RangeParameterConfig

X = RangeParameterConfig("x", (0, 10))
N = RangeParameterConfig("n", (1, 5), "int")
GRID = RangeParameterConfig("g", (0.1, 1.0), step_size=0.2)
SOLVENT = ChoiceParameterConfig("solvent", ["water", "ethanol", "toluene"])
TEMPERATURE = ChoiceParameterConfig("t", [80, 20, 40, 60], "float")


def test_bounds_have_the_type_of_the_parameter():
    assert [type(b) for b in (*X.bounds, *N.bounds)] == [float, float, int, int]
    assert RangeParameterConfig("n", [np.int64(1), 5.0], "int").bounds == (1, 5)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"bounds": (1, 1)}, r"has the bounds \(1, 1\): the lower must be below the upper; for one value use a fixed"),
        ({"bounds": (0, math.inf)}, "give two finite numbers of type float"),
        ({"bounds": (-1e308, 1e308)}, "give two finite numbers"),
        ({"bounds": (0, 1, 2)}, "give two finite numbers"),
        ({"bounds": 3}, "give two finite numbers"),
        ({"bounds": ("0", 1)}, "give two finite numbers"),
        ({"bounds": (0, 1.5), "parameter_type": "int"}, "give two finite numbers of type int"),
        ({"bounds": (0, 2**54), "parameter_type": "int"}, r"whole numbers beyond 2\*\*53 are not exact"),
        ({"bounds": (0, 1), "scaling": "log"}, "log scaling: both must be above 0; use linear scaling"),
        ({"bounds": (0, 1), "scaling": "sqrt"}, "has the scaling 'sqrt': use one of"),
        ({"bounds": (0, 1), "parameter_type": "bool"}, "has the parameter_type 'bool': use one of"),
        ({"bounds": (0, 1), "step_size": 0}, "has the step_size 0: give a finite number above 0 and at most"),
        ({"bounds": (0, 1), "step_size": 2}, "at most upper - lower"),
        ({"bounds": (0, 5), "parameter_type": "int", "step_size": 0.5}, "give a whole number above 0"),
        ({"bounds": (0, 1), "step_size": 1e-12}, "too fine to tell its values apart: leave step_size out"),
        ({"name": " ", "bounds": (0, 1)}, "a parameter is called ' ': give it a name"),
    ],
)
def test_an_ill_defined_range_is_refused(kwargs, message):
    with pytest.raises(SearchSpaceError, match=message):
        RangeParameterConfig(**{"name": "x"} | kwargs)


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ([], "str", r"has the values \[\]: give a list of at least one value"),
        ("abc", "str", "has the values 'abc': give a list"),
        (["a", "a"], "str", "has the value 'a' twice: remove one"),
        ([1, 1.0], "float", "has the value 1.0 twice"),
        ([1, 2], "str", r"has the value 1 \(int\), not a text: set parameter_type"),
        ([True, 2], "int", r"has the value True \(bool\), not a whole number"),
        ([1.5], "int", r"has the value 1.5 \(float\), not a whole number"),
        ([0, 1], "bool", r"has the value 0 \(int\), not True or False"),
        (["a"], "text", "has the parameter_type 'text': use one of"),
    ],
)
def test_an_ill_defined_choice_is_refused(values, kind, message):
    with pytest.raises(SearchSpaceError, match=message):
        ChoiceParameterConfig("c", values, kind)


@pytest.mark.parametrize("value", [math.nan, None, [1]])
def test_a_fixed_value_is_a_finite_number_a_text_or_a_bool(value):
    with pytest.raises(SearchSpaceError, match=r"parameter 'f' is fixed at .*: use a finite number or a text"):
        FixedParameterConfig("f", value)


@pytest.mark.parametrize(
    ("parameter", "value", "canonical"),
    [
        (X, 3, 3.0),
        (X, 10.000000000000002, 10.0),
        (X, np.float32(0.5), 0.5),
        (N, 4.0, 4),
        (N, np.int32(4), 4),
        (GRID, 0.1 + 0.2, 0.3),
        (SOLVENT, np.str_("water"), "water"),
        (TEMPERATURE, 20, 20.0),
        (FixedParameterConfig("f", value=True), np.True_, True),
        (FixedParameterConfig("f", 2), 2.0, 2),
    ],
)
def test_an_allowed_value_has_one_form(parameter, value, canonical):
    found = parameter.check(value)

    assert found == canonical
    assert type(found) is type(canonical)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        (X, 11, r"'x' is 11.0, outside its bounds \[0.0, 10.0\]: choose a value between them, or widen the bounds"),
        (X, math.nan, r"'x' is nan \(float\), which is no float: give a finite number"),
        (X, "hot", r"'x' is 'hot' \(str\), which is no float"),
        (X, True, r"'x' is True \(bool\), which is no float"),
        (N, 2.5, r"'n' is 2.5 \(float\), which is no int: give a whole number"),
        (N, 6, r"'n' is 6, outside its bounds \[1, 5\]"),
        (GRID, 0.4, r"'g' is 0.4, between the steps of 0.2 from 0.1 to 0.9: the nearest allowed value is 0\.[35]"),
        (GRID, 1.0, "between the steps .* the nearest allowed value is 0.9"),
        (SOLVENT, "acetone", "'solvent' is 'acetone', not among its values: use one of 'water', 'ethanol', 'toluene'"),
        (SOLVENT, 1, r"'solvent' is 1 \(int\), which is no str: give a text"),
        (ChoiceParameterConfig("i", range(12), "int"), 12, "use one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …$"),
        (FixedParameterConfig("f", 2), 3, "'f' is 3, not among its values: use one of 2"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_what_is(parameter, value, message):
    with pytest.raises(ParameterizationError, match=message):
        parameter.check(value)


@pytest.mark.parametrize(
    ("parameter", "value", "nearest"),
    [
        (X, -3, 0.0),
        (N, 3.6, 4),
        (GRID, 0.44, 0.5),
        (GRID, 99, 0.9),
        (TEMPERATURE, 33, 40.0),
        (SOLVENT, "water", "water"),
        (FixedParameterConfig("f", 2), 7, 2),
    ],
)
def test_the_nearest_allowed_value_is_found(parameter, value, nearest):
    assert parameter.nearest(value) == nearest


@pytest.mark.parametrize(
    ("parameter", "centre"),
    [
        (X, 5.0),
        (N, 3),
        (GRID, 0.5),
        (RangeParameterConfig("l", (1e-4, 1e2), scaling="log"), 0.1),
        (RangeParameterConfig("l", (1, 100), "int", scaling="log"), 10),
        (SOLVENT, "water"),
        (ChoiceParameterConfig("c", ["s", "m", "l"], is_ordered=True), "m"),
        (TEMPERATURE, 60.0),
        (ChoiceParameterConfig("c", [3, 1, 2], "int", is_ordered=False), 3),
        (FixedParameterConfig("f", "a"), "a"),
    ],
)
def test_the_centre_is_the_middle_of_what_is_allowed(parameter, centre):
    assert parameter.centre() == pytest.approx(centre)


@pytest.mark.parametrize(
    ("parameter", "size"), [(X, None), (N, 5), (GRID, 5), (SOLVENT, 3), (FixedParameterConfig("f", 0), 1)]
)
def test_the_size_is_the_number_of_allowed_values(parameter, size):
    assert parameter.size() == size


@pytest.mark.parametrize(
    ("parameter", "interval"),
    [
        (X, (0.0, 10.0)),
        (GRID, (0.1, 0.9)),
        (TEMPERATURE, (20.0, 80.0)),
        (SOLVENT, None),
        (ChoiceParameterConfig("c", [3, 1, 2], "int", is_ordered=False), None),
        (FixedParameterConfig("f", 2), (2.0, 2.0)),
        (FixedParameterConfig("f", value=True), None),
    ],
)
def test_only_ordered_numbers_have_an_interval(parameter, interval):
    assert parameter.interval == interval


@pytest.mark.parametrize("parameter", [X, N, GRID, SOLVENT, TEMPERATURE, FixedParameterConfig("f", 1)])
def test_a_parameter_survives_the_log(parameter):
    found = msgspec.json.decode(msgspec.json.encode(parameter), type=ParameterConfig)

    assert found == parameter
    assert repr(found) == repr(parameter)  # 1 is not 1.0
