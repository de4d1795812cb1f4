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
from scipy.linalg.lapack import dpotrf, dpotri, dtrtrs  # type: ignore[import-untyped,unused-ignore]
from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.data import NOISE_FLOOR
from titrant.generators.gp.kernel import matern, squared_distances

# Priors, as terms of the negative log density of the logarithms. Length scales from a fifth of the cube's side to twice
# that cost little, by _ENDS (r^2 + 1/r^2) each, r being their ratio to _CENTRE: with longer ones, that few data
# contradict, all that is worth a trial seems to lie in the corners. And _TOGETHER (log l - mean)^2 / 2 keeps them
# together, since what looks irrelevant in one valley matters in the next.
_ENDS, _CENTRE = 0.1, 0.7
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
        variance: Known noise variances, ``n``, NaN where one is unknown; None where all are.  One noise is inferred for
            all of these.

    Raises:
        FloatingPointError: The likelihood is not finite, whatever the hyperparameters.
    """
    every, target = Density(x, y, variance), Density.of(x, y, variance)
    low, high = target.bounds()
    options = {"maxiter": _ITERATIONS, "ftol": _PRECISION}
    answer: Any = minimize(  # type: ignore[call-overload,unused-ignore]  # its stubs want literal options
        target, target.start(), jac=True, method="L-BFGS-B", bounds=list(zip(low, high, strict=True)), options=options
    )
    if not np.isfinite(answer.fun) or answer.fun >= _WALL:
        raise FloatingPointError("the likelihood of the Gaussian process is not finite")
    return every.hyperparameters(np.asarray(answer.x, dtype=np.float64))


def spread_evenly(y: Floats, most: int) -> npt.NDArray[np.intp]:
    """Places of at most so many values, in ascending order of the places and spread evenly over the ranks."""
    if len(y) <= most:
        return np.arange(len(y))
    ranks = np.linspace(0.0, len(y) - 1.0, most).round().astype(np.intp)
    return np.sort(np.argsort(y, kind="stable")[ranks])


def _of(variance: Floats | None, places: npt.NDArray[np.intp]) -> Floats | None:
    return None if variance is None else variance[places]


class Density:
    """The negative logarithm of the posterior density, constants left out, and its gradient.

    It is a function of ``theta``, ``t``: the logarithms of the length scales, of the outputscale, and of the noise
    where that is inferred.
    """

    def __init__(self, x: Floats, y: Floats, variance: Floats | None) -> None:
        """Take the data: ``n x w`` points, ``n`` outcomes, and ``n`` noise variances, NaN where unknown, or None."""
        self._x, self._y, self._variance = x, y, variance
        self._width = x.shape[1]
        self._unknown = np.ones(len(x), bool) if variance is None else np.isnan(variance)
        self._inferred = variance is None or bool(self._unknown.any())

    @classmethod
    def of(cls, x: Floats, y: Floats, variance: Floats | None) -> Density:
        """The same; of very many points it looks at some only."""
        places = spread_evenly(y, _MOST_POINTS)
        return cls(x, y, variance) if len(places) == len(x) else cls(x[places], y[places], _of(variance, places))

    def start(self) -> Floats:
        """Where the search begins."""
        scale = math.log(_START_LENGTHSCALE * math.sqrt(max(1, self._width)))
        noise = [math.log(_START_NOISE)] if self._inferred else []
        return np.array([*[scale] * self._width, 0.0, *noise])

    def bounds(self) -> tuple[Floats, Floats]:
        """The least and the greatest values, ``t`` each."""
        noise = [_LOG_NOISES] if self._inferred else []
        low, high = zip(*[_LOG_LENGTHSCALES] * self._width, _LOG_OUTPUTSCALES, *noise, strict=True)
        return np.array(low), np.array(high)

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
            return _WALL
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
        if self._inferred:
            gradient[-1] = np.exp(theta[-1]) * np.diag(slope)[self._unknown].sum()
        return float(value), gradient

    def _prior(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log density of the priors without its constant, and its gradient."""
        logs, outputscale = theta[: self._width], np.exp(theta[self._width])
        square = np.exp(2.0 * logs) / _CENTRE**2
        apart = logs - logs.mean() if len(logs) else logs
        value = _ENDS * (square + 1.0 / square).sum() + 0.5 * _TOGETHER * (apart @ apart)
        value += outputscale - (_OUTPUTSCALE_SHAPE - 1.0) * theta[self._width]
        gradient = np.zeros_like(theta)
        gradient[: self._width] = 2.0 * _ENDS * (square - 1.0 / square) + _TOGETHER * apart
        gradient[self._width] = outputscale - (_OUTPUTSCALE_SHAPE - 1.0)
        if self._inferred:
            noise = np.exp(theta[-1])
            value += _NOISE_RATE * noise - (_NOISE_SHAPE - 1.0) * theta[-1]
            gradient[-1] = _NOISE_RATE * noise - (_NOISE_SHAPE - 1.0)
        return float(value), gradient
