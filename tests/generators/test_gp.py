"""The Gaussian process in numpy keeps its head: inside every space, at any data, the same answer every time."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from titrant.errors import GenerationError
from titrant.generators import dispatch, sobol
from titrant.generators.base import Point, PredictionRequest, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.gp.bend import _bend, bends
from titrant.generators.gp.data import Data, collect, thinned
from titrant.generators.gp.hyperparameters import Hyperparameters, fit, spread_evenly
from titrant.generators.gp.logs import log_improvement
from titrant.generators.gp.posterior import Posterior, cholesky
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space

from .strategies import spaces

GOAL = optimization_config("y", ["c <= 0.5"])


def cube(dimension):
    return search_space([RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(dimension)])


def request_of(space, ys, **changes):
    """Ask for one suggestion after outcomes at quasi-random points; None is a failed measurement."""
    made = dispatch.suggest(Request(space=space, count=len(ys), seed=5)).proposals
    observed = tuple(
        Point(i, p.parameters, (Observation("y", None, status="nan") if y is None else Observation("y", y),))
        for i, (p, y) in enumerate(zip(made, ys, strict=True))
    )
    given_ = Request(space=space, node="bo", optimization=optimization_config("y"), observed=observed, seed=1)
    return replace(given_, **changes)


def only(reply):
    (proposal,) = reply.proposals
    return proposal


# --- inside the space -----------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(space=spaces(), data=st.data())
def test_every_suggestion_fits_its_space(space, data):
    tried = dispatch.suggest(Request(space=space, count=6, seed=data.draw(st.integers(0, 99)))).proposals
    values = data.draw(st.lists(st.floats(-5, 5), min_size=2 * len(tried), max_size=2 * len(tried)))
    observed = tuple(
        Point(i, p.parameters, (Observation("y", values[2 * i]), Observation("c", values[2 * i + 1])))
        for i, p in enumerate(tried)
    )
    pending = observed[4:]
    request = Request(
        space=space, node="bo", optimization=GOAL, observed=observed[:4], pending=pending, count=2, seed=1
    )
    reply = dispatch.suggest(request)

    for proposal in reply.proposals:
        assert list(proposal.parameters.items()) == list(space.check(proposal.parameters).items())
    assert len(reply.proposals) == 2 or reply.short_reason


@pytest.mark.parametrize("dimension", [1, 2, 20, 50])
def test_any_dimension_is_answered(dimension):
    ys = np.random.default_rng(dimension).standard_normal(12)
    proposal = only(dispatch.suggest(request_of(cube(dimension), [float(y) for y in ys])))

    assert (proposal.node, proposal.fallback) == ("bo", None)


# --- at any data ----------------------------------------------------------------------------------------------------

AWKWARD = {
    "two": [0.0, 1.0],
    "constant": [3.0] * 8,
    "nearly constant": [3.0, 3.0 + 1e-14, 3.0, 3.0],
    "an outlier": [0.1, 0.2, 0.15, 0.18, 1e9],
    "huge": [1e200, 2e200, -1e200, 3e200],
    "tiny": [1e-200, 2e-200, -1e-200, 3e-200],
    "some failed": [None, 0.3, None, 0.7, 0.1, None],
    "alternating": [0.0, 1.0] * 10,
}


@pytest.mark.parametrize("ys", AWKWARD.values(), ids=AWKWARD)
def test_awkward_outcomes_are_answered_by_the_model(ys):
    proposal = only(dispatch.suggest(request_of(cube(3), ys)))

    assert (proposal.node, proposal.fallback) == ("bo", None)
    assert np.isfinite(proposal.predicted["y"]).all()


def test_outcomes_of_any_unit_lead_to_the_same_point():
    ys = [float(np.sin(3 * i)) for i in range(10)]
    metres = only(dispatch.suggest(request_of(cube(2), ys)))
    attometres = only(dispatch.suggest(request_of(cube(2), [y * 2.0**-60 for y in ys])))

    assert attometres.parameters == metres.parameters
    assert attometres.predicted["y"][0] * 2.0**60 == pytest.approx(metres.predicted["y"][0])


@pytest.mark.parametrize("apart", [0.0, 1e-12, 1e-8])
@pytest.mark.parametrize("sem", [None, 0.0])
def test_points_on_top_of_each_other_are_answered_by_the_model(apart, sem):
    observed = tuple(
        Point(i, {"x0": 0.5 + apart * i, "x1": 0.5 - apart * i}, (Observation("y", float(i % 3), sem),))
        for i in range(30)
    )
    proposal = only(dispatch.suggest(replace(request_of(cube(2), [0.0, 1.0]), observed=observed)))

    assert (proposal.node, proposal.fallback) == ("bo", None)


@pytest.mark.parametrize("ys", [[], [1.0], [None, None, 1.0]])
def test_with_fewer_than_two_outcomes_sobol_stands_in(ys):
    proposal = only(dispatch.suggest(request_of(cube(2), ys)))

    assert proposal.node == "sobol"
    assert "a model needs 2" in (proposal.fallback or "")


def test_an_infinite_covariance_is_refused():
    with pytest.raises(FloatingPointError, match="not positive definite"):
        cholesky(np.full((2, 2), np.inf), 1.0)


def test_what_rounding_made_singular_is_mended():
    lower = cholesky(np.ones((5, 5)), 1.0)

    assert lower @ lower.T == pytest.approx(np.ones((5, 5)), abs=1e-6)


def test_an_outcome_that_cannot_be_predicted_is_refused():
    request = PredictionRequest(
        space=cube(2), optimization=optimization_config("y"), observed=(), points=({"x0": 0.5, "x1": 0.5},)
    )

    with pytest.raises(GenerationError, match="no prediction: 0 trials have finite data of y"):
        dispatch.predict(request)


@given(st.lists(st.floats(-8, 8), min_size=3, max_size=20))
def test_what_is_bent_comes_back(values):
    y = np.array(values)
    function = _bend(y)
    mean, sd = function.back(function.there(y), np.full(len(y), 1e-6))

    assert mean == pytest.approx(y, abs=1e-4, rel=1e-4)
    assert sd == pytest.approx(1e-6 / function.slope(y), rel=1e-2)
    assert np.all(np.diff(function.there(np.sort(y))) >= 0)


def test_what_bounds_or_sums_refer_to_is_left_straight():
    y = np.exp(np.random.default_rng(3).standard_normal((30, 2)))
    data = Data(y, y, y, (None, None), np.zeros(2), np.ones(2), ("y", "c"))

    assert [one.power == 1.0 for one in bends(optimization_config("y", ["c <= 1"]), data)] == [False, True]
    assert all(one.power == 1.0 for one in bends(optimization_config("y + c"), data))
    assert all(one.power == 1.0 for one in bends(optimization_config("c", ["y <= 1", "c >= 0"]), data))


# --- what it makes of the data --------------------------------------------------------------------------------------


def test_a_thousand_points_are_fitted_on_some_of_them_spread_over_the_outcomes():
    y = np.random.default_rng(0).standard_normal(1000)
    places = spread_evenly(y, 200)

    assert len(set(places)) == 200
    assert {int(y.argmin()), int(y.argmax())} <= set(places)
    assert np.median(y[places]) == pytest.approx(np.median(y), abs=0.05)


def test_of_thousands_of_points_the_best_and_an_even_share_of_the_others_are_kept(monkeypatch):
    monkeypatch.setattr("titrant.generators.gp.fitted.MOST_POINTS", 20)
    ys = np.random.default_rng(0).standard_normal(50).tolist()
    proposal = only(dispatch.suggest(request_of(cube(2), ys)))

    assert proposal.generator == "GP(Matern-5/2) of 20 of 50 points + LogNEI"
    data = collect(encoding_of(cube(2), {}), ["y"], request_of(cube(2), ys).observed)
    kept = thinned(data, data.y[:, 0], 20).y[:, 0]
    assert sorted(kept)[10:] == sorted(data.y[:, 0])[40:]
    assert min(kept) == min(data.y[:, 0])


def test_known_noise_is_not_fitted_again():
    rng = np.random.default_rng(1)
    x, y = rng.random((10, 2)), rng.standard_normal(10)

    assert fit(x, y, np.full(10, 0.1)).noise is None
    assert 0 < (fit(x, y, None).noise or 0.0) < 1


def test_an_axis_that_does_nothing_gets_a_longer_scale():
    x = np.random.default_rng(2).random((40, 2))
    found = fit(x, np.sin(6 * x[:, 0]), None)

    assert found.lengthscales[1] > 2 * found.lengthscales[0]


def test_the_improvement_far_below_is_that_of_the_asymptote():
    u = np.array([-1e3, -1e6, -1e9])
    asymptote = -(u**2) / 2 - np.log(2 * np.pi) / 2 - 2 * np.log(-u)

    assert log_improvement(u) == pytest.approx(asymptote, rel=1e-9)
    assert np.all(np.diff(log_improvement(np.linspace(-50.0, 5.0, 5001))) > 0)


def test_known_points_leave_no_variance():
    x = np.array([[0.2], [0.7]])
    hyper = Hyperparameters(np.array([0.3]), 2.0, None, 0.0)
    mean, variance = Posterior(x, np.array([[1.0], [-1.0]]), np.zeros(2), hyper).at(x)

    assert mean[:, 0] == pytest.approx([1.0, -1.0])
    assert variance == pytest.approx(0.0, abs=1e-9)


def test_weights_of_a_sum_are_those_of_its_terms():
    space = cube(1)
    observed = tuple(
        Point(i, {"x0": x}, (Observation("a", -((x - 0.2) ** 2)), Observation("b", -((x - 0.8) ** 2))))
        for i, x in enumerate(np.linspace(0.0, 1.0, 9).tolist())
    )

    def asked(goal):
        found = only(
            dispatch.suggest(Request(space=space, node="bo", optimization=optimization_config(goal), observed=observed))
        )
        return found.parameters["x0"]

    assert asked("a + 3*b") == pytest.approx(0.65, abs=0.02)
    assert asked("3*a + b") == pytest.approx(0.35, abs=0.02)


# --- the same every time --------------------------------------------------------------------------------------------

_ASK = """
import sys
from msgspec import msgpack
from titrant.generators import dispatch
from titrant.generators.base import Request
request = msgpack.decode(sys.stdin.buffer.read(), type=Request)
sys.stdout.buffer.write(msgpack.encode(dispatch.suggest(request).proposals))
sys.exit("torch" in sys.modules)
"""


def test_another_process_gives_the_same_bits_and_loads_no_torch(monkeypatch):
    from msgspec import msgpack  # noqa: PLC0415

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    space = cube(3)
    request = request_of(space, [float(np.sin(3 * i)) for i in range(12)], pending=(Point(50, space.centre()),))
    answers = {
        subprocess.run(
            [sys.executable, "-c", _ASK], input=msgpack.encode(request), capture_output=True, check=True
        ).stdout
        for _ in range(2)
    }

    assert len(answers) == 1


def test_what_was_asked_before_leaves_no_trace():
    request = request_of(cube(3), [float(np.sin(3 * i)) for i in range(12)])
    first = dispatch.suggest(request)
    dispatch.suggest(request_of(cube(3), [float(np.cos(i)) for i in range(9)], seed=4))

    assert dispatch.suggest(request) == first


def test_suggestions_in_one_request_are_pending_for_each_other():
    request = request_of(cube(2), [float(np.sin(3 * i)) for i in range(8)], count=6)
    rows = np.array([list(p.parameters.values()) for p in dispatch.suggest(request).proposals])
    apart = np.linalg.norm(rows[:, None] - rows, axis=2) + np.eye(6)

    assert apart.min() > 1e-3


def test_only_what_is_asked_of_botorch_by_name_is_left_to_it():
    assert dispatch.needs_torch("botorch")
    assert not any(map(dispatch.needs_torch, ("fast", "quality", "thompson", "turbo")))
    assert sobol.versions().keys() <= dispatch.warm(torch=False).keys()
