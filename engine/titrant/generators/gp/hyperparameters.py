"""The Gaussian process's hyperparameters: the most probable ones, by gradients written out in numpy.

The gradients are in ``evidence.py``, and what is believed before there are data in ``priors.py``. The same model in
gpytorch takes 0.18 s a fit at 60 points, nearly all of it overhead of single small tensors; this takes a twentieth.
Where BoTorch makes the suggestions, what is found here is put into its model (``bo/model.py``).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

# Typed only where scipy-stubs is installed.
from scipy.linalg import cho_solve  # type: ignore[import-untyped,unused-ignore]
from scipy.linalg.lapack import dtrtrs  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp import priors
from titrant.generators.gp.evidence import WALL, by_scales, evidence, factored, likeliest
from titrant.generators.gp.kernel import matern, squared_distances

# How much very short and very long length scales cost.
_ENDS = 0.1
# A gamma density of shape 2 and mode 1.
_OUTPUTSCALE_SHAPE, _OUTPUTSCALE_RATE = 2.0, 1.0
# Where the search begins: a smooth function almost without noise.
_START_NOISE = 1e-3
# Of more points than this, so many spread evenly over the outcomes are taken to fit: the time grows with their cube.
_MOST_POINTS = 200


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
        variance: Known noise variances, ``n``, NaN where one is unknown; None where all are.  One noise is inferred for
            all of these.

    Raises:
        FloatingPointError: The likelihood is not finite, whatever the hyperparameters.
    """
    every, target = Density(x, y, variance), Density.of(x, y, variance)
    return every.hyperparameters(target.most_probable())


def spread_evenly(y: Floats, most: int) -> npt.NDArray[np.intp]:
    """Places of at most so many values, in ascending order of the places and spread evenly over the ranks."""
    if len(y) <= most:
        return np.arange(len(y))
    ranks = np.linspace(0.0, len(y) - 1.0, most).round().astype(np.intp)
    return np.sort(np.argsort(y, kind="stable")[ranks])


def evenly(x: Floats, y: Floats, variance: Floats | None, most: int) -> tuple[Floats, Floats, Floats | None]:
    """Points, outcomes and noise variances, at most so many of them, spread evenly over the outcomes."""
    if len(y) <= most:
        return x, y, variance
    places = spread_evenly(y, most)
    return x[places], y[places], None if variance is None else variance[places]


class Density:
    """The negative logarithm of the posterior density, constants left out, and its gradient.

    It is a function of ``theta``, ``t``: the logarithms of the length scales, of the outputscale, and of the noise
    where that is inferred.
    """

    def __init__(self, x: Floats, y: Floats, variance: Floats | None) -> None:
        """Take the data: ``n x w`` points, ``n`` outcomes, and ``n`` noise variances, NaN where unknown, or None."""
        self._x, self._y, self._variance = x, y, variance
        self._width: int = x.shape[1]
        self._unknown = np.ones(len(x), bool) if variance is None else np.isnan(variance)
        self._inferred = variance is None or bool(self._unknown.any())

    @classmethod
    def of(cls, x: Floats, y: Floats, variance: Floats | None) -> Density:
        """The same; of very many points it looks at some only."""
        return cls(*evenly(x, y, variance, _MOST_POINTS))

    def start(self) -> Floats:
        """Where the search begins."""
        noise = [math.log(_START_NOISE)] if self._inferred else []
        return np.array([*[priors.usual(self._width)] * self._width, 0.0, *noise])

    def bounds(self) -> tuple[Floats, Floats]:
        """The least and the greatest values, ``t`` each."""
        noise = [priors.LOG_NOISES] if self._inferred else []
        low, high = zip(*[priors.LOG_LENGTHSCALES] * self._width, priors.LOG_OUTPUTSCALES, *noise, strict=True)
        return np.array(low), np.array(high)

    def most_probable(self) -> Floats:
        """Where the density is greatest.

        Raises:
            FloatingPointError: The likelihood is not finite, whatever the hyperparameters.
        """
        return likeliest(self, self.start(), list(zip(*self.bounds(), strict=True))).sure()

    def theta(self, hyper: Hyperparameters) -> Floats:
        """Hyperparameters as ``theta``."""
        noise = [] if hyper.noise is None else [math.log(hyper.noise)]
        return np.concatenate([np.log(hyper.lengthscales), [math.log(hyper.outputscale)], noise])

    def hyperparameters(self, theta: Floats) -> Hyperparameters:
        """``theta`` as hyperparameters, with the constant mean that is likeliest then.

        Raises:
            FloatingPointError: The covariance matrix is not positive definite.
        """
        return Hyperparameters(
            lengthscales=np.exp(theta[: self._width]),
            outputscale=float(np.exp(theta[self._width])),
            noise=float(np.exp(theta[-1])) if self._inferred else None,
            mean=self.mean(theta),
        )

    def value(self, theta: Floats) -> float:
        """The value alone."""
        try:
            lower = self._factor(theta)[0]
        except FloatingPointError:
            return WALL
        both = dtrtrs(lower, np.stack([self._y, np.ones(len(self._y))], axis=1), lower=1)[0]  # n x 2
        squares = both.T @ both
        fit = 0.5 * (squares[0, 0] - squares[0, 1] ** 2 / squares[1, 1])
        return float(fit + np.log(np.diag(lower)).sum()) + self._prior(theta)[0]

    def _factor(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Lower Cholesky factor, correlations and their slopes by squared distances, each ``n x n``."""
        scaled = self._x / np.exp(theta[: self._width])
        correlation, slope = matern(squared_distances(scaled, scaled))
        outputscale = np.exp(theta[self._width])
        kernel = outputscale * correlation
        noise = self._variance
        if noise is None or self._inferred:
            noise = np.where(self._unknown, np.exp(theta[-1]), 0.0 if noise is None else noise)
        kernel[np.diag_indices(len(kernel))] = outputscale + noise
        return factored(kernel), correlation, slope

    def mean(self, theta: Floats) -> float:
        """The constant mean of greatest likelihood, given the rest (generalized least squares).

        Raises:
            FloatingPointError: The covariance matrix is not positive definite.
        """
        lower = self._factor(theta)[0]
        weights = cho_solve((lower, True), np.ones(len(self._y)))
        return float(weights @ self._y / weights.sum())

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """The value and its gradient."""
        value, gradient = self.likelihood(theta)
        more, further = self._prior(theta)
        return value + more, gradient + further

    def likelihood(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log likelihood without its constant, at the best mean, and its gradient."""
        width = self._width
        try:
            lower, correlation, steepness = self._factor(theta)
        except FloatingPointError:
            return WALL, np.zeros_like(theta)
        value, _, by_kernel = evidence(lower, self._y)
        gradient = np.empty_like(theta)
        scaled, outputscale = self._x / np.exp(theta[:width]), np.exp(theta[width])
        gradient[: width + 1] = by_scales(by_kernel, scaled, outputscale, (correlation, steepness))
        if self._inferred:
            gradient[-1] = np.exp(theta[-1]) * np.diag(by_kernel)[self._unknown].sum()
        return value, gradient

    def _prior(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log density of the priors without its constant, and its gradient."""
        width = self._width
        gradient = np.zeros_like(theta)
        value, gradient[:width] = priors.lengthscales(theta[:width], _ENDS)
        more, gradient[width] = priors.gamma(theta[width], _OUTPUTSCALE_SHAPE, _OUTPUTSCALE_RATE)
        value += more
        if self._inferred:
            more, gradient[-1] = priors.noise(theta[-1])
            value += more
        return value, gradient
