"""How much each source counts for, and what is different here: the most probable values, with gradients in numpy.

Everything is learned from the present data alone; the sources' own processes stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp import priors
from titrant.generators.gp.evidence import WALL, Likeliest, by_scales, evidence, factored, inverse, likeliest
from titrant.generators.gp.hyperparameters import Hyperparameters, evenly
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
_START_OUTPUTSCALE = 0.25
USUAL_NOISE = 1e-3
"""Variance of noise where nothing tells it yet."""
# With fewer data nothing is fitted: everything is as expected.
_LEAST_POINTS = 2
_MOST_POINTS = 200


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
    fitted = target if len(x) <= _MOST_POINTS else Density(*evenly(x, y, variance, _MOST_POINTS), beliefs)
    alone = _climbed(fitted, 0.0, _NOTHING_COUNTS)
    best = alone
    if beliefs:
        best = min((_climbed(fitted, start, _MOST_WEIGHT) for start in (share, 0.0)), key=lambda one: one.value)
    theta = best.sure()
    # Without sources there are no weights that anything would have to be expected of.
    doubt = len(beliefs) * math.log1p((share / _DOUBT) ** 2)
    return Found(*target.values(theta, _SLACK), alone.value - best.value - doubt)


def _climbed(target: Density, start: float, most: float) -> Likeliest:
    """The most probable values near a start, with weights of at most so much."""
    return likeliest(target, target.start(start), target.bounds(most))


class Density:
    """The negative logarithm of the posterior density, constants left out, and its gradient.

    A function of ``theta``: logarithms of the length scales ``w``, of the variance of what is different and, where it
    is inferred, of the noise; then the weights ``s``.
    """

    def __init__(self, x: Floats, y: Floats, variance: Floats | None, beliefs: Sequence[Belief]) -> None:
        """Take ``n x w`` points, ``n`` outcomes, ``n`` noise variances or None, and the sources."""
        self._x, self._y, self._variance = x, y, variance
        self._width: int = x.shape[1]
        self._beliefs, self._sources = tuple(beliefs), len(beliefs)
        self._unknown = np.ones(len(x), bool) if variance is None else np.isnan(variance)
        self._inferred = variance is None or bool(self._unknown.any())
        self._features = means(beliefs, x)  # n x s
        self._shared = covariances(beliefs, x) if beliefs else np.zeros((0, len(x), len(x)))  # s x n x n
        self._first = self._width + 1 + self._inferred  # of the weights
        told = [np.log(np.clip(belief.lengthscales, _SHORTEST, _LONGEST)) for belief in beliefs]
        self._logs: Floats = np.mean(told, axis=0) if told else np.full(self._width, priors.usual(self._width))

    def start(self, weight: float) -> Floats:
        """Where a search begins: every source counts for *weight*."""
        noise = [math.log(USUAL_NOISE)] if self._inferred else []
        return np.array([*self._logs, math.log(_START_OUTPUTSCALE), *noise, *[weight] * self._sources])

    def bounds(self, most: float) -> list[tuple[float, float]]:
        """The least and the greatest of each value, with weights up to *most* either way."""
        noise = [priors.LOG_NOISES] if self._inferred else []
        weights = [(-most, most)] * self._sources
        return [*[priors.LOG_LENGTHSCALES] * self._width, priors.LOG_OUTPUTSCALES, *noise, *weights]

    def values(self, theta: Floats, slack: float) -> tuple[Hyperparameters, Weighted]:
        """``theta`` as what it stands for, with the likeliest constant.

        Raises:
            FloatingPointError: The covariance matrix is not positive definite.
        """
        constant = 0.0
        if len(self._x):
            lower, _, _ = self._factor(theta)
            weights = inverse(lower).sum(1)
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
            return WALL, np.zeros_like(theta)
        width, first = self._width, self._first
        rho = theta[first:]
        value, alpha, by_kernel = evidence(lower, self._y - self._features @ rho)
        gradient = np.empty_like(theta)
        scaled, outputscale = self._x / np.exp(theta[:width]), np.exp(theta[width])
        gradient[: width + 1] = by_scales(by_kernel, scaled, outputscale, (correlation, steepness))
        if self._inferred:
            gradient[width + 1] = np.exp(theta[width + 1]) * np.diag(by_kernel)[self._unknown].sum()
        gradient[first:] = 2.0 * rho * (self._shared * by_kernel).sum((1, 2)) - alpha @ self._features
        more, further = self._prior(theta)
        return value + more, gradient + further

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
        return factored(kernel), correlation, slope

    def _prior(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log density of the priors without its constant, and its gradient."""
        width, first = self._width, self._first
        apart, rho = theta[:width] - self._logs, theta[first:]
        gradient = np.zeros_like(theta)
        gradient[:width] = _ALIKE * apart
        more, gradient[width] = priors.gamma(theta[width], _SHAPE, _RATE)
        value = 0.5 * _ALIKE * (apart @ apart) + more
        if self._inferred:
            more, gradient[width + 1] = priors.noise(theta[width + 1])
            value += more
        away = (rho - EXPECTED / max(1, self._sources)) / _DOUBT
        value += np.log1p(away**2).sum()
        gradient[first:] = 2.0 * away / (1.0 + away**2) / _DOUBT
        return float(value), gradient
