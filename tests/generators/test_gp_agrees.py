"""The Gaussian process in numpy gives GPyTorch's and BoTorch's numbers, and its gradients are those of its values."""

# ruff: noqa: PLC0415 (torch is loaded when a test runs, not when tests are collected)

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from titrant.generators.bo import load_botorch
from titrant.generators.gp import hyperparameters, model
from titrant.generators.gp.acquisition import Acquisition, Combination
from titrant.generators.gp.build import normals
from titrant.generators.gp.data import Data
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.posterior import Posterior

SEEDS = range(6)


@pytest.fixture(scope="module", autouse=True)
def _botorch():
    load_botorch()


def drawn(seed):
    """Random hyperparameters and data: 4 to 23 points in 1 to 6 dimensions."""
    rng = np.random.default_rng(seed)
    n, width = int(rng.integers(4, 24)), int(rng.integers(1, 7))
    hyper = Hyperparameters(rng.uniform(0.1, 2.0, width), float(rng.uniform(0.3, 3.0)), None, float(rng.normal()))
    return rng, rng.random((n, width)), rng.standard_normal((n, 1)), rng.uniform(1e-3, 0.3, n), hyper


def botorchs(x, y, noise, hyper):
    """The same process in BoTorch."""
    import torch
    from botorch.models import SingleTaskGP
    from gpytorch.kernels import MaternKernel, ScaleKernel

    made = SingleTaskGP(
        torch.as_tensor(x),
        torch.as_tensor(y),
        train_Yvar=torch.as_tensor(noise)[:, None],
        covar_module=ScaleKernel(MaternKernel(nu=2.5, ard_num_dims=x.shape[1])),
        outcome_transform=None,
    )
    made.covar_module.base_kernel.lengthscale = torch.as_tensor(hyper.lengthscales)
    made.covar_module.outputscale = hyper.outputscale
    made.mean_module.initialize(constant=hyper.mean)
    made.requires_grad_(requires_grad=False)
    return made.eval()


