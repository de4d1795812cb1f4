"""What models take from related problems: much where these are alike, little where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from titrant.generators import dispatch
from titrant.generators.base import Point, PredictionRequest, Request, Sample
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.posterior import Posterior
from titrant.generators.transfer import weights
from titrant.generators.transfer.prior import Belief
from titrant.generators.transfer.process import Informed
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space

NAMES = ("a", "b", "c")
SPACE = search_space([RangeParameterConfig(name, (0.0, 1.0)) for name in NAMES])
SOUGHT = optimization_config("y")
CENTRES = np.array([[0.15, 0.55, 0.85], [0.45, 0.4, 0.75], [0.1, 0.85, 0.55], [0.05, 0.55, 0.9]])
WIDTHS = np.array([[3.0, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]]) / 4
HEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])


def hills(x):
    """Four hills, as those of Hartmann3, four times as broad; 0 to about 5.5."""
    return float(HEIGHTS @ np.exp(-(WIDTHS * (np.asarray(x) - CENTRES) ** 2).sum(1)))


BEST = max(hills(x) for x in np.random.default_rng(0).random((20_000, 3)))


def sampled(function, count, seed):
    """A past experiment: points all over, and half of them around the best."""
    rng = np.random.default_rng(seed)
    x = rng.random((count, 3))
    top = x[np.argmax([function(one) for one in x[: count // 2]])]
    x[count // 2 :] = np.clip(top + 0.12 * rng.standard_normal((count - count // 2, 3)), 0.0, 1.0)
    return Sample("past", tuple(point(one, function(one)) for one in x))


def point(x, y, trial=-1):
    parameters = dict(zip(NAMES, map(float, x), strict=True))
    return Point(trial=trial, parameters=parameters, observations=(Observation("y", float(y)),))


def unrelated(seed):
    waves = np.random.default_rng([seed, 2]).standard_normal((12, 3)) * 4
    return lambda x: float(np.cos(waves @ np.asarray(x) + np.arange(12)).sum())


def regrets(past, trials, seed):
    """How far the best trial so far is from the best there is, after each trial."""
    observed, found, position = [], [], 0
    for i in range(trials):
        node = "bo" if past or i >= 5 else "centre" if i == 0 else "sobol"
        request = Request(
            space=SPACE,
            optimization=SOUGHT,
            node=node,
            seed=seed,
            position=position,
            observed=tuple(observed),
            past=past,
        )
        (proposal,) = dispatch.suggest(request).proposals
        assert proposal.fallback is None
        position = proposal.position
        x = [proposal.parameters[name] for name in NAMES]
        observed.append(point(x, hills(x), i))
        found.append(BEST - hills(x))
    return np.minimum.accumulate(found)


def course(past_of, trials=6, seeds=range(1000, 1006)):
    """The median regret after each trial."""
    return np.median([regrets(past_of(seed), trials, seed) for seed in seeds], axis=0)


def shifted(seed):
    """Somewhat elsewhere, on another scale, with an offset."""
    move = np.random.default_rng([seed, 1]).uniform(-0.08, 0.08, 3)
    return (sampled(lambda x: 12.0 * hills(np.asarray(x) + move) - 40.0, 30, seed),)


@pytest.fixture(scope="module")
def alone():
    return course(lambda _seed: ())


def test_a_related_past_saves_the_first_trials(alone):
    with_past = course(shifted)

    assert with_past[0] < 0.5 * alone[0]
    assert with_past[2] < 0.5 * alone[2]
    assert with_past[5] < alone[5]


def test_an_unrelated_past_costs_little(alone):
    misled = course(lambda seed: (sampled(unrelated(seed), 30, seed),), trials=10, seeds=range(1000, 1004))

    assert misled[-1] < alone[4]


def test_an_inverted_past_is_turned_around(alone):
    inverted = course(lambda seed: (sampled(lambda x: -hills(x), 30, seed),), trials=8, seeds=range(1000, 1004))

    assert inverted[-1] < alone[4]


def test_a_past_that_makes_the_data_less_probable_is_set_aside():
    x = np.random.default_rng(5).random((14, 3))
    observed = tuple(point(one, hills(one), i) for i, one in enumerate(x))
    past = (sampled(lambda at: float(np.sin(60.0 * at[0]) + np.cos(70.0 * at[1])), 40, 7),)
    request = Request(space=SPACE, optimization=SOUGHT, node="bo", seed=1, observed=observed, past=past)

    (proposal,) = dispatch.suggest(request).proposals
    (without,) = dispatch.suggest(
        Request(space=SPACE, optimization=SOUGHT, node="bo", seed=1, observed=observed)
    ).proposals

    assert proposal.generator == f"{without.generator}, the past set aside"
    assert proposal.parameters == without.parameters


def predicted(observed, past, points):
    return dispatch.predict(
        PredictionRequest(
            space=SPACE,
            optimization=SOUGHT,
            observed=tuple(point(one, hills(one), i) for i, one in enumerate(observed)),
            points=tuple(dict(zip(NAMES, map(float, one), strict=True)) for one in points),
            past=past,
        )
    )


def test_predictions_know_the_past_before_the_first_trial_and_after():
    rng = np.random.default_rng(9)
    past, points = (sampled(lambda at: 3.0 * hills(at) + 50.0, 40, 3),), rng.random((200, 3))
    true = np.array([hills(one) for one in points])

    def wrong(observed):
        reply = predicted(observed, past, points)
        assert "of 'past'" in reply.generator
        return float(np.abs([one["y"][0] for one in reply.predictions] - true).mean())

    few = rng.random((6, 3))
    alone = np.abs([one["y"][0] for one in predicted(few, (), points).predictions] - true).mean()
    first, shape = wrong([]), np.array([one["y"][0] for one in predicted([], past, points).predictions])
    assert np.corrcoef(shape, true)[0, 1] > 0.9
    assert first > 40  # in the units of the past, until a trial tells of others
    assert wrong(few) < 0.6 * alone


def test_predictions_leave_aside_what_suggestions_do():
    x = np.random.default_rng(5).random((14, 3))
    past = (sampled(lambda at: float(np.sin(60.0 * at[0]) + np.cos(70.0 * at[1])), 40, 7),)

    assert predicted(x, past, x[:3]) == predicted(x, (), x[:3])


def test_what_is_under_way_is_kept_away_from():
    past = (sampled(hills, 30, 3),)
    (first, second, third) = dispatch.suggest(
        Request(space=SPACE, optimization=SOUGHT, node="bo", count=3, seed=2, past=past)
    ).proposals

    places = np.array([[one.parameters[name] for name in NAMES] for one in (first, second, third)])
    assert min(np.linalg.norm(places[i] - places[j]) for i, j in ((0, 1), (0, 2), (1, 2))) > 0.02


@pytest.mark.parametrize("objective", ["y, -z", "y - 0.5*z", "y"])
def test_several_metrics_and_constraints_have_weights_of_their_own(objective):
    rng = np.random.default_rng(4)

    def both(x, trial):
        return Point(
            trial=trial,
            parameters=dict(zip(NAMES, map(float, x), strict=True)),
            observations=(Observation("y", hills(x)), Observation("z", float(x.sum()))),
        )

    constraints = ["z <= 1.8"] if objective == "y" else None
    past = (Sample("past", tuple(both(x, -1) for x in rng.random((25, 3)))),)
    for known in (0, 1, 6):
        request = Request(
            space=SPACE,
            optimization=optimization_config(objective, constraints),
            node="bo",
            count=2,
            seed=1,
            observed=tuple(both(x, i) for i, x in enumerate(rng.random((known, 3)))),
            past=past,
        )
        proposals = dispatch.suggest(request).proposals

        assert [one.fallback for one in proposals] == [None, None]
        assert all(one.predicted.keys() == {"y", "z"} for one in proposals)


def test_a_past_that_lacks_a_metric_tells_of_the_others():
    past = (Sample("past", sampled(hills, 20, 1).points),)
    request = Request(space=SPACE, optimization=optimization_config("y", ["z <= 1"]), node="bo", seed=1, past=past)

    (proposal,) = dispatch.suggest(request).proposals

    assert proposal.node == "bo"


def test_a_past_of_one_value_or_of_very_few_trials_does_no_harm():
    constant = Sample("flat", tuple(point(x, 1.0) for x in np.random.default_rng(1).random((8, 3))))
    few = Sample("few", tuple(point(x, hills(x)) for x in np.random.default_rng(2).random((2, 3))))
    for past in ((constant,), (few,), (constant, few)):
        assert (
            len(dispatch.suggest(Request(space=SPACE, optimization=SOUGHT, node="bo", seed=1, past=past)).proposals)
            == 1
        )


def _beliefs(rng):
    x = rng.random((20, 3))
    hyper = Hyperparameters(np.array([0.5, 0.4, 0.6]), 1.2, 1e-3, 0.1)
    y = np.sin(4.0 * x.sum(1))
    return [Belief(Posterior(x[:n], y[:n, None] ** k, np.full(n, 1e-3), hyper)) for n, k in ((20, 1), (9, 2))]


def test_gradients_of_density_and_process_are_those_of_their_values():
    rng = np.random.default_rng(0)
    beliefs = _beliefs(rng)
    x = rng.random((7, 3))
    y = 1.3 * np.sin(4.0 * x.sum(1)) + 0.2 * x[:, 0]
    density = weights.Density(x, y, None, beliefs)
    theta = density.start(0.5) + 0.3 * rng.standard_normal(7)
    assert density(theta)[1] == pytest.approx(approx_fprime(theta, lambda t: density(t)[0], 1e-7), rel=1e-3, abs=1e-3)

    hyper, sources, _ = weights.fit(x, y, None, beliefs)
    process = Informed(x, y[:, None], np.full(7, 1e-3), hyper, sources)
    at = rng.random(3)
    mean, variance, rise, widening = process.slope(at)
    means, variances = process.at(at[None])
    assert (mean[0], variance) == (pytest.approx(means[0, 0]), pytest.approx(variances[0]))
    assert rise[0] == pytest.approx(approx_fprime(at, lambda p: process.at(p[None])[0][0, 0], 1e-7), rel=1e-3, abs=1e-4)
    assert widening == pytest.approx(approx_fprime(at, lambda p: process.at(p[None])[1][0], 1e-7), rel=1e-3, abs=1e-4)


def test_with_the_weight_given_it_is_the_joint_model_of_all_data():
    """Against a Gaussian process over both tasks whose covariance is written out in full."""
    rng = np.random.default_rng(3)
    lengths, weight, own, noise = np.array([0.5, 0.4, 0.6]), 0.7, 0.3, 1e-3
    there, here, at = rng.random((12, 3)), rng.random((5, 3)), rng.random((4, 3))
    y = np.sin(5.0 * there.sum(1)), np.cos(3.0 * here.sum(1))

    def kernel(a, b):
        r = np.sqrt(5.0 * (((a[:, None] - b) / lengths) ** 2).sum(2))
        return (1.0 + r + r * r / 3.0) * np.exp(-r)

    whole = np.block(
        [
            [kernel(there, there) + noise * np.eye(12), weight * kernel(there, here)],
            [weight * kernel(here, there), (weight**2 + own) * kernel(here, here) + noise * np.eye(5)],
        ]
    )
    cross = np.concatenate([weight * kernel(at, there), (weight**2 + own) * kernel(at, here)], axis=1)
    expected = cross @ np.linalg.solve(whole, np.concatenate(y))
    variance = (weight**2 + own) - (cross * np.linalg.solve(whole, cross.T).T).sum(1)

    belief = Belief(Posterior(there, y[0][:, None], np.full(12, noise), Hyperparameters(lengths, 1.0, noise, 0.0)))
    sources = weights.Weighted((belief,), np.array([weight]), 0.0)
    process = Informed(here, y[1][:, None], np.full(5, noise), Hyperparameters(lengths, own, noise, 0.0), sources)
    means, variances = process.at(at)

    assert means[:, 0] == pytest.approx(expected, abs=1e-9)
    assert variances == pytest.approx(variance, abs=1e-9)
