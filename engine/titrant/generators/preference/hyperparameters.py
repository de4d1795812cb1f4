"""The most probable hyperparameters of a utility, by gradients of the approximate evidence written out in numpy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.kernel import matern, squared_distances
from titrant.generators.preference.duels import Duels
from titrant.generators.preference.laplace import approximated

# Priors, as terms of the negative log density of the logarithms, of the same form as where numbers are measured; a
# comparison says less than a number, so that they count more.  See ``gp.hyperparameters`` for what they mean.
_ENDS, _CENTRE = 0.2, 0.7
_TOGETHER = 3.0
# The utility's variance in units of the judge's noise: a judge sees most differences, and may be almost sure or unsure.
_LOG_OUTPUTSCALE, _OUTPUTSCALE_SPREAD = math.log(50.0), 1.0
_LOG_LENGTHSCALES = (math.log(1e-2), math.log(1e2))
_LOG_OUTPUTSCALES = (math.log(1e-2), math.log(1e4))
_START_LENGTHSCALE = 0.4
_ITERATIONS = 60
_PRECISION = 1e-7
# What stands for minus the logarithm of nothing.
_WALL = 1e10


def fit(x: Floats, duels: Duels) -> Hyperparameters:
    """The hyperparameters of greatest posterior density.

    Args:
        x: Points, ``n x w``.
        duels: Comparisons between them.

    Raises:
        FloatingPointError: The evidence is not finite, whatever the hyperparameters.
    """
    width = x.shape[1]
    density = Density(x, duels)
    start = np.array([*[math.log(_START_LENGTHSCALE * math.sqrt(max(1, width)))] * width, _LOG_OUTPUTSCALE])
    answer: Any = minimize(  # type: ignore[call-overload,unused-ignore]  # its stubs want literal options
        density,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[*[_LOG_LENGTHSCALES] * width, _LOG_OUTPUTSCALES],
        options={"maxiter": _ITERATIONS, "ftol": _PRECISION},
    )
    if not np.isfinite(answer.fun) or answer.fun >= _WALL:
        raise FloatingPointError("the evidence of the comparisons is not finite")
    theta = np.asarray(answer.x, dtype=np.float64)
    return Hyperparameters(np.exp(theta[:width]), float(np.exp(theta[width])), None, 0.0)


class Density:
    """The negative logarithm of the posterior density, constants left out, and its gradient.

    It is a function of ``theta``, ``w + 1``: the logarithms of the length scales and of the outputscale.
    """

    def __init__(self, x: Floats, duels: Duels) -> None:
        """Take ``n x w`` points and the comparisons between them."""
        self._x, self._duels = x, duels
        self._start: Floats | None = None

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """The value and its gradient."""
        value, gradient = self.likelihood(theta)
        more, further = self._prior(theta)
        return value + more, gradient + further

    def likelihood(self, theta: Floats) -> tuple[float, Floats]:
        """The negative logarithm of the evidence, and its gradient."""
        width = self._x.shape[1]
        scaled = self._x / np.exp(theta[:width])
        outputscale = np.exp(theta[width])
        correlation, steepness = matern(squared_distances(scaled, scaled))
        try:
            found = approximated(outputscale * correlation, self._duels, self._start)
        except (FloatingPointError, np.linalg.LinAlgError):
            # A wall that the line search steps back from.
            return _WALL, np.zeros_like(theta)
        self._start = found.weights
        slope = -found.by_kernel
        gradient = np.empty_like(theta)
        # d kernel / d log l_k = -2 s k'(r^2) (x_ik - x_jk)^2 / l_k^2, summed without an array of n x n x w.
        spread = (-2.0 * outputscale) * slope * steepness
        gradient[:width] = 2.0 * (spread.sum(1) @ scaled**2 - (scaled * (spread @ scaled)).sum(0))
        gradient[width] = outputscale * (slope * correlation).sum()
        return -found.evidence, gradient

    def _prior(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log density of the priors without its constant, and its gradient."""
        logs, outputscale = theta[:-1], theta[-1]
        square = np.exp(2.0 * logs) / _CENTRE**2
        apart = logs - logs.mean() if len(logs) else logs
        off = (outputscale - _LOG_OUTPUTSCALE) / _OUTPUTSCALE_SPREAD
        value = _ENDS * (square + 1.0 / square).sum() + 0.5 * _TOGETHER * (apart @ apart) + 0.5 * off * off
        gradient = np.r_[2.0 * _ENDS * (square - 1.0 / square) + _TOGETHER * apart, off / _OUTPUTSCALE_SPREAD]
        return float(value), gradient