@pytest.mark.parametrize("seed", SEEDS)
def test_means_and_variances_are_botorchs(seed):
    import torch

    rng, x, y, noise, hyper = drawn(seed)
    points = rng.random((9, x.shape[1]))
    theirs = botorchs(x, y, noise, hyper).posterior(torch.as_tensor(points))
    mean, variance = Posterior(x, y, noise, hyper).at(points)

    assert mean == pytest.approx(theirs.mean.numpy(), rel=1e-6, abs=1e-6)
    assert variance == pytest.approx(theirs.variance.numpy()[:, 0], abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_joint_covariances_are_botorchs(seed):
    import torch

    rng, x, y, noise, hyper = drawn(seed)
    points = rng.random((5, x.shape[1]))
    theirs = botorchs(x, y, noise, hyper).posterior(torch.as_tensor(points)).distribution.covariance_matrix
    _, covariance = Posterior(x, y, noise, hyper).joint(points)

    assert covariance == pytest.approx(theirs.numpy(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_marginal_likelihood_is_gpytorchs(seed):
    import torch
    from gpytorch.mlls import ExactMarginalLogLikelihood

    _, x, y, noise, hyper = drawn(seed)
    theta = np.log([*hyper.lengthscales, hyper.outputscale])
    target = hyperparameters.Density(x, y[:, 0], noise)
    best = Hyperparameters(hyper.lengthscales, hyper.outputscale, None, target.mean(theta))
    made = botorchs(x, y, noise, best).train()
    theirs = ExactMarginalLogLikelihood(made.likelihood, made)(made(torch.as_tensor(x)), torch.as_tensor(y[:, 0]))
    n = len(x)

    assert target.likelihood(theta)[0] + n / 2 * np.log(2 * np.pi) == pytest.approx(-n * theirs.item(), abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_expected_improvement_is_botorchs_far_into_the_tail(seed):
    import torch
    from botorch.acquisition.analytic import LogExpectedImprovement

    rng, x, y, noise, hyper = drawn(seed)
    points, posterior = rng.random((9, x.shape[1])), Posterior(x, y, noise, hyper)
    for best in (-3.0, 0.5, 5.0, 40.0, 1e4):
        ours = Acquisition((Combination([posterior], np.ones(1)), np.array([best])), (), "LogEI").values(points)
        theirs = LogExpectedImprovement(botorchs(x, y, noise, hyper), best)(torch.as_tensor(points)[:, None])

        assert ours == pytest.approx(theirs.numpy(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_improvement_under_constraints_is_botorchs(seed):
    import torch
    from botorch.acquisition.analytic import LogConstrainedExpectedImprovement
    from botorch.models import ModelListGP

    rng, x, y, noise, hyper = drawn(seed)
    other, points = rng.standard_normal((len(x), 1)), rng.random((9, x.shape[1]))
    theirs = LogConstrainedExpectedImprovement(
        ModelListGP(botorchs(x, y, noise, hyper), botorchs(x, other, noise, hyper)), 0.3, 0, {1: (None, -0.8)}
    )
    parts = [Posterior(x, y, noise, hyper), Posterior(x, other, noise, hyper)]
    objective = Combination(parts, np.array([1.0, 0.0])), np.array([0.3])
    ours = Acquisition(objective, [(Combination(parts, np.array([0.0, 1.0])), -0.8)], "LogEI")

    assert ours.values(points) == pytest.approx(theirs(torch.as_tensor(points)[:, None]).numpy(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_under_way_is_integrated_as_botorchs_models_of_each_draw_say(seed):
    import torch
    from botorch.acquisition.analytic import LogExpectedImprovement

    rng, x, y, noise, hyper = drawn(seed)
    pending, points = rng.random((3, x.shape[1])), rng.random((5, x.shape[1]))
    given = Posterior(x, y, noise, hyper).drawn(pending, normals(len(x) + 3, seed, 4), 1e-3)
    best = given.known.max(0)
    theirs = [
        LogExpectedImprovement(botorchs(given.x, given.y[:, [s]], given.noise, hyper), best[s])(
            torch.as_tensor(points)[:, None]
        )
        for s in range(4)
    ]
    ours = Acquisition((Combination([given], np.ones(1)), best), (), "LogNEI").values(points)

    assert ours == pytest.approx(torch.stack(theirs).logsumexp(0).numpy() - np.log(4), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_draws_have_the_posteriors_mean_and_covariance(seed):
    rng, x, y, noise, hyper = drawn(seed)
    posterior, pending = Posterior(x, y, noise, hyper), rng.random((2, x.shape[1]))
    mean, covariance = posterior.joint(np.concatenate([x, pending]))
    values = posterior.drawn(pending, normals(len(x) + 2, seed, 4096), 1e-6).y

    assert values.mean(1) == pytest.approx(mean, abs=0.08)
    assert np.cov(values) == pytest.approx(covariance, abs=0.15)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_of_the_fit_is_that_of_its_value(seed, known):
    rng, x, y, noise, _ = drawn(seed)
    target = hyperparameters.Density(x, y[:, 0], noise if known else None)
    theta = 0.4 * rng.standard_normal(x.shape[1] + 1 + (not known)) - 0.7

    assert target(theta)[1] == pytest.approx(approx_fprime(theta, lambda t: target(t)[0], 1e-6), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("constrained", ["no", "too", "only"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_of_the_acquisition_is_that_of_its_value(seed, constrained):
    rng, x, y, noise, hyper = drawn(seed)
    pending, point = rng.random((2, x.shape[1])), rng.random(x.shape[1])
    others = rng.standard_normal(y.shape)
    parts = [
        Posterior(x, values, noise, hyper).drawn(pending, normals(len(x) + 2, seed), 1e-3) for values in (y, others)
    ]
    objective = Combination(parts, np.array([1.0, 0.5]))
    constraints = [] if constrained == "no" else [(Combination(parts, np.array([-0.3, 1.0])), -0.2)]
    function = Acquisition(None if constrained == "only" else (objective, objective.known.max(0)), constraints, "")
    value, slope = function.value_and_slope(point)

    assert value == pytest.approx(function.values(point[None])[0], rel=1e-9, abs=1e-9)
    assert slope == pytest.approx(approx_fprime(point, lambda p: function.values(p[None])[0], 1e-6), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("sem", [None, 0.1])
def test_fitted_models_predict_alike_in_the_metrics_units(sem):
    from titrant.generators.bo import model as theirs

    rng = np.random.default_rng(4)
    x, y = rng.random((14, 3)), rng.standard_normal((14, 2))
    variance = (None, None) if sem is None else (np.full(14, sem**2), np.full(14, 2 * sem**2))
    data = Data(x, x, y, variance, np.array([5.0, -1.0]), np.array([2.0, 0.1]), ("a", "b"))
    points = rng.random((6, 3))

    for ours, other in zip(
        model.predict(model.fit(data), data, points), theirs.predict(theirs.fit(data), data, points), strict=True
    ):
        assert ours["a"] == pytest.approx(other["a"], abs=1e-6)
        assert ours["b"] == pytest.approx(other["b"], abs=1e-6)
