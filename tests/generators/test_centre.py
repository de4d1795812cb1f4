"""The centre: the middle where it is allowed, else the roomiest place."""

import pytest
from hypothesis import HealthCheck, given, reject, settings
from tests.generators.strategies import spaces

from titrant.errors import GenerationError
from titrant.generators import centre
from titrant.generators.base import Request
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

PARTS = [RangeParameterConfig(name, (0.0, 1.0)) for name in "abc"]


def first(space, **changes):
    return centre.suggest(Request(space=space, node="centre", **changes)).proposals[0]


def test_without_constraints_it_is_the_middle():
    solvent = ChoiceParameterConfig("solvent", ("water", "ethanol"))
    rate = RangeParameterConfig("rate", (0.01, 1.0), scaling="log")

    assert first(search_space([PARTS[0], rate, solvent])).parameters == {"a": 0.5, "rate": 0.1, "solvent": "water"}


def test_in_a_mixture_all_parts_are_equal():
    proposal = first(search_space(PARTS, ["a + b + c == 1"]))

    assert list(proposal.parameters.values()) == pytest.approx([1 / 3] * 3, abs=1e-5)
    assert proposal.generator == "Chebyshev centre of the constraints"


def test_between_equally_roomy_places_it_takes_the_one_nearest_to_the_middle():
    parameters = first(search_space(PARTS, ["a + b <= 0.6", "a + b >= 0.4"])).parameters

    assert list(parameters.values()) == pytest.approx([0.25, 0.25, 0.5], abs=1e-3)


def test_steps_are_kept():
    stepped = [RangeParameterConfig(name, (0.0, 1.0), step_size=0.25) for name in "abc"]
    space = search_space(stepped, ["a + b + c == 1"])

    assert space.contains(first(space).parameters)


def test_held_values_are_kept():
    space = search_space(PARTS, ["a + b + c == 1"])

    assert first(space, fixed={"a": 0.5}).parameters == pytest.approx({"a": 0.5, "b": 0.25, "c": 0.25}, abs=1e-5)


def test_a_tried_centre_is_replaced_by_a_quasi_random_point():
    space = search_space(PARTS)
    proposal = first(space, taken=(first(space).parameters,))

    assert proposal.node == "sobol"
    assert proposal.fallback == "the centre was tried before"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spaces())
def test_it_always_fits_the_space(space):
    try:
        parameters = first(space).parameters
    except GenerationError:
        reject()  # a grid that constraints leave hardly a point of, if any

    assert space.check(parameters) == parameters
