"""What optimizers of others are told of an experiment."""

from __future__ import annotations

import sys

import pytest
from msgspec.structs import replace

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators.base import Point
from titrant.generators.peers.ax import AxGenerator
from titrant.generators.peers.baybe import BayBEGenerator
from titrant.generators.peers.told import told
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.testing.generator_contract import SPACES, requested


def test_fixed_and_held_parameters_are_no_axes():
    known = told(requested(SPACES["mixed"], "bo", fixed={"solvent": "water"}), "X")

    assert [axis.name for axis in known.axes] == ["x", "count", "stepped", "grade", "switch"]
    assert all(row.place.keys() == {axis.name for axis in known.axes} for row in known.rows)


def test_what_is_sought_becomes_something_to_be_made_large_and_bounds_an_excess():
    given = requested(SPACES["floats"], "bo")
    point = replace(given.observed[0], observations=(Observation("cost", 3.0, 0.5), Observation("yield", 0.4, 0.1)))
    sought = optimization_config("2*yield - cost", ["yield >= 0.5", "cost <= 4"])
    (row,) = told(replace(given, observed=(point,), optimization=sought), "X").rows

    assert row.utilities == pytest.approx((-2.2,))
    assert row.sems == pytest.approx(((0.2**2 + 0.5**2) ** 0.5,))
    assert row.excesses == pytest.approx((0.1, -1.0))


def test_a_sem_that_is_unknown_is_not_made_up():
    known = told(requested(SPACES["floats"], "bo"), "X")

    assert {row.sems is None for row in known.rows} == {True, False}


def test_inequalities_on_ranges_are_told_all_one_way_round_and_what_is_logarithmic_is_left_out():
    assert told(requested(SPACES["inequality"], "bo"), "X").limits == (
        ((("x", 1.0), ("y", 1.0)), 1.0),
        ((("count", -1.0), ("x", 2.0)), -2.0),
    )
    assert told(requested(SPACES["mixture"], "bo"), "X").limits == ()


def test_pending_trials_are_told_at_the_nearest_place_that_there_is():
    far = Point(9, {"x": 1.7, "y": 0.0})

    assert told(requested(SPACES["floats"], "bo", pending=(far,)), "X").pending == ({"x": 1.0, "y": 0.0},)


def test_nothing_sought_is_refused_and_nothing_measured_is_not():
    given = requested(SPACES["floats"], "bo")
    with pytest.raises(GenerationError, match="X needs an objective"):
        told(replace(given, optimization=None), "X")
    assert told(replace(given, observed=()), "X").rows == ()


@pytest.mark.parametrize(("module", "kind"), [("ax", AxGenerator), ("baybe", BayBEGenerator)])
def test_without_the_library_the_extra_is_named(monkeypatch, module, kind):
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ConfigurationError, match=rf"titrant\[{module}\]"):
        kind()


def test_an_unknown_method_of_ax_is_refused():
    with pytest.raises(ConfigurationError, match="must be 'fast' or 'quality'"):
        AxGenerator("random_search")
