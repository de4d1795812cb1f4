"""The Gaussian process's hyperparameters: the most probable ones, by gradients written out in numpy.

The same model in gpytorch takes 0.18 s a fit at 60 points, nearly all of it overhead of single small tensors; this
takes a tenth. What is found is put into a BoTorch model (``model.py``), which does everything else.

Sources: C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning" (2006), equations 2.30 and
5.9; the prior of the length scales: C. Hvarfner et al., "Vanilla Bayesian Optimization Performs Great in High
Dimensions", ICML 2024 (BoTorch's default).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.linalg import cho_solve, cholesky  # type: ignore[import-untyped,unused-ignore]
from scipy.linalg.lapack import dpotri  # type: ignore[import-untyped,unused-ignore]
from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.bo.data import NOISE_FLOOR

# Log-normal priors, as the mode of the density and the standard deviation, both of the logarithm. (The mode of a
# log-normal density lies a variance below its mean of logarithms, which is what BoTorch's are given by.)
_OUTPUTSCALE = (0.0, 1.0)
# A little less noise than BoTorch's default and broader: simulations without any are at home as instruments are.
_NOISE = (-7.0, 1.5)
_LENGTHSCALE_SPREAD = math.sqrt(3.0)
# Length scales from far below the distance of two points to far beyond the cube.
_LOG_LENGTHSCALES = (math.log(5e-3), math.log(1e3))
_LOG_OUTPUTSCALES = (math.log(1e-3), math.log(1e3))
_ITERATIONS = 100
# Starts of the search: the prior's mode, and a longer scale, which explains more as noise.
_STARTS = (1.0, 4.0)
# With more, one start: at 300 points on Hartmann6 both led to the same peak, and each takes some tenths of a second.
_FEW_POINTS = 100


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
    width = x.shape[1]
    centre = math.sqrt(2.0) + math.log(max(1, width)) / 2 - _LENGTHSCALE_SPREAD**2
    target = _Posterior(x, y, variance, centre)
    bounds = [_LOG_LENGTHSCALES] * width + [_LOG_OUTPUTSCALES]
    if variance is None:
        bounds.append((math.log(NOISE_FLOOR), math.log(10.0)))
    best = None
    for factor in _STARTS if len(x) <= _FEW_POINTS else _STARTS[:1]:
        start = np.r_[np.full(width, centre + math.log(factor)), 0.0, [_NOISE[0]] * (variance is None)]
        answer = minimize(target, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _ITERATIONS})
        if np.isfinite(answer.fun) and (best is None or answer.fun < best.fun):
            best = answer
    if best is None:
        raise FloatingPointError("the likelihood of the Gaussian process is not finite")
    theta = np.asarray(best.x, dtype=np.float64)
    return Hyperparameters(
        lengthscales=np.exp(theta[:width]),
        outputscale=float(np.exp(theta[width])),
        noise=float(np.exp(theta[-1])) if variance is None else None,
        mean=target.mean(theta),
    )


class _Posterior:
    """The negative logarithm of the posterior density, constants left out, and its gradient."""

    def __init__(self, x: Floats, y: Floats, variance: Floats | None, centre: float) -> None:
        self._x, self._y, self._variance = x, y, variance
        modes = [centre] * x.shape[1] + [_OUTPUTSCALE[0]]
        spreads = [_LENGTHSCALE_SPREAD] * x.shape[1] + [_OUTPUTSCALE[1]]
        if variance is None:
            modes.append(_NOISE[0])
            spreads.append(_NOISE[1])
        self._prior = np.array(modes), np.array(spreads)

    def _factor(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Lower Cholesky factor, ``exp(-sqrt(5) r)`` and ``sqrt(5) r``, each ``n x n``."""
        width = self._x.shape[1]
        scaled = self._x / np.exp(theta[:width])
        squares = (scaled**2).sum(1)
        distance = np.sqrt(5.0 * np.maximum(squares[:, None] + squares - 2.0 * scaled @ scaled.T, 0.0))
        decay = np.exp(-distance)
        kernel = np.exp(theta[width]) * (1.0 + distance + distance**2 / 3.0) * decay
        noise = np.exp(theta[-1]) if self._variance is None else self._variance
        kernel[np.diag_indices(len(kernel))] = np.exp(theta[width]) + noise
        return cholesky(kernel, lower=True), decay, distance

    def mean(self, theta: Floats) -> float:
        """The constant mean of greatest likelihood, given the rest (generalized least squares)."""
        lower = self._factor(theta)[0]
        weights = cho_solve((lower, True), np.ones(len(self._y)))
        return float(weights @ self._y / weights.sum())

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        width = self._x.shape[1]
        try:
            lower, decay, distance = self._factor(theta)
        except np.linalg.LinAlgError:
            # Not positive definite at working precision: a wall that the line search steps back from.
            return 1e10, np.zeros_like(theta)
        inverse = dpotri(lower, lower=1)[0]  # its lower triangle
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        weights = inverse.sum(1)
        residual = self._y - weights @ self._y / weights.sum()
        alpha = inverse @ residual
        value = 0.5 * residual @ alpha + np.log(np.diag(lower)).sum()
        slope = 0.5 * (inverse - np.outer(alpha, alpha))  # dvalue / dkernel, n x n
        outputscale = np.exp(theta[width])
        correlation = (1.0 + distance + distance**2 / 3.0) * decay
        # d kernel / d log l_k = (5/3) s (1 + sqrt(5) r) exp(-sqrt(5) r) (x_ik - x_jk)^2 / l_k^2
        spread = slope * (outputscale * 5.0 / 3.0) * (1.0 + distance) * decay
        scaled = self._x / np.exp(theta[:width])
        gradient = np.empty_like(theta)
        # The sum over pairs of spread_ij (x_ik - x_jk)^2, without an array of n x n x w.
        gradient[:width] = 2.0 * (spread.sum(1) @ scaled**2 - (scaled * (spread @ scaled)).sum(0))
        gradient[width] = outputscale * (slope * correlation).sum()
        if self._variance is None:
            gradient[-1] = np.exp(theta[-1]) * np.trace(slope)
        offset = (theta - self._prior[0]) / self._prior[1]
        return float(value + 0.5 * offset @ offset), gradient + offset / self._prior[1]
