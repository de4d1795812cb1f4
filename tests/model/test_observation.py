"""Raw data in all of Ax's forms, and what a metric's fetch returned."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import ObservationError
from titrant.model.observation import Observation, by_metric, fetched, means, observations


def read(raw_data, *, objective=("y",), known=("y", "z"), progression=None):
    return observations(raw_data, objective=objective, known=known, progression=progression)


@pytest.mark.parametrize(
    ("raw_data", "sem"),
    [
        (2.0, None),
        (2, None),
        ((2.0, None), None),
        ((2, 0), 0.0),
        ((2.0, 0.5), 0.5),
        ((2.0, math.nan), None),
        ({"y": 2.0}, None),
        ({"y": (2.0, 0.5)}, 0.5),
        (np.float32(2), None),
        (np.int64(2), None),
        (np.array(2.0), None),
        ((np.float64(2), np.float64(0.5)), 0.5),
        (Decimal(2), None),
    ],
)
def test_every_form_of_raw_data_is_read(raw_data, sem):
    (found,) = read(raw_data)

    assert found == Observation("y", 2.0, sem)
    assert type(found.mean) is float


def test_a_mapping_gives_an_observation_of_each_metric():
    assert read({"z": 1, "y": (2.0, 0.1)}) == (Observation("z", 1.0), Observation("y", 2.0, 0.1))


def test_data_may_belong_to_a_step_of_the_trial():
    assert read(2.0, progression=np.int64(0)) == (Observation("y", 2.0, progression=0.0),)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_becomes_a_status(number):
    assert read((number, 0.1)) == (Observation("y", None, status=str(number)),)


@pytest.mark.parametrize("objective", [(), ("y", "z")])
def test_a_bare_value_needs_exactly_one_objective_metric(objective):
    names = "'y', 'z'" if objective else "none yet; call configure_optimization first"
    with pytest.raises(ObservationError, match=f"exactly one objective metric; they are: {names}. Give a mapping"):
        read(2.0, objective=objective)


def test_an_unknown_metric_is_refused_with_the_known_ones():
    message = r"no metric 'w'; known are: y, z. To record it as well, call configure_tracking_metrics\(\['w'\]\) first"
    with pytest.raises(ObservationError, match=message):
        read({"w": 1.0})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, r"True \(bool\)"),
        (np.True_, r"\(bool_?\)"),
        ("2.0", r"'2.0' \(str\)"),
        (None, r"None \(NoneType\)"),
        ([2.0, 0.1], r"\[2.0, 0.1\] \(list\)"),
        (np.array([2.0]), r"\(ndarray\)"),
        ((1.0, 2.0, 3.0), r"\(tuple\)"),
        ({"a": 1.0}, r"\(dict\)"),
        (10**400, r"\(int\)"),
    ],
)
def test_what_is_no_number_is_refused_with_its_type(value, shown):
    with pytest.raises(ObservationError, match=rf"(?s)metric 'y' has the value .*{shown}: give a number, or a tuple"):
        read({"y": value})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((None, 0.1), r"metric 'y' has the mean None \(NoneType\)"),
        ((1.0, "0.1"), r"metric 'y' has the sem '0.1' \(str\)"),
        ((1.0, -0.1), "metric 'y' has the sem -0.1: it is a standard error, finite and at least 0"),
        ((1.0, math.inf), "metric 'y' has the sem inf"),
    ],
)
def test_a_mean_and_its_sem_are_checked(value, message):
    with pytest.raises(ObservationError, match=message):
        read(value)


@pytest.mark.parametrize("progression", [math.nan, "3", True])
def test_a_progression_is_a_finite_number(progression):
    with pytest.raises(ObservationError, match=r"the progression is .*: give a finite number, or None at the end"):
        read(1.0, progression=progression)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((0, 1.5), Observation("y", 1.5, progression=0.0)),
        ((3, (1.5, 0.1)), Observation("y", 1.5, 0.1, progression=3.0)),
        ((None, (1.5, 0.1)), Observation("y", 1.5, 0.1)),
        ((2.0, math.nan), Observation("y", None, progression=2.0, status="nan")),
        (7, Observation("y", 7.0)),
        (np.float64(7), Observation("y", 7.0)),
    ],
)
def test_what_a_metric_fetched_is_read(value, expected):
    assert fetched("y", value) == (expected,)


@pytest.mark.parametrize("value", [None, "1", True, [0, 1.0], {"y": 1.0}, (1, 2, 3), np.array([0.0, 1.0])])
def test_another_answer_of_a_metric_is_refused(value):
    with pytest.raises(
        ObservationError, match=r"(?s)the fetch of metric 'y' returned .*: return \(progression, value\)"
    ):
        fetched("y", value)


def test_a_wrong_progression_of_a_metric_names_the_metric():
    with pytest.raises(ObservationError, match="metric 'y': the progression is 'end'"):
        fetched("y", ("end", 1.0))


def test_the_highest_progression_counts_and_the_last_of_equals():
    given = [Observation("y", mean, progression=at) for mean, at in [(1.0, 2), (2.0, 5), (3.0, 5), (4.0, 1)]]

    assert by_metric(given) == {"y": given[2]}


def test_an_end_result_comes_after_every_step():
    assert means([Observation("y", 1.0), Observation("y", 2.0, progression=9.0), Observation("z", 0.0)]) == {
        "y": 1.0,
        "z": 0.0,
    }


def test_what_is_not_finite_is_of_no_use():
    assert means([Observation("y", 1.0, progression=1.0), Observation("y", None, status="nan")]) == {"y": 1.0}


@given(st.floats(), st.none() | st.floats(min_value=0, allow_infinity=False))
def test_every_float_gives_a_mean_or_a_status(mean, sem):
    (found,) = read((mean, sem))

    assert (found.mean is None) == (found.status != "ok") == (not math.isfinite(mean))
