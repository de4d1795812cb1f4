"""What was really carried out may lie off the grid and outside the bounds: models learn from it all the same."""

from __future__ import annotations

import numpy as np
import pytest

from titrant.generators.base import Point, PredictionRequest, Request
from titrant.generators.bo import load_botorch
from titrant.generators.dispatch import predict, suggest
from titrant.generators.encoding import encoding_of
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

PARAMETERS = {
    "float": (RangeParameterConfig("p", (0.0, 10.0)), [2.0, 12.0, -3.0]),
    "log": (RangeParameterConfig("p", (0.01, 10.0), scaling="log"), [0.1, 25.0, 0.0]),
    "int": (RangeParameterConfig("p", (1, 9), "int"), [3, 14, -2]),
    "stepped": (RangeParameterConfig("p", (0.0, 10.0), step_size=2.0), [4.0, 4.7, 13.1]),
    "ordered": (ChoiceParameterConfig("p", (20, 40, 80), "int"), [40, 43, 95]),
    "unordered": (ChoiceParameterConfig("p", ("water", "DMF", "THF"), "str"), ["water", "DMF", "toluene"]),
    "two names": (ChoiceParameterConfig("p", ("air", "argon"), "str"), ["air", "argon", "nitrogen"]),
}


@pytest.fixture(scope="module", autouse=True)
def _botorch():
    load_botorch()


def points(values):
    xs = np.linspace(0.05, 0.95, 9)
    return tuple(
        Point(i, {"x": float(x), "p": values[i % 3]}, (Observation("y", float(-((x - 0.6) ** 2) + 0.01 * i)),))
        for i, x in enumerate(xs)
    )


@pytest.mark.parametrize("kind", PARAMETERS)
def test_a_model_suggests_inside_the_space_from_data_outside_of_it(kind):
    config, executed = PARAMETERS[kind]
    space = search_space([RangeParameterConfig("x", (0.0, 1.0)), config])
    request = Request(
        space=space, optimization=optimization_config("y"), node="bo", count=2, seed=3, observed=points(executed)
    )

    reply = suggest(request)

    assert [proposal.node for proposal in reply.proposals] == ["bo", "bo"]
    assert all(proposal.fallback is None and space.contains(proposal.parameters) for proposal in reply.proposals)


def test_a_model_predicts_at_what_was_carried_out():
    config, executed = PARAMETERS["float"]
    space = search_space([RangeParameterConfig("x", (0.0, 1.0)), config])
    observed = points(executed)

    reply = predict(
        PredictionRequest(
            space=space,
            optimization=optimization_config("y"),
            observed=observed,
            points=tuple(point.parameters for point in observed),
        )
    )

    assert all(np.isfinite(prediction["y"]).all() for prediction in reply.predictions)


def columns(config, *values):
    """The model's coordinate of each value."""
    encoding = encoding_of(search_space([config]), {})
    z = np.array([encoding.numbers({"p": value}) for value in values])
    return encoding.to_model(z)[:, 0].tolist()


def test_floats_and_whole_numbers_go_on_beyond_their_bounds():
    assert columns(PARAMETERS["float"][0], -5.0, 5.0, 15.0) == pytest.approx([-0.5, 0.5, 1.5])
    assert columns(PARAMETERS["int"][0], 1, 5, 13) == pytest.approx([0.0, 0.5, 1.5])


def test_a_logarithm_of_nothing_is_a_small_number():
    low, at, beyond = columns(PARAMETERS["log"][0], 0.0, 0.01, 100.0)

    assert (low, at) == (pytest.approx(-1.0), pytest.approx(0.0))
    assert beyond == pytest.approx(4 / 3)


def test_a_value_between_two_ordered_choices_lies_between_them():
    assert columns(PARAMETERS["ordered"][0], 20, 30, 40, 60, 80) == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])


def test_a_value_beyond_ordered_choices_is_the_outermost():
    assert columns(PARAMETERS["ordered"][0], 5, 95) == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("kind", ["unordered", "two names"])
def test_a_name_that_is_not_in_the_list_has_no_place(kind):
    config, (*_, foreign) = PARAMETERS[kind]

    assert encoding_of(search_space([config]), {}).numbers({"p": foreign}) is None
