"""Failed trials as information: where they gather is kept away from, and where they are random nothing is lost."""

import numpy as np
import pytest
from scipy.special import ndtr

from titrant.errors import GenerationError
from titrant.generators import dispatch
from titrant.generators.base import Point, Request
from titrant.generators.failures import weighed
from titrant.generators.failures.chance import learnt
from titrant.generators.failures.laplace import classified
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation


def hyper(width=1, mean=0.0):
    return Hyperparameters(np.full(width, 0.4), 4.0, None, mean)


# --- the model ------------------------------------------------------------------------------------------------------


def test_the_evidence_is_near_that_of_many_draws():
    x = np.array([[0.1], [0.3], [0.6], [0.9]])
    labels = np.array([1.0, 1.0, -1.0, -1.0])
    kernel = hyper().outputscale * np.array(
        [[(1 + d + d * d / 3) * np.exp(-d) for d in np.sqrt(5) * np.abs(x[:, 0] - one) / 0.4] for one in x[:, 0]]
    )
    f = np.random.default_rng(0).multivariate_normal(np.zeros(4), kernel, size=200_000)
    truth = float(np.log(ndtr(f * labels).prod(1).mean()))

    assert classified(x, labels, hyper())[1] == pytest.approx(truth, abs=0.15)


def test_certain_labels_do_not_upset_the_numbers():
    x = np.repeat(np.linspace(0, 1, 5)[:, None], 20, axis=0)
    process, evidence = classified(x, np.where(x[:, 0] > 0.6, -1.0, 1.0), hyper(mean=2.0))
    mean, variance = process.at(np.array([[0.0], [1.0]]))

    assert np.isfinite(evidence)
    assert mean[0, 0] > 1 > -1 > mean[1, 0]
    assert (variance > 0).all()


def test_where_failures_gather_the_chance_is_small():
    x = np.random.default_rng(1).random((14, 3))
    bad = x[:, 1] > 0.6
    chance = learnt(x[~bad], x[bad])
    asked = np.random.default_rng(2).random((200, 3))
    found = chance.of(asked)

    assert found[asked[:, 1] > 0.75].mean() < 0.3
    assert found[asked[:, 1] < 0.45].mean() > 0.8


@pytest.mark.parametrize("seed", range(5))
def test_where_failures_are_random_the_chance_is_nearly_the_same_everywhere(seed):
    rng = np.random.default_rng(seed)
    x, bad = rng.random((30, 3)), rng.random(30) < 0.25
    found = learnt(x[~bad], x[bad]).of(rng.random((300, 3)))

    assert np.log(found).std() < 0.12


def test_one_failure_says_little():
    x = np.random.default_rng(0).random((9, 2))
    found = learnt(x[:-1], x[-1:]).of(np.concatenate([x, np.random.default_rng(1).random((50, 2))]))

    assert found.min() > 0.5 * found.max()


def test_the_gradient_is_that_of_the_chance():
    x = np.random.default_rng(3).random((12, 3))
    bad = x[:, 0] + x[:, 2] > 1.1
    chance, point = learnt(x[~bad], x[bad]), np.array([0.5, 0.4, 0.55])
    value, slope = chance.slope(point)
    numeric = [(chance.of((point + h)[None]) - chance.of((point - h)[None]))[0] / 2e-6 for h in 1e-6 * np.eye(3)]

    assert value == pytest.approx(chance.of(point[None])[0])
    assert slope == pytest.approx(numeric, rel=1e-4, abs=1e-7)


def test_no_failure_no_model():
    assert learnt(np.zeros((3, 2)), np.zeros((0, 2))) is None


# --- suggestions ----------------------------------------------------------------------------------------------------


def two_hills(p):
    """The higher one lies where trials fail."""
    low, high = ((p["x"] - at) ** 2 + (p["y"] - 0.4) ** 2 for at in (0.25, 0.8))
    return {"y": np.exp(-12 * low) + 2 * np.exp(-12 * high)}


def climb(space, rounds, *, objective="y", method="fast", learn=True, outcome=two_hills, fails=lambda p: p["x"] > 0.5):
    """A campaign: how many of the model's trials failed, and the best result."""
    observed, failed, seen = (), (), 0
    proposals = dispatch.suggest(Request(space=space, count=6)).proposals
    for trial in range(6 + rounds):
        if trial < 6:
            parameters = proposals[trial].parameters
        else:
            request = Request(
                space=space,
                node="bo",
                method=method,
                optimization=optimization_config(objective),
                observed=observed,
                failed=failed if learn else (),
                seed=5,
            )
            (proposal,) = dispatch.suggest(request).proposals
            assert proposal.fallback is None
            parameters = proposal.parameters
        if fails(parameters):
            failed += (Point(trial, parameters),)
            seen += trial >= 6
        else:
            told = tuple(Observation(name, value) for name, value in outcome(parameters).items())
            observed += (Point(trial, parameters, told),)
    return seen, max(outcome(p.parameters)["y"] for p in observed)


def test_a_failing_region_is_left_after_a_few_failures(square):
    failures, best = climb(square, 12)

    assert failures <= 5
    assert best > 1.0  # all that can be had is 1.06


@pytest.mark.parametrize("method", ["quality", "thompson", "turbo", "botorch"])
def test_whatever_the_method_a_failing_region_is_left(square, method):
    failures, _ = climb(square, 5, method=method)

    assert failures <= 3


def test_without_the_model_the_same_failure_is_sought_again_and_again(square):
    failures, _ = climb(square, 8, outcome=lambda p: {"y": p["x"]}, learn=False)

    assert failures == 8


def test_where_the_best_is_at_the_edge_it_comes_near(square):
    failures, best = climb(square, 12, outcome=lambda p: {"y": p["x"] - (p["y"] - 0.4) ** 2})

    assert failures <= 8
    assert best > 0.48


def test_several_objectives_leave_a_failing_region_too(square):
    failures, best = climb(square, 8, objective="y, z", outcome=lambda p: {**two_hills(p), "z": p["x"] - p["y"]})

    assert failures <= 4
    assert best > 0.8


def test_random_failures_cost_nothing_but_themselves(square):
    chance = np.random.default_rng(8)
    _, best = climb(square, 14, fails=lambda p: chance.random() < 0.3)

    assert best > 1.99


def test_where_its_numbers_fail_suggestions_go_on(square, monkeypatch):
    def poisoned(*_):
        raise FloatingPointError("not finite")

    monkeypatch.setattr(weighed, "learnt", poisoned)

    assert climb(square, 1)[0] == 1


def test_a_generator_without_data_says_so_and_not_that_trials_failed(square):
    request = Request(space=square, node="bo", failed=(Point(0, {"x": 0.1, "y": 0.2}),))

    with pytest.raises(GenerationError, match="needs an objective"):
        dispatch.suggest(request)
