"""What the model says of itself: the same as closed forms, and as the long way round."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from titrant.errors import GenerationError
from titrant.generators import dispatch
from titrant.generators.base import Examination, Point, PredictionRequest, Request
from titrant.generators.gp.acquisition import log_gain
from titrant.generators.gp.asked import asked, data_of
from titrant.generators.gp.bend import Bend
from titrant.generators.gp.fitted import fit, worths
from titrant.generators.gp.importance import indices
from titrant.generators.gp.leaving_out import same_places, share
from titrant.generators.gp.optimality import straight_gain
from titrant.generators.gp.posterior import Posterior
from titrant.generators.process import InProcess, WorkerProcess
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

X, Y = RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("y", (10.0, 20.0))
CHOICE = ChoiceParameterConfig("c", ("a", "b", "e"))


def question(kind, space, function, count, objective="m", constraints=(), **changes):
    """Ask about trials at quasi-random points; ``function`` gives the metrics there."""
    made = dispatch.suggest(Request(space=space, count=count, seed=5)).proposals
    observed = tuple(
        Point(i, one.parameters, tuple(Observation(*pair) for pair in function(one.parameters).items()))
        for i, one in enumerate(made)
    )
    goal = optimization_config(objective, list(constraints))
    basis = Request(space=space, node="bo", optimization=goal, observed=observed, seed=1)
    return Examination(question=kind, basis=replace(basis, **changes), candidates=observed)


def noisy(seed=0, sd=0.1):
    rng = np.random.default_rng(seed)
    return lambda p: {"m": math.sin(5 * p["x"]) + 0.1 * p["y"] + sd * float(rng.standard_normal())}


# --- leaving out ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sem", [None, 0.2])
@pytest.mark.parametrize("replicates", [1, 3])
def test_leaving_out_says_what_a_model_of_the_others_says(square, sem, replicates):
    rng = np.random.default_rng(3)
    places = dispatch.suggest(Request(space=square, count=9, seed=5)).proposals
    points = tuple(
        Point(i, one.parameters, (Observation("m", one.parameters["x"] + float(rng.standard_normal()), sem),))
        for i, one in enumerate(places * replicates)
    )
    config = optimization_config("m")
    basis = Request(space=square, node="bo", optimization=config, observed=points)
    fitted = fit(config, data := data_of(basis, config), data.y[:, 0])
    (posterior,), groups = fitted.posteriors, same_places(data.x)

    mean, variance = posterior.left_out(groups)

    assert sorted(len(group) for group in groups) == [replicates] * 9
    for group in groups:
        rest = np.setdiff1d(np.arange(len(data)), group)
        others = Posterior(posterior.x[rest], posterior.y[rest], posterior.noise[rest], posterior.hyper)
        expected, spread = others.at(posterior.x[group])
        assert mean[group] == pytest.approx(expected[:, 0], abs=1e-8)
        assert variance[group] == pytest.approx(spread + posterior.noise[group], rel=1e-8)


def test_a_fit_is_told_in_the_metrics_unit():
    space = search_space([X, Y])
    small = dispatch.examine(question("fit", space, noisy(), 30)).metrics[0]
    same = noisy()
    large = dispatch.examine(question("fit", space, lambda p: {"m": 1024 * same(p)["m"]}, 30)).metrics[0]

    assert small.word == "good"
    assert small.r2.low < small.r2.value < small.r2.high <= 1
    assert large.r2.value == pytest.approx(small.r2.value)
    assert large.rmse.value == pytest.approx(1024 * small.rmse.value)
    assert [one.trial for one in small.left_out] == list(range(30))
    errors = [one.observed - one.predicted for one in small.left_out]
    assert small.rmse.value == pytest.approx(math.sqrt(sum(error**2 for error in errors) / 30))
    assert small.rmse.low < small.rmse.value < small.rmse.high


def test_intervals_hold_as_many_measurements_as_they_should():
    found = dispatch.examine(question("fit", search_space([X, Y]), noisy(sd=0.3), 200)).metrics[0]

    assert [one.level for one in found.coverage] == [0.5, 0.8, 0.95]
    for one in found.coverage:
        assert one.observed.low <= one.level <= one.observed.high
    assert found.residual_sd == pytest.approx(1.0, abs=0.1)
    assert found.residual_mean == pytest.approx(0.0, abs=0.1)


def test_noise_is_not_predicted():
    rng = np.random.default_rng(4)
    found = dispatch.examine(
        question("fit", search_space([X, Y]), lambda _: {"m": float(rng.standard_normal())}, 40)
    ).metrics[0]

    assert found.word == "poor"


def test_what_never_varies_has_no_share_of_variance(square):
    found = dispatch.examine(question("fit", square, lambda _: {"m": 3.0}, 8)).metrics[0]

    assert (found.r2, found.word) == (None, "poor")
    assert found.rmse.value == pytest.approx(0.0, abs=1e-6)


def test_a_share_has_the_interval_of_wilson():
    # By hand: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) with z = 1.959964.
    assert (share(8, 10).low, share(8, 10).high) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert (share(10, 10).high, share(0, 10).low) == (1.0, 0.0)


# --- importance -----------------------------------------------------------------------------------------------------


def test_indices_of_ishigamis_function_are_the_known_ones():
    def ishigami(u):
        x = math.pi * (2 * u - 1)
        return (np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))[:, None]

    first, total, sd = indices(ishigami, 3, 4096, 1)

    # Closed forms: V = a²/8 + bπ⁴/5 + b²π⁸/18 + 1/2, V1 = (1 + bπ⁴/5)²/2, V2 = a²/8, V13 = 8 b²π⁸/225.
    a, b = 7.0, 0.1
    variance = a**2 / 8 + b * math.pi**4 / 5 + b**2 * math.pi**8 / 18 + 0.5
    parts = np.array([(1 + b * math.pi**4 / 5) ** 2 / 2, a**2 / 8, 0.0]) / variance
    interaction = 8 * b**2 * math.pi**8 / 225 / variance
    whole = parts + np.array([interaction, 0.0, interaction])
    assert first[0, :, 0] == pytest.approx(parts, abs=0.01)
    assert total[0, :, 0] == pytest.approx(whole, abs=0.01)
    assert sd[0] == pytest.approx(math.sqrt(variance), rel=0.01)
    for found, truth in ((first, parts), (total, whole)):
        low, high = np.quantile(found[1:, :, 0], [0.025, 0.975], axis=0)
        assert (low <= truth).all()
        assert (truth <= high).all()


def test_a_model_of_an_additive_function_has_its_indices():
    space = search_space([X, Y, CHOICE])
    effects = {"a": 0.0, "b": 0.0, "e": 1.0}
    found = dispatch.examine(
        question("importance", space, lambda p: {"m": 2 * p["x"] + 0.1 * p["y"] + effects[p["c"]]}, 80)
    )

    parts = {"x": 4 / 12, "y": 1 / 12, "c": 2 / 9}
    whole = sum(parts.values())
    (output,) = found.outputs
    assert [one.parameter for one in output.indices] == ["x", "c", "y"]
    for one in output.indices:
        assert one.first.value == pytest.approx(parts[one.parameter] / whole, abs=0.03)
        assert one.total.value == pytest.approx(parts[one.parameter] / whole, abs=0.03)
        assert one.total.low <= one.total.value <= one.total.high
    assert output.sd == pytest.approx(math.sqrt(whole), rel=0.05)
    assert not found.ignored_constraints


def test_an_objective_of_several_metrics_has_indices_of_its_own():
    space = search_space([X, Y])
    found = dispatch.examine(
        question("importance", space, lambda p: {"m": p["x"], "n": 0.1 * p["y"]}, 30, objective="3*m - n")
    )

    shares = {one.output: {index.parameter: index.total.value for index in one.indices} for one in found.outputs}
    assert list(shares) == ["m", "n", "3*m - n"]
    assert shares["m"]["x"] == pytest.approx(1.0, abs=0.02)
    assert shares["n"]["x"] == pytest.approx(0.0, abs=0.02)
    assert shares["3*m - n"]["x"] == pytest.approx(0.9, abs=0.02)


def test_constraints_are_said_to_be_left_aside():
    space = search_space([X, Y], ["x + 0.1*y <= 2.5"])
    found = dispatch.examine(question("importance", space, noisy(), 12))

    assert found.ignored_constraints


def test_nothing_matters_where_nothing_varies(square):
    (output,) = dispatch.examine(question("importance", square, lambda _: {"m": 3.0}, 8)).outputs

    assert output.sd == 0.0
    assert {one.total.value for one in output.indices} == {0.0}


# --- optimality -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [0.0, 0.6, 1.3, 2.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_gain_without_the_bend_is_the_mean_over_draws(power, sign):
    function = Bend(power, 0.1, 1.2)
    mean, sd, best = np.array([[0.3, -1.0], [0.9, 0.5]]), np.array([0.4, 0.7]), np.array([0.6, 0.5])
    normal = np.random.default_rng(1).standard_normal(400_000)

    found = np.exp(straight_gain(function, sign)(mean, sd, best))

    for i in range(2):
        for s in range(2):
            values = sign * function.undone(sign * (mean[i, s] + sd[i] * normal))
            gains = np.maximum(values - sign * function.undone(sign * best[s]), 0.0)
            assert found[i, s] == pytest.approx(gains.mean(), abs=5 * gains.std() / math.sqrt(len(normal)))


def test_a_gain_over_next_to_no_bend_is_the_closed_form_also_far_out():
    mean = np.array([[5.0, 0.0, -3.0, -30.0]])
    sd, best = np.array([0.8]), np.zeros(4)

    assert straight_gain(Bend(1.0 + 1e-12), 1.0)(mean, sd, best) == pytest.approx(log_gain(mean, sd, best), rel=1e-6)


def test_the_probability_of_two_trials_is_that_of_their_difference(square):
    values = iter([0.50, 0.58, 0.1, 0.3, 0.2, 0.0, 0.05, 0.15])
    request = question("optimality", square, lambda _: {"m": next(values)}, 8)
    points = tuple(replace(p, observations=(replace(p.observations[0], sem=0.1),)) for p in request.basis.observed)
    request = replace(request, basis=replace(request.basis, observed=points), candidates=points[:2])

    found = dispatch.examine(request)

    config = request.basis.optimization
    seen = asked(request.basis, config)
    (posterior,) = fit(config, seen.data, worths(seen.data, seen.target)).posteriors
    mean, covariance = posterior.joint(seen.data.x[:2])
    spread = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    expected = 0.5 * math.erfc((mean[0] - mean[1]) / spread / math.sqrt(2))
    chances = {one.trial: one.probability for one in found.contenders}
    assert chances[1].low - 0.01 <= expected <= chances[1].high + 0.01
    assert chances[0].value + chances[1].value == pytest.approx(1.0)
    assert found.incumbent.trial == (1 if expected > 0.5 else 0)


def test_the_gain_is_the_greatest_over_the_space_in_the_objectives_unit():
    space = search_space([X])
    request = question("optimality", space, lambda p: {"m": 100 * math.sin(6 * p["x"])}, 5, objective="-m")
    points = tuple(replace(p, observations=(replace(p.observations[0], sem=0.0),)) for p in request.basis.observed)
    request = replace(request, basis=replace(request.basis, observed=points))

    found = dispatch.examine(request)

    config = request.basis.optimization
    seen = asked(request.basis, config)
    fitted = fit(config, seen.data, worths(seen.data, seen.target))
    grid = np.linspace(0.0, 1.0, 4001)[:, None]
    mean, variance = fitted.posteriors[0].at(grid)
    draws = mean[:, 0] + np.sqrt(variance) * np.random.default_rng(2).standard_normal((2000, 1))
    values = seen.data.shift[0] + seen.data.scale[0] * fitted.functions[0].undone(draws)
    lowest = min(p.observations[0].mean for p in points)
    gains = np.maximum(lowest - values, 0.0).mean(0)
    assert found.expected_improvement.value == pytest.approx(gains.max(), rel=0.05)
    assert found.log_expected_improvement == pytest.approx(math.log(found.expected_improvement.value))
    assert found.at["x"] == pytest.approx(grid[gains.argmax(), 0], abs=0.05)
    observed = [p.observations[0].mean for p in points]
    assert found.observed_range == pytest.approx(max(observed) - min(observed))
    assert found.relative == pytest.approx(found.expected_improvement.value / found.observed_range)


def test_a_space_that_is_used_up_leaves_nothing():
    space = search_space([ChoiceParameterConfig("k", tuple(float(k) for k in range(8)), "float")])
    request = question("optimality", space, lambda p: {"m": (p["k"] - 3) ** 2}, 8, objective="-m")
    points = tuple(replace(p, observations=(replace(p.observations[0], sem=0.0),)) for p in request.basis.observed)
    found = dispatch.examine(replace(request, basis=replace(request.basis, observed=points)))

    assert found.relative < 0.01
    assert found.incumbent.probability.value == 1.0
    best = next(p for p in points if p.parameters["k"] == 3.0)
    assert found.incumbent.trial == best.trial


def test_the_incumbent_keeps_the_constraints_as_predicted(square):
    request = question("optimality", square, lambda p: {"m": p["x"], "n": p["x"]}, 20, constraints=["n <= 0.5"])
    allowed = tuple(p for p in request.basis.observed if p.parameters["x"] <= 0.5)
    found = dispatch.examine(replace(request, candidates=allowed))

    best = max((p for p in allowed), key=lambda p: p.parameters["x"])
    assert found.incumbent.trial == best.trial
    assert found.at["x"] < 0.6


def test_the_same_conditions_tried_twice_are_one_candidate(square):
    request = question("optimality", square, lambda p: {"m": p["x"]}, 6)
    best = max(request.basis.observed, key=lambda p: p.parameters["x"])
    again = replace(best, trial=99)
    basis = replace(request.basis, observed=(*request.basis.observed, again))
    found = dispatch.examine(replace(request, basis=basis, candidates=(*request.candidates, again)))

    assert [one.trial for one in found.contenders] == [best.trial]
    assert found.incumbent.probability.value == 1.0


# --- what cannot be answered ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["fit", "importance", "optimality"])
def test_too_few_data_are_said_to_be_so(square, kind):
    with pytest.raises(GenerationError, match="no answer: 1 trials have finite data of m"):
        dispatch.examine(question(kind, square, lambda p: {"m": p["x"]}, 1))


def test_several_objectives_have_a_fit_and_no_best(square):
    def both(kind):
        return question(kind, square, lambda p: {"m": p["x"], "n": p["y"]}, 8, objective="m, n")

    assert [one.metric for one in dispatch.examine(both("fit")).metrics] == ["m", "n"]
    with pytest.raises(GenerationError, match="several objectives there is no single best"):
        dispatch.examine(both("optimality"))


def test_without_a_free_parameter_nothing_is_important(square):
    request = question("importance", square, lambda p: {"m": p["x"]}, 6, fixed={"x": 0.5, "y": 0.5})

    with pytest.raises(GenerationError, match="no parameter is free"):
        dispatch.examine(request)


@pytest.mark.parametrize(
    "ys",
    [[1e200, 2e200, -1e200, 3e200], [1e-200, 2e-200, -1e-200, 3e-200], [0.1, 0.2, 0.15, 1e9], [0.0, 1.0, 0.0, 1.0]],
)
@pytest.mark.parametrize("kind", ["fit", "importance", "optimality"])
def test_awkward_outcomes_are_answered(square, kind, ys):
    values = iter(ys)

    assert dispatch.examine(question(kind, square, lambda _: {"m": next(values)}, 4)).model


def test_a_users_generator_need_not_examine(square):
    class Fixed:
        def suggest(self, request):
            raise NotImplementedError

    with pytest.raises(GenerationError, match="Fixed has no examine"):
        InProcess(Fixed()).call(question("fit", square, lambda p: {"m": p["x"]}, 4))


def test_answers_come_through_the_wire_as_they_were_made():
    space = search_space([X, CHOICE])
    requests = [
        question(kind, space, lambda p: {"m": p["x"] + (p["c"] == "a")}, 10)
        for kind in ("fit", "importance", "optimality")
    ]
    with WorkerProcess() as worker:
        for request in requests:
            there, here = worker.call(request), dispatch.examine(request)
            assert type(there) is type(here)
            assert there.model == here.model
        assert there.incumbent.trial == here.incumbent.trial


def test_predictions_and_the_incumbent_are_of_one_model(square):
    request = question("optimality", square, noisy(), 20)
    found = dispatch.examine(request)
    points = tuple(p.parameters for p in request.candidates)
    predicted = dispatch.predict(
        PredictionRequest(
            space=square, optimization=request.basis.optimization, observed=request.basis.observed, points=points
        )
    ).predictions

    assert found.incumbent.trial == int(np.argmax([one["m"][0] for one in predicted]))
    assert found.incumbent.value.value == pytest.approx(max(one["m"][0] for one in predicted))


# --- what the model would settle on ---------------------------------------------------------------------------------


def test_nothing_in_the_space_is_predicted_to_be_better_than_the_peak():
    space = search_space([X, Y])
    asking = question("optimality", space, noisy(sd=0.3), 25)
    peak = dispatch.examine(asking).peak
    grid = [{"x": i / 50, "y": 10 + j / 5} for i in range(51) for j in range(51)]
    tried = [point.parameters for point in asking.candidates]

    at_peak, *elsewhere = dispatch.predict(
        PredictionRequest(
            space=space,
            optimization=asking.basis.optimization,
            observed=asking.basis.observed,
            points=(peak.at, *grid, *tried),
        )
    ).predictions

    assert peak.predicted["m"] == pytest.approx(at_peak["m"], rel=1e-6)
    assert peak.value.value == pytest.approx(at_peak["m"][0], rel=1e-6)
    assert peak.value.value > max(one["m"][0] for one in elsewhere) - 1e-4
    assert peak.value.low < peak.value.value < peak.value.high
    assert peak.trial is None


def test_the_peak_is_expected_to_keep_the_outcome_constraints():
    def rising(p):
        return {"m": p["x"] + p["y"] / 10, "cost": p["x"] ** 2 + p["y"] / 40}

    told = dispatch.examine(question("optimality", search_space([X, Y]), rising, 30, constraints=["cost <= 0.7"])).peak

    assert told.feasible
    assert told.predicted["cost"][0] <= 0.7 + 1e-3
    # Where both bounds meet: y = 20, and x the root of 0.7 - 20 / 40.
    assert told.value.value == pytest.approx(2.0 + math.sqrt(0.7 - 0.5), abs=0.01)


def test_a_peak_says_where_constraints_are_not_expected_to_hold_anywhere():
    def dear(p):
        return {"m": p["x"], "cost": 2.0 + 0.01 * math.sin(40 * p["x"]) + 0.2 * (p["x"] - 0.5) ** 2}

    asking = question("optimality", search_space([X]), dear, 20)
    lucky = replace(asking.candidates[3], observations=(Observation("m", 0.5), Observation("cost", 0.99)))
    observed = (*asking.candidates[:3], lucky, *asking.candidates[4:])
    goal = optimization_config("m", ["cost <= 1.0"])
    told = dispatch.examine(
        replace(asking, basis=replace(asking.basis, observed=observed, optimization=goal), candidates=(lucky,))
    ).peak

    assert not told.feasible
    assert told.predicted["cost"][0] > 1.0


def test_the_peak_holds_what_is_held_fixed():
    space = search_space([X, Y, CHOICE])
    weigh = {"a": 0.0, "b": 0.5, "e": 0.1}
    asking = question(
        "optimality", space, lambda p: {"m": weigh[p["c"]] - (p["x"] - 0.4) ** 2 + p["y"] / 100}, 30, fixed={"c": "a"}
    )
    peak = dispatch.examine(asking).peak

    assert peak.at["c"] == "a"
    assert (peak.at["x"], peak.at["y"]) == pytest.approx((0.4, 20.0), abs=0.02)
    assert peak.value.value == pytest.approx(0.2, abs=0.01)


def test_the_peak_of_a_finite_space_may_be_a_trial():
    few = search_space([ChoiceParameterConfig("c", ("a", "b", "e"))])
    told = dispatch.examine(question("optimality", few, lambda p: {"m": float(ord(p["c"]))}, 3)).peak

    assert told.at == {"c": "e"}
    assert told.trial is not None
