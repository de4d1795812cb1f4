"""Parameters as numbers and as coordinates, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.generators.strategies import spaces

from titrant.errors import GenerationError
from titrant.generators.encoding import encoding_of
from titrant.generators.gp.domain import Domain
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space


def encoded(*parameters, constraints=(), **fixed):
    return encoding_of(search_space(parameters, constraints), fixed)


@given(spaces(), st.integers(0, 2**32 - 1))
def test_decoding_gives_canonical_values_and_survives_the_way_to_the_model_and_back(space, seed):
    encoding = encoding_of(space, {})
    z = encoding.from_unit(np.random.default_rng(seed).random((4, encoding.dimension)))
    x = encoding.to_model(z)
    again = encoding.from_model(x)

    assert ((x >= -1e-12) & (x <= 1 + 1e-12)).all()
    for row, other in zip(z, again, strict=True):
        parameters = encoding.parameters(row)
        assert all(type(p.check(parameters[p.name])) is type(parameters[p.name]) for p in space.parameters)
        assert space.signature(parameters) == space.signature(encoding.parameters(other))
        assert encoding.numbers(parameters) == pytest.approx(row, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "parameter",
    [
        RangeParameterConfig("n", (1, 4), "int"),
        RangeParameterConfig("n", (0.0, 0.3), step_size=0.1),
        ChoiceParameterConfig("n", ("a", "b", "c", "d")),
        ChoiceParameterConfig("n", (4.0, 1.0, 9.0, 2.0), "float"),
    ],
)
def test_all_values_are_equally_likely(parameter):
    encoding = encoded(parameter)
    values = [encoding.decode([u])["n"] for u in (np.arange(400) + 0.5) / 400]

    assert {values.count(value) for value in values} == {100}


def test_a_logarithmic_range_is_uniform_in_its_logarithm():
    assert encoded(RangeParameterConfig("x", (1e-4, 1.0), scaling="log")).decode([0.25])["x"] == pytest.approx(1e-3)


def test_an_unordered_choice_has_one_column_for_each_value_and_an_ordered_one_has_one():
    names = ChoiceParameterConfig("s", ("a", "b", "c"))
    numbers = ChoiceParameterConfig("n", (1, 5, 7), "int")

    assert encoded(names, numbers).to_model(np.array([[1.0, 7.0]])).tolist() == [[0.0, 0.5, 0.0, 1.0]]


@pytest.mark.parametrize(
    "parameter",
    [
        RangeParameterConfig("n", (0, 1), "int"),
        RangeParameterConfig("n", (1, 2), "int", scaling="log"),
        ChoiceParameterConfig("n", (False, True), "bool"),
        ChoiceParameterConfig("n", ("a", "b")),
    ],
)
def test_two_levels_are_half_a_cube_apart_so_that_one_tells_of_the_other(parameter):
    encoding = encoded(parameter)
    z = np.array([[encoding.low[0]], [encoding.high[0]]])

    assert encoding.to_model(z).ravel().tolist() == pytest.approx([0.0, 0.5])
    assert encoding.from_model(np.array([[0.0], [0.2], [0.3], [0.5], [1.0]])).ravel().tolist() == pytest.approx(
        [encoding.low[0]] * 2 + [encoding.high[0]] * 3
    )


def test_more_levels_and_those_of_a_fidelity_fill_the_cube():
    three = encoded(RangeParameterConfig("n", (0, 2), "int"))
    fidelity = encoded(RangeParameterConfig("n", (0, 1), "int", is_fidelity=True, target_value=1))

    assert three.to_model(np.array([[0.0], [2.0]])).ravel().tolist() == [0.0, 1.0]
    assert fidelity.to_model(np.array([[0.0], [1.0]])).ravel().tolist() == [0.0, 1.0]


def test_constraints_over_two_levels_are_the_same_planes_for_the_model():
    switches = [RangeParameterConfig(name, (2, 3), "int") for name in "ab"]
    space = search_space([*switches, RangeParameterConfig("x", (0.0, 4.0))], ["a + 2*b + x <= 10"])
    domain = Domain(space, {}, 0)
    (((columns, weights, bound),), equalities) = domain.planes()
    z = np.array([[a, b, x] for a in (2.0, 3.0) for b in (2.0, 3.0) for x in (0.0, 1.0, 2.5, 4.0)])

    assert equalities == []
    assert domain.to_model(z)[:, columns] @ weights - bound == pytest.approx(10 - z @ [1, 2, 1])


def test_a_hair_from_the_bound_is_the_bound():
    encoding = encoded(RangeParameterConfig("x", (0.0, 1.0)))

    assert encoding.parameters(encoding.snap(np.array([[3e-17]]))[0]) == {"x": 0.0}


def test_a_held_value_moves_to_the_other_side_of_the_constraints():
    ranges = [RangeParameterConfig(name, (0.0, 1.0)) for name in "ab"]
    system = encoded(*ranges, constraints=["a + 2*b <= 1"], b=0.25).system

    assert (system.a.tolist(), system.b.tolist()) == ([[1.0]], [0.5])


def test_a_held_value_that_breaks_a_constraint_is_named():
    with pytest.raises(GenerationError, match=r"held fixed breaks the constraint 'a <= 0\.5'"):
        encoded(RangeParameterConfig("a", (0.0, 1.0)), constraints=["a <= 0.5"], a=0.75)


def test_a_held_value_that_fits_nothing_is_named():
    with pytest.raises(GenerationError, match=r"held fixed does not fit the search space: .*'a' is 2"):
        encoded(RangeParameterConfig("a", (0.0, 1.0)), a=2)


def test_a_point_without_a_place_has_no_numbers():
    encoding = encoded(ChoiceParameterConfig("s", ("a", "b")))

    assert encoding.numbers({"s": "z"}) is None
    assert encoding.numbers({}) is None
