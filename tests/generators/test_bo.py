"""Bayesian optimization, by numpy and by BoTorch: better than chance, inside the constraints, and never at a loss."""

# ruff: noqa: PLC0415 (torch is loaded when a test runs, not when tests are collected)

import warnings

import numpy as np
import pytest

from titrant.errors import GenerationError
from titrant.generators import dispatch
from titrant.generators.base import Point, PredictionRequest, Request
from titrant.generators.bo import load_botorch
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

GOAL = optimization_config("y")


@pytest.fixture(scope="module", autouse=True)
def _botorch():
    load_botorch()


@pytest.fixture(params=["fast", "quality", "thompson", "turbo", "botorch"])
def method(request):
    return request.param


@pytest.fixture
def asked(method):
    """Ask the Bayesian optimization node, by either way."""

    def ask(space, observed, config=GOAL, **changes):
        return dispatch.suggest(
            Request(space=space, node="bo", optimization=config, observed=observed, method=method, **changes)
        )

    return ask


def bowl(parameters):
    return -((parameters["x"] - 0.8) ** 2) - (parameters["y"] - 0.2) ** 2


def point(trial, parameters, **values):
    return Point(trial, parameters, tuple(Observation(name, value) for name, value in values.items()))


def scattered(space, count, function=bowl, seed=0):
    proposals = dispatch.suggest(Request(space=space, count=count, seed=seed)).proposals
    return tuple(point(i, p.parameters, y=function(p.parameters)) for i, p in enumerate(proposals))


def only(reply):
    (proposal,) = reply.proposals
    assert proposal.fallback is None
    return proposal


def test_it_finds_the_top_of_a_bowl_where_sobol_does_not(asked, square):
    observed = scattered(square, 4)
    for trial in range(4, 12):
        parameters = only(asked(square, observed, seed=1)).parameters
        observed += (point(trial, parameters, y=bowl(parameters)),)

    assert max(bowl(p.parameters) for p in observed) > -5e-4
    assert max(bowl(p.parameters) for p in scattered(square, 12)) < -1e-3


def test_a_minus_sign_minimizes(asked, square):
    observed = scattered(square, 16, lambda parameters: -bowl(parameters))
    parameters = only(asked(square, observed, optimization_config("-y"))).parameters

    assert parameters == pytest.approx({"x": 0.8, "y": 0.2}, abs=0.05)


def test_a_sum_of_metrics_is_optimized_as_a_whole(asked, square):
    observed = tuple(
        point(p.trial, p.parameters, a=-((p.parameters["x"] - 0.8) ** 2), b=-((p.parameters["y"] - 0.2) ** 2) / 3)
        for p in scattered(square, 16)
    )
    parameters = only(asked(square, observed, optimization_config("a + 3*b"))).parameters

    assert parameters == pytest.approx({"x": 0.8, "y": 0.2}, abs=0.08)


def test_an_outcome_constraint_keeps_it_where_it_is_met(asked, square):
    observed = tuple(
        point(p.trial, p.parameters, y=bowl(p.parameters), c=p.parameters["x"]) for p in scattered(square, 24)
    )
    parameters = only(asked(square, observed, optimization_config("y", ["c <= 0.5"]))).parameters

    assert parameters == pytest.approx({"x": 0.5, "y": 0.2}, abs=0.15)


def test_where_nothing_met_the_constraint_it_looks_for_what_does(asked, square):
    observed = tuple(
        point(p.trial, p.parameters, y=bowl(p.parameters), c=p.parameters["x"])
        for p in scattered(square, 24)
        if p.parameters["x"] > 0.4
    )
    proposal = only(asked(square, observed, optimization_config("y", ["c <= 0.3"])))

    assert proposal.generator.endswith(("LogPF", "Thompson"))
    assert proposal.parameters["x"] < 0.4


def test_two_objectives_are_traded_off_above_their_thresholds(asked, square):
    observed = tuple(
        point(p.trial, p.parameters, a=p.parameters["x"], b=1 - p.parameters["x"] ** 2) for p in scattered(square, 12)
    )
    proposals = asked(square, observed, optimization_config("a, b", ["a >= 0.5"]), count=2).proposals

    assert all(p.generator.endswith("LogNEHVI") for p in proposals)
    assert all(p.parameters["x"] > 0.45 for p in proposals)


def test_no_compiler_is_asked_for_a_suggestion(square, monkeypatch):
    """A worker killed while it compiles leaves a lock behind, and every later one would wait for it."""
    from botorch.acquisition.multi_objective import logei
    from torch.utils import cpp_extension

    compiled = []
    monkeypatch.setattr(cpp_extension, "load", lambda *args, **kwargs: compiled.append(args))
    observed = tuple(
        point(p.trial, p.parameters, a=p.parameters["x"], b=bowl(p.parameters)) for p in scattered(square, 6)
    )
    config = optimization_config("a, b")
    request = Request(space=square, node="bo", optimization=config, observed=observed, method="botorch")

    assert only(dispatch.suggest(request)).generator.endswith("qLogNEHVI")
    assert not compiled
    assert logei._C is None  # nor was it for a test before this one


def test_many_objectives_are_weighed_at_random(asked, square):
    observed = tuple(
        point(
            p.trial,
            p.parameters,
            a=p.parameters["x"],
            b=-p.parameters["x"],
            c=p.parameters["y"],
            d=-p.parameters["y"],
            e=bowl(p.parameters),
        )
        for p in scattered(square, 8)
    )

    assert only(asked(square, observed, optimization_config("a, b, c, d, e"))).generator.endswith("LogNParEGO")


