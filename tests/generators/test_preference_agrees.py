"""The model of comparisons is BoTorch's PairwiseGP, and its gradients are those of its numbers."""

# ruff: noqa: PLC0415 (torch is loaded when a test runs, not when tests are collected)

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.optimize import check_grad  # type: ignore[import-untyped,unused-ignore]
from scipy.special import ndtr  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.bo import load_botorch
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.logs import log_density
from titrant.generators.preference.duels import Duels, duels
from titrant.generators.preference.eubo import Eubo, of_pairs
from titrant.generators.preference.hyperparameters import Density
from titrant.generators.preference.laplace import approximated
from titrant.generators.preference.utility import Utility
from titrant.model.comparison import Verdict


@pytest.fixture(scope="module", autouse=True)
def _botorch() -> None:
    load_botorch()


CASES = [(seed, n, m, w) for seed, (n, m, w) in enumerate([(2, 1, 1), (5, 8, 2), (8, 20, 3), (12, 30, 5)])]


def story(seed: int, n: int, m: int, w: int) -> tuple[Floats, tuple[Verdict, ...], Hyperparameters]:
    """Points, what a noisy judge said of pairs of them, and hyperparameters."""
    rng = np.random.default_rng([seed, n, m, w])
    x = rng.random((n, w))
    f = np.sin(4.0 * x).sum(1)
    told = []
    for _ in range(m):
        a, b = rng.choice(n, 2, replace=False)
        if f[a] - f[b] + math.sqrt(2.0) * rng.standard_normal() < 0:
            a, b = b, a
        told.append(Verdict(int(a), int(b)))
    return x, tuple(told), Hyperparameters(rng.uniform(0.3, 1.0, w), float(rng.uniform(0.5, 2.0)), None, 0.0)


def fought(told: tuple[Verdict, ...], n: int) -> Duels:
    return duels(told, {place: place for place in range(n)})


@cache
def pairwise(case: tuple[int, int, int, int]) -> Any:
    """BoTorch's model of the same story, its jitter as small as it goes."""
    import torch
    from botorch.models.pairwise_gp import PairwiseGP
    from gpytorch.kernels import MaternKernel, ScaleKernel

    x, told, hyper = story(*case)
    kernel = ScaleKernel(MaternKernel(nu=2.5, ard_num_dims=x.shape[1])).double()
    kernel.base_kernel.lengthscale = torch.tensor(hyper.lengthscales)
    kernel.outputscale = torch.tensor(hyper.outputscale)
    model = PairwiseGP(
        torch.tensor(x),
        torch.tensor([[one.better, one.worse] for one in told]),
        covar_module=kernel,
        jitter=1e-10,
        xtol=1e-12,
        consolidate_rtol=0.0,
        consolidate_atol=1e-12,
    )
    return model.eval()


@pytest.mark.parametrize("case", CASES)
def test_mean_and_covariance_are_those_of_botorch(case: tuple[int, int, int, int]) -> None:
    import torch

    x, told, hyper = story(*case)
    points = np.random.default_rng(9).random((6, x.shape[1]))
    model = pairwise(case)
    model.posterior(torch.tensor(points))  # finds the likeliest utilities
    there = model.posterior(torch.tensor(points))

    mean, covariance = Utility(x, fought(told, len(x)), hyper).joint(points)

    assert mean == pytest.approx(there.mean.detach().numpy()[:, 0], abs=1e-6)
    assert covariance == pytest.approx(there.distribution.covariance_matrix.detach().numpy(), abs=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_eubo_is_that_of_botorch(case: tuple[int, int, int, int]) -> None:
    import torch
    from botorch.acquisition.preference import AnalyticExpectedUtilityOfBestOption

    x, told, hyper = story(*case)
    pairs = np.random.default_rng(8).random((5, 2, x.shape[1]))
    theirs = AnalyticExpectedUtilityOfBestOption(pairwise(case))(torch.tensor(pairs)).detach().numpy()

    points = pairs.reshape(10, x.shape[1])
    ours = of_pairs(Utility(x, fought(told, len(x)), hyper), points, np.arange(0, 10, 2), np.arange(1, 10, 2))

    assert ours == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_of_the_evidence_is_that_of_its_values(case: tuple[int, int, int, int]) -> None:
    x, told, hyper = story(*case)
    density = Density(x, fought(told, len(x)))
    theta = np.r_[np.log(hyper.lengthscales), math.log(hyper.outputscale)]

    error = check_grad(lambda at: density(at)[0], lambda at: density(at)[1], theta, epsilon=1e-6)

    assert error < 1e-4


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_of_eubo_is_that_of_its_values(case: tuple[int, int, int, int]) -> None:
    x, told, hyper = story(*case)
    function = Eubo(Utility(x, fought(told, len(x)), hyper), x[0])
    at = np.random.default_rng(7).random(x.shape[1])

    value, _ = function.value_and_slope(at)

    assert value == pytest.approx(float(function.values(at[None])[0]))
    assert check_grad(lambda p: function.values(p[None])[0], lambda p: function.value_and_slope(p)[1], at) < 1e-5


def test_the_evidence_of_one_comparison_is_one_half() -> None:
    """By symmetry the probability is 1/2; Laplace's approximation is near it where differences are small."""
    x = np.array([[0.0], [1.0]])
    hyper = Hyperparameters(np.array([0.3]), 0.01, None, 0.0)

    found = Utility(x, fought((Verdict(0, 1),), 2), hyper)

    assert math.exp(found.evidence) == pytest.approx(0.5, abs=1e-3)


def test_one_comparison_of_far_points_shifts_them_as_the_closed_form_says() -> None:
    """Of two independent utilities the difference has one likeliest value: where prior and likelihood balance."""
    x = np.array([[0.0], [1e6]])
    found = Utility(x, fought((Verdict(1, 0),), 2), Hyperparameters(np.array([1.0]), 4.0, None, 0.0))
    d = float(found.known[1] - found.known[0])
    z = np.array(d / math.sqrt(2.0))

    assert d / 8.0 == pytest.approx(float(np.exp(log_density(z)) / ndtr(z)) / math.sqrt(2.0), rel=1e-9)
    assert found.known[0] == pytest.approx(-d / 2.0)


def test_a_tie_draws_utilities_together_and_moves_neither() -> None:
    x = np.array([[0.0], [0.5]])
    hyper = Hyperparameters(np.array([0.3]), 4.0, None, 0.0)
    tied = Utility(x, fought((Verdict(0, 1, tie=True),) * 3, 2), hyper)

    before = hyper.outputscale * 2.0 - 2.0 * tied.prior(x[:1], x[1:])[0, 0]
    _, sd = tied.apart(x[:1], x[1])

    assert tied.known == pytest.approx([0.0, 0.0], abs=1e-12)
    assert sd[0] ** 2 < before / 2.0


def test_the_same_point_twice_breaks_nothing() -> None:
    x = np.array([[0.2], [0.2], [0.8]])
    told = (Verdict(0, 2), Verdict(2, 1), Verdict(0, 1), Verdict(1, 0))
    found = approximated(
        np.asarray(Utility(x, fought(told, 3), Hyperparameters(np.array([0.3]), 9.0, None, 0.0)).prior(x, x)),
        fought(told, 3),
    )

    assert np.isfinite(found.precision).all()
    assert np.isfinite(found.evidence)
