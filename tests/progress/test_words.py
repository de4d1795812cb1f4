"""How numbers are written for people."""

import pytest

from titrant.model.objective import optimization_config
from titrant.progress import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0 s"),
        (3.21, "3.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (65, "1 min 05 s"),
        (7380, "2 h 03 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (5.9, "6 s"), (61, "1 min 01 s")])
def test_an_estimate_has_no_tenths(seconds, text):
    assert words.roughly(seconds) == text


def test_virtual_times_count_from_the_runs_beginning():
    assert words.time_of_day(3_725_000_000 + 77, 77, virtual=True) == "+01:02:05"


def test_real_times_are_times_of_day():
    assert words.time_of_day(0, None, virtual=False)[2::3] == "::"


def test_conditions_are_short():
    assert words.conditions({"x": 0.123456, "n": 3, "solvent": "DMF"}) == "x=0.1235  n=3  solvent=DMF"


def test_a_result_names_each_metric_once_and_the_bounded_ones_last():
    config = optimization_config("-cost", ["impurity <= 3", "cost <= 5"])

    assert words.result(config, {"impurity": 2.0, "cost": 1.5}) == "cost = 1.5, impurity = 2"


def test_a_weighted_objective_is_shown_by_its_value_first():
    config = optimization_config("a - 0.5*b")

    assert words.result(config, {"a": 3.0, "b": 2.0}) == "a - 0.5*b = 2, a = 3, b = 2"


def test_a_value_that_is_missing_is_shown_as_missing():
    assert words.result(optimization_config("y"), {}) == "y = ?"
