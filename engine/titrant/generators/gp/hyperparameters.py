"""The Gaussian process's hyperparameters: the most probable ones, by gradients written out in numpy.

The same model in gpytorch takes 0.18 s a fit at 60 points, nearly all of it overhead of single small tensors; this
takes a twentieth. Where BoTorch makes the suggestions, what is found here is put into its model (``bo/model.py``).

Sources: C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning" (2006), equations 2.30 and
5.9; terms of the priors as in Optuna's sampler (optuna.samplers.GPSampler).
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

# Typed only where scipy-stubs is installed.
from scipy.linalg import cho_solve  # type: ignore[import-untyped,unused-ignore]
from scipy.linalg.lapack import dpotrf, dpotri  # type: ignore[import-untyped,unused-ignore]
from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.data import NOISE_FLOOR
from titrant.generators.gp.kernel import matern, squared_distances

# Priors, as terms of the negative log density of the logarithms. Length scales from a third of the cube to three times
# its side cost little, by _ENDS (l^2 + 1/l^2) each; and _TOGETHER (log l - mean)^2 / 2 keeps them together, since what
# looks irrelevant in one valley matters in the next.
_ENDS = 0.1
_TOGETHER = 3.0
# A gamma density of shape 2 and mode 1.
_OUTPUTSCALE_SHAPE = 2.0
# A gamma density of shape just above 1: little noise, as long as the data do not show more.
_NOISE_SHAPE, _NOISE_RATE = 1.1, 30.0
# Length scales from far below the distance of two points to far beyond the cube.
_LOG_LENGTHSCALES = (math.log(5e-3), math.log(1e3))
_LOG_OUTPUTSCALES = (math.log(1e-3), math.log(1e3))
_LOG_NOISES = (math.log(NOISE_FLOOR), math.log(10.0))
# Where the search begins: a smooth function almost without noise.
_START_LENGTHSCALE, _START_NOISE = 0.4, 1e-3
_ITERATIONS = 100
# Relative gain below which the fit ends.
_PRECISION = 1e-7
# Of more points than this, so many spread evenly over the outcomes are taken to fit: the time grows with their cube.
_MOST_POINTS = 200
# What stands for minus the logarithm of nothing.
_WALL = 1e10


class Hyperparameters(msgspec.Struct, frozen=True):
    """Of a constant mean and a scaled Matérn-5/2 kernel with a length scale for each column.

    Attributes:
        lengthscales: ``w``, in units of the cube.
        outputscale: Variance of the process, in standardized units.
        noise: Variance of the noise where it was inferred, else None.
        mean: The constant.
    """

    lengthscales: Floats
    outputscale: float
    noise: float | None
    mean: float


def fit(x: Floats, y: Floats, variance: Floats | None) -> Hyperparameters:
    """The hyperparameters of greatest posterior density.

    Args:
        x: Points, ``n x w``.
        y: Standardized outcomes, ``n``.
        variance: Known noise variances, ``n``; None to infer one for all.

    Raises:
        FloatingPointError: The likelihood is not finite, whatever the hyperparameters.
    """
    every, places = _Posterior(x, y, variance), spread_evenly(y, _MOST_POINTS)
    target = every if len(places) == len(x) else _Posterior(x[places], y[places], _of(variance, places))
    width = x.shape[1]
    start = np.r_[np.full(width, math.log(_START_LENGTHSCALE * math.sqrt(max(1, width)))), 0.0]
    bounds = [_LOG_LENGTHSCALES] * width + [_LOG_OUTPUTSCALES]
    if variance is None:
        start = np.r_[start, math.log(_START_NOISE)]
        bounds.append(_LOG_NOISES)
    options = {"maxiter": _ITERATIONS, "ftol": _PRECISION}
    answer: Any = minimize(  # type: ignore[call-overload,unused-ignore]  # its stubs want literal options
        target, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    if not np.isfinite(answer.fun) or answer.fun >= _WALL:
        raise FloatingPointError("the likelihood of the Gaussian process is not finite")
    theta = np.asarray(answer.x, dtype=np.float64)
    return Hyperparameters(
        lengthscales=np.exp(theta[:width]),
        outputscale=float(np.exp(theta[width])),
        noise=float(np.exp(theta[-1])) if variance is None else None,
        mean=every.mean(theta),
    )


def spread_evenly(y: Floats, most: int) -> npt.NDArray[np.intp]:
    """Places of at most so many values, in ascending order of the places and spread evenly over the ranks."""
    if len(y) <= most:
        return np.arange(len(y))
    ranks = np.linspace(0.0, len(y) - 1.0, most).round().astype(np.intp)
    return np.sort(np.argsort(y, kind="stable")[ranks])


def _of(variance: Floats | None, places: npt.NDArray[np.intp]) -> Floats | None:
    return None if variance is None else variance[places]


class _Posterior:
    """The negative logarithm of the posterior density, constants left out, and its gradient."""

    def __init__(self, x: Floats, y: Floats, variance: Floats | None) -> None:
        self._x, self._y, self._variance = x, y, variance
        self._width = x.shape[1]

    def _factor(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Lower Cholesky factor, correlations and their slopes by squared distances, each ``n x n``."""
        scaled = self._x / np.exp(theta[: self._width])
        correlation, slope = matern(squared_distances(scaled, scaled))
        outputscale = np.exp(theta[self._width])
        kernel = outputscale * correlation
        noise = np.exp(theta[-1]) if self._variance is None else self._variance
        kernel[np.diag_indices(len(kernel))] = outputscale + noise
        lower, failed = dpotrf(kernel, lower=1, clean=1)
        if failed:
            raise FloatingPointError("a covariance matrix is not positive definite")
        return lower, correlation, slope

    def mean(self, theta: Floats) -> float:
        """The constant mean of greatest likelihood, given the rest (generalized least squares).

        Raises:
            FloatingPointError: The covariance matrix is not positive definite.
        """
        lower = self._factor(theta)[0]
        weights = cho_solve((lower, True), np.ones(len(self._y)))
        return float(weights @ self._y / weights.sum())

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        value, gradient = self.likelihood(theta)
        more, further = self._prior(theta)
        return value + more, gradient + further

    def likelihood(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log likelihood without its constant, at the best mean, and its gradient."""
        width = self._width
        try:
            lower, correlation, steepness = self._factor(theta)
        except FloatingPointError:
            # Not positive definite at working precision: a wall that the line search steps back from.
            return _WALL, np.zeros_like(theta)
        inverse = dpotri(lower, lower=1)[0]  # its lower triangle, and zeros
        inverse += inverse.T
        inverse[np.diag_indices(len(inverse))] /= 2.0
        weights = inverse.sum(1)
        residual = self._y - weights @ self._y / weights.sum()
        alpha = inverse @ residual
        value = 0.5 * residual @ alpha + np.log(np.diag(lower)).sum()
        slope = 0.5 * (inverse - np.outer(alpha, alpha))  # dvalue / dkernel, n x n
        outputscale = np.exp(theta[width])
        # d kernel / d log l_k = -2 s k'(r^2) (x_ik - x_jk)^2 / l_k^2
        spread = (-2.0 * outputscale) * slope * steepness
        scaled = self._x / np.exp(theta[:width])
        gradient = np.empty_like(theta)
        # The sum over pairs of spread_ij (x_ik - x_jk)^2, without an array of n x n x w.
        gradient[:width] = 2.0 * (spread.sum(1) @ scaled**2 - (scaled * (spread @ scaled)).sum(0))
        gradient[width] = outputscale * (slope * correlation).sum()
        if self._variance is None:
            gradient[-1] = np.exp(theta[-1]) * np.trace(slope)
        return float(value), gradient

    def _prior(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log density of the priors without its constant, and its gradient."""
        logs, outputscale = theta[: self._width], np.exp(theta[self._width])
        square = np.exp(2.0 * logs)
        apart = logs - logs.mean() if len(logs) else logs
        value = _ENDS * (square + 1.0 / square).sum() + 0.5 * _TOGETHER * (apart @ apart)
        value += outputscale - (_OUTPUTSCALE_SHAPE - 1.0) * theta[self._width]
        gradient = np.zeros_like(theta)
        gradient[: self._width] = 2.0 * _ENDS * (square - 1.0 / square) + _TOGETHER * apart
        gradient[self._width] = outputscale - (_OUTPUTSCALE_SHAPE - 1.0)
        if self._variance is None:
            noise = np.exp(theta[-1])
            value += _NOISE_RATE * noise - (_NOISE_SHAPE - 1.0) * theta[-1]
            gradient[-1] = _NOISE_RATE * noise - (_NOISE_SHAPE - 1.0)
        return float(value), gradient