def test_constraints_and_steps_hold_in_a_mixed_space(asked):
    parts = [RangeParameterConfig(name, (0.0, 1.0)) for name in "xyz"]
    space = search_space(
        [*parts, RangeParameterConfig("n", (1, 9), "int"), ChoiceParameterConfig("s", ("a", "b", "c"))],
        ["x + y + z == 1", "x - y >= 0.1", "n - 10*x <= 2"],
    )
    observed = scattered(space, 10, lambda p: bowl(p) + p["n"] / 10 + (p["s"] == "b"))
    proposals = asked(space, observed, count=2).proposals

    assert [p.node for p in proposals] == ["bo", "bo"]
    assert all(space.check(p.parameters) == p.parameters for p in proposals)
    assert proposals[0].parameters["s"] == "b"


def test_constraints_on_a_logarithmic_axis_hold(asked):
    space = search_space(
        [RangeParameterConfig("x", (0.01, 1.0), scaling="log"), RangeParameterConfig("y", (0.0, 1.0))], ["x + y <= 0.7"]
    )
    proposal = only(asked(space, scattered(space, 8)))

    assert space.contains(proposal.parameters)


def test_it_keeps_away_from_what_is_pending(asked, square):
    observed = scattered(square, 16)
    first = only(asked(square, observed)).parameters
    second = only(asked(square, observed, pending=(Point(99, first),))).parameters

    assert np.hypot(first["x"] - second["x"], first["y"] - second["y"]) > 1e-3


def test_a_prediction_comes_with_each_suggestion(asked, square):
    mean, sem = only(asked(square, scattered(square, 16))).predicted["y"]

    assert mean == pytest.approx(0, abs=0.02)
    assert 0 < sem < 0.1


def test_predictions_at_observed_points_are_in_the_metrics_unit(square):
    observed = tuple(point(p.trial, p.parameters, y=1000 + bowl(p.parameters)) for p in scattered(square, 16))
    reply = dispatch.predict(
        PredictionRequest(
            space=square, optimization=GOAL, observed=observed, points=tuple(p.parameters for p in observed)
        )
    )

    assert [p["y"][0] for p in reply.predictions] == pytest.approx([p.observations[0].mean for p in observed], abs=0.03)


def test_known_noise_is_taken_at_its_word(square):
    def predicted(sem):
        observed = tuple(
            Point(p.trial, p.parameters, (Observation("y", bowl(p.parameters), sem),)) for p in scattered(square, 8)
        )
        request = PredictionRequest(
            space=square, optimization=GOAL, observed=observed, points=(observed[0].parameters,)
        )
        return dispatch.predict(request).predictions[0]["y"][1]

    assert predicted(0.0) < 0.01 < 0.05 < predicted(0.5)


@pytest.mark.parametrize("observed", ["none", "one", "nan", "other"])
def test_with_too_few_data_sobol_stands_in_and_says_so(asked, square, observed):
    points = {
        "none": (),
        "one": scattered(square, 1),
        "nan": (Point(0, {"x": 0.1, "y": 0.2}, (Observation("y", None, status="nan"),)),) * 3,
        "other": tuple(point(i, {"x": 0.1, "y": 0.2}, z=1.0) for i in range(3)),
    }[observed]
    (proposal,) = asked(square, points).proposals

    assert proposal.node == "sobol"
    assert "trials have finite data of y, and a model needs 2" in (proposal.fallback or "")


@pytest.mark.parametrize(
    "observed",
    [
        pytest.param(lambda s: scattered(s, 2), id="two"),
        pytest.param(lambda s: scattered(s, 6, lambda p: 3.0), id="constant"),
        pytest.param(lambda s: scattered(s, 3) * 4, id="duplicates"),
        pytest.param(lambda s: scattered(s, 6, lambda p: 1e200 * bowl(p)), id="huge"),
        pytest.param(lambda s: scattered(s, 6, lambda p: 1e300 * bowl(p)), id="overflowing"),
        pytest.param(lambda s: (*scattered(s, 5), point(9, {"x": 4.0, "y": -7.0}, y=1.0)), id="outside"),
        pytest.param(lambda s: (*scattered(s, 5), point(9, {"x": 0.5}, y=1.0)), id="incomplete"),
    ],
)
def test_awkward_data_still_give_a_suggestion(asked, square, observed):
    (proposal,) = asked(square, observed(square)).proposals

    assert square.contains(proposal.parameters)


@pytest.mark.parametrize(
    "error", [np.linalg.LinAlgError("singular"), FloatingPointError("not finite"), ValueError("NaN")]
)
def test_a_failing_fit_leaves_the_turn_to_sobol(asked, method, square, error, monkeypatch):
    def poisoned(data):
        raise error

    monkeypatch.setattr(f"titrant.generators.{'bo' if method == 'botorch' else 'gp'}.model.fit", poisoned)
    (proposal,) = asked(square, scattered(square, 6), position=6).proposals

    assert proposal.fallback == f"Bayesian optimization stood back: {type(error).__name__}: {error}"
    assert (proposal.node, proposal.position) == ("sobol", 7)


def test_a_relative_constraint_needs_its_baseline_put_in_first(asked, square):
    (proposal,) = asked(square, scattered(square, 4), optimization_config("y", ["y >= 0.9*baseline"])).proposals

    assert "needs the baseline's data" in (proposal.fallback or "")


def test_without_an_objective_there_is_nothing_to_do(asked, square):
    with pytest.raises(GenerationError, match="needs an objective"):
        asked(square, scattered(square, 4), None)


def test_chance_and_warnings_outside_are_left_alone(asked, square):
    import torch

    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        asked(square, scattered(square, 4))

    assert torch.equal(torch.random.get_rng_state(), before)
    assert not shown
