"""How much each source counts for, and what is different here: the most probable values, with gradients in numpy.

Everything is learned from the present data alone; the sources' own processes stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.linalg.lapack import dpotrf, dpotri  # type: ignore[import-untyped,unused-ignore]
from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.data import NOISE_FLOOR
from titrant.generators.gp.hyperparameters import Hyperparameters, spread_evenly
from titrant.generators.gp.kernel import matern, squared_distances
from titrant.generators.transfer.prior import Belief, covariances, means
from titrant.generators.transfer.process import Weighted

# A weight is taken to be near EXPECTED, shared by all sources of a metric, and may well be anything else: minus the
# logarithm of its density grows with the logarithm of its distance, as of Cauchy's, so that data against it win.
EXPECTED, _DOUBT = 0.8, 0.4
_MOST_WEIGHT, _NOTHING_COUNTS = 3.0, 0.0
# Variance that is left to a weight when the most probable one is taken.
_SLACK = 0.02
# What is different varies about as fast as the sources do, since they are the same function elsewhere: inverse of the
# variance of a length scale's logarithm, and the shortest and longest one that a source is believed.
_ALIKE = 2.0
_SHORTEST, _LONGEST = 0.1, 3.0
# Its variance: a gamma density with its mode at (_SHAPE - 1) / _RATE.  With less, the top of the past is taken for the
# top here; with more, the past would say nothing.
_SHAPE, _RATE = 3.0, 5.0
_NOISE_SHAPE, _NOISE_RATE = 1.1, 30.0
_LOG_LENGTHSCALES = (math.log(5e-3), math.log(1e3))
_LOG_OUTPUTSCALES = (math.log(1e-3), math.log(1e3))
_LOG_NOISES = (math.log(NOISE_FLOOR), math.log(10.0))
_USUAL_LENGTHSCALE, _START_OUTPUTSCALE = 0.4, 0.25
USUAL_NOISE = 1e-3
"""Variance of noise where nothing tells it yet."""
# With fewer data nothing is fitted: everything is as expected.
_LEAST_POINTS = 2
_MOST_POINTS = 200
_ITERATIONS, _PRECISION = 100, 1e-7
_WALL = 1e10


class Found(NamedTuple):
    """The most probable values.

    Attributes:
        hyper: Of what is different here.
        sources: What counts, by how much.
        gain: How much more probable the data are than without any source, in logarithms, each at the most probable
            values; 0 without data.
    """

    hyper: Hyperparameters
    sources: Weighted
    gain: float


def fit(x: Floats, y: Floats, variance: Floats | None, beliefs: Sequence[Belief]) -> Found:
    """What is different here, and the sources by their weights.

    Args:
        x: Points, ``n x w``; there may be none.
        y: Outcomes, ``n``, in units of which one is about their spread.
        variance: Known noise variances, ``n``, NaN where one is unknown; None where all are.
        beliefs: The sources.

    Raises:
        FloatingPointError: The likelihood is not finite, whatever the values.
    """
    target, share = Density(x, y, variance, beliefs), EXPECTED / max(1, len(beliefs))
    if len(x) < _LEAST_POINTS:
        return Found(*target.values(target.start(share), _DOUBT**2), 0.0)
    kept = spread_evenly(y, _MOST_POINTS)
    fitted = target if len(kept) == len(x) else Density(x[kept], y[kept], _of(variance, kept), beliefs)
    alone = _climbed(fitted, 0.0, _NOTHING_COUNTS)
    best = alone
    if beliefs:
        best = min((_climbed(fitted, start, _MOST_WEIGHT) for start in (share, 0.0)), key=lambda one: float(one.fun))
    if not np.isfinite(best.fun) or best.fun >= _WALL:
        raise FloatingPointError("the likelihood of the Gaussian process is not finite")
    # Without sources there are no weights that anything would have to be expected of.
    doubt = len(beliefs) * math.log1p((share / _DOUBT) ** 2)
    found = target.values(np.asarray(best.x, dtype=np.float64), _SLACK)
    return Found(*found, float(alone.fun - best.fun) - doubt)


def _climbed(target: Density, start: float, most: float) -> Any:
    """The most probable values near a start, with weights of at most so much."""
    options = {"maxiter": _ITERATIONS, "ftol": _PRECISION}
    return minimize(  # type: ignore[call-overload,unused-ignore]  # its stubs want literal options
        target, target.start(start), jac=True, method="L-BFGS-B", bounds=target.bounds(most), options=options
    )


def _of(variance: Floats | None, places: Any) -> Floats | None:
    return None if variance is None else variance[places]


class Density:
    """The negative logarithm of the posterior density, constants left out, and its gradient.

    A function of ``theta``: logarithms of the length scales ``w``, of the variance of what is different and, where it
    is inferred, of the noise; then the weights ``s``.
    """

    def __init__(self, x: Floats, y: Floats, variance: Floats | None, beliefs: Sequence[Belief]) -> None:
        """Take ``n x w`` points, ``n`` outcomes, ``n`` noise variances or None, and the sources."""
        self._x, self._y, self._variance = x, y, variance
        self._width, self._sources = x.shape[1], len(beliefs)
        self._beliefs = tuple(beliefs)
        self._unknown = np.ones(len(x), bool) if variance is None else np.isnan(variance)
        self._inferred = variance is None or bool(self._unknown.any())
        self._features = means(beliefs, x)  # n x s
        self._shared = covariances(beliefs, x) if beliefs else np.zeros((0, len(x), len(x)))  # s x n x n
        self._first = self._width + 1 + self._inferred  # of the weights
        told = [np.log(np.clip(belief.lengthscales, _SHORTEST, _LONGEST)) for belief in beliefs]
        usual = math.log(_USUAL_LENGTHSCALE * math.sqrt(max(1, self._width)))
        self._logs: Floats = np.mean(told, axis=0) if told else np.full(self._width, usual)

    def start(self, weight: float) -> Floats:
        """Where a search begins: every source counts for *weight*."""
        noise = [math.log(USUAL_NOISE)] if self._inferred else []
        return np.array([*self._logs, math.log(_START_OUTPUTSCALE), *noise, *[weight] * self._sources])

    def bounds(self, most: float) -> list[tuple[float, float]]:
        """The least and the greatest of each value, with weights up to *most* either way."""
        noise = [_LOG_NOISES] if self._inferred else []
        weights = [(-most, most)] * self._sources
        return [*[_LOG_LENGTHSCALES] * self._width, _LOG_OUTPUTSCALES, *noise, *weights]

    def values(self, theta: Floats, slack: float) -> tuple[Hyperparameters, Weighted]:
        """``theta`` as what it stands for, with the likeliest constant.

        Raises:
            FloatingPointError: The covariance matrix is not positive definite.
        """
        constant = 0.0
        if len(self._x):
            lower, _, _ = self._factor(theta)
            inverse = _inverse(lower)
            weights = inverse.sum(1)
            constant = float(weights @ (self._y - self._features @ theta[self._first :]) / weights.sum())
        hyper = Hyperparameters(
            lengthscales=np.exp(theta[: self._width]),
            outputscale=float(np.exp(theta[self._width])),
            noise=float(np.exp(theta[self._width + 1])) if self._inferred else None,
            mean=constant,
        )
        return hyper, Weighted(self._beliefs, np.array(theta[self._first :]), slack)

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """The value and its gradient."""
        try:
            lower, correlation, steepness = self._factor(theta)
        except FloatingPointError:
            # Not positive definite at working precision: a wall that the line search steps back from.
            return _WALL, np.zeros_like(theta)
        width, first = self._width, self._first
        inverse = _inverse(lower)
        rho = theta[first:]
        rest = self._y - self._features @ rho
        ones = inverse.sum(1)
        residual = rest - ones @ rest / ones.sum()
        alpha = inverse @ residual
        value = 0.5 * residual @ alpha + np.log(np.diag(lower)).sum()
        slope = 0.5 * (inverse - np.outer(alpha, alpha))  # dvalue / dkernel, n x n
        outputscale = np.exp(theta[width])
        spread = (-2.0 * outputscale) * slope * steepness
        scaled = self._x / np.exp(theta[:width])
        gradient = np.empty_like(theta)
        gradient[:width] = 2.0 * (spread.sum(1) @ scaled**2 - (scaled * (spread @ scaled)).sum(0))
        gradient[width] = outputscale * (slope * correlation).sum()
        if self._inferred:
            gradient[width + 1] = np.exp(theta[width + 1]) * np.diag(slope)[self._unknown].sum()
        gradient[first:] = 2.0 * rho * (self._shared * slope).sum((1, 2)) - alpha @ self._features
        more, further = self._prior(theta)
        return float(value) + more, gradient + further

    def _factor(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Lower Cholesky factor, correlations of what is different and their slopes, each ``n x n``."""
        scaled = self._x / np.exp(theta[: self._width])
        correlation, slope = matern(squared_distances(scaled, scaled))
        outputscale = np.exp(theta[self._width])
        kernel = outputscale * correlation + np.tensordot(theta[self._first :] ** 2, self._shared, 1)
        noise = np.zeros(len(self._x)) if self._variance is None else self._variance
        if self._inferred:
            noise = np.where(self._unknown, np.exp(theta[self._width + 1]), noise)
        kernel[np.diag_indices(len(kernel))] += noise
        lower, failed = dpotrf(kernel, lower=1, clean=1)
        if failed:
            raise FloatingPointError("a covariance matrix is not positive definite")
        return lower, correlation, slope

    def _prior(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log density of the priors without its constant, and its gradient."""
        width, first = self._width, self._first
        apart, outputscale, rho = theta[:width] - self._logs, np.exp(theta[width]), theta[first:]
        value = 0.5 * _ALIKE * (apart @ apart)
        value += _RATE * outputscale - (_SHAPE - 1.0) * theta[width]
        gradient = np.zeros_like(theta)
        gradient[:width] = _ALIKE * apart
        gradient[width] = _RATE * outputscale - (_SHAPE - 1.0)
        if self._inferred:
            noise = np.exp(theta[width + 1])
            value += _NOISE_RATE * noise - (_NOISE_SHAPE - 1.0) * theta[width + 1]
            gradient[width + 1] = _NOISE_RATE * noise - (_NOISE_SHAPE - 1.0)
        away = (rho - EXPECTED / max(1, self._sources)) / _DOUBT
        value += np.log1p(away**2).sum()
        gradient[first:] = 2.0 * away / (1.0 + away**2) / _DOUBT
        return float(value), gradient


def _inverse(lower: Floats) -> Floats:
    """The inverse of the matrix whose lower Cholesky factor is given, ``n x n``."""
    inverse: Floats = dpotri(lower, lower=1)[0]
    inverse += inverse.T
    inverse[np.diag_indices(len(inverse))] /= 2.0
    return inverse
