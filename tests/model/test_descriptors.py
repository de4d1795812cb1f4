"""Numbers that describe the values of a choice."""

import math

import msgspec
import pytest

from titrant.errors import SearchSpaceError
from titrant.model.space import ChoiceParameterConfig, SearchSpace, search_space

TABLE = {
    "THF": {"dielectric": 7.5, "logP": 0.46},
    "water": {"dielectric": 80, "logP": -1.38},
    "toluene": {"dielectric": 2.4, "logP": 2.73},
    "DMSO": {"dielectric": 46.7, "logP": -1.35},
}


def solvents(values=("THF", "water", "toluene"), table=TABLE, **more):
    return ChoiceParameterConfig("solvent", values, descriptors=table, **more)


def test_rows_stand_in_the_order_of_the_values_and_those_of_other_values_are_left_out():
    found = solvents(("toluene", "THF")).descriptors

    assert list(found.items()) == [
        ("toluene", {"dielectric": 2.4, "logP": 2.73}),
        ("THF", {"dielectric": 7.5, "logP": 0.46}),
    ]
    assert type(solvents().descriptors["water"]["dielectric"]) is float


def test_values_of_any_type_can_be_described():
    amounts = ChoiceParameterConfig("rack", (1, 2), "int", descriptors={1: {"volume": 2}, "2": {"volume": 5}})

    assert amounts.descriptors == {"1": {"volume": 2.0}, "2": {"volume": 5.0}}


def test_descriptors_go_through_a_log():
    space = search_space([solvents()])

    assert msgspec.json.decode(msgspec.json.encode(space), type=SearchSpace) == space


def test_no_descriptors_are_none():
    assert solvents(table=None) == solvents(table={}) == ChoiceParameterConfig("solvent", ("THF", "water", "toluene"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1, 2], "no table: give {value: {descriptor: number}}"),
        ({"THF": 3}, "no table"),
        ({"THF": {"a": 1}}, "have no row of 'water': describe every value, or none"),
        ({"THF": {"a": 1}, "water": {"b": 1}}, "give 'water' 'b', and 'THF' 'a': give every value the same"),
        ({"THF": {}, "water": {}}, "give 'THF' nothing, and 'THF' nothing"),
        ({"THF": {"a": 1}, "water": {"a": math.nan}}, "give 'water' the a nan: give a finite number"),
        ({"THF": {"a": 1}, "water": {"a": "wet"}}, "give 'water' the a 'wet': give a finite number"),
        ({"THF": {"a": 1}, "water": {"a": 1}}, "the same of 'THF' and 'water', which no model could tell apart"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(table, message):
    with pytest.raises(SearchSpaceError, match=message):
        solvents(("THF", "water"), table)


def test_tasks_are_told_apart_by_name():
    with pytest.raises(SearchSpaceError, match="has is_task and descriptors: tasks are told apart by name"):
        solvents(is_task=True, target_value="THF")
