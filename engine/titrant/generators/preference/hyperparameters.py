"""The most probable hyperparameters of a utility, by gradients of the approximate evidence written out in numpy."""

from __future__ import annotations

import math

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp import priors
from titrant.generators.gp.evidence import WALL, by_scales, likeliest
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.kernel import matern, squared_distances
from titrant.generators.preference.duels import Duels
from titrant.generators.preference.laplace import approximated

# What length scales are about, in units of the cube, and how much very short and very long ones cost.  Comparisons say
# so little of them that this belief decides, where numbers soon overrule it.  With longer ones what is close to a loser
# seems lost as well, so that most is hoped for in the corners, farthest from everything: in three dimensions the first
# dozen challengers are corners then.
_LENGTHSCALE, _ENDS = 0.25, 1.0
# The utility's variance in units of the judge's noise: a judge sees most differences, and may be almost sure or unsure.
# Greater ones believe single answers of an unsure judge; smaller ones cost a sure judge little.
_LOG_OUTPUTSCALE, _OUTPUTSCALE_SPREAD = math.log(12.0), 1.0
_LOG_LENGTHSCALES = (math.log(1e-2), math.log(1e2))
_LOG_OUTPUTSCALES = (math.log(1e-2), math.log(1e4))
_ITERATIONS = 60


def fit(x: Floats, duels: Duels) -> Hyperparameters:
    """The hyperparameters of greatest posterior density.

    Args:
        x: Points, ``n x w``.
        duels: Comparisons between them.

    Raises:
        FloatingPointError: The evidence is not finite, whatever the hyperparameters.
    """
    width = x.shape[1]
    start = np.array([*[math.log(_LENGTHSCALE)] * width, _LOG_OUTPUTSCALE])
    bounds = [*[_LOG_LENGTHSCALES] * width, _LOG_OUTPUTSCALES]
    theta = likeliest(Density(x, duels), start, bounds, _ITERATIONS).sure("evidence of the comparisons")
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
        width: int = self._x.shape[1]
        scaled = self._x / np.exp(theta[:width])
        outputscale = np.exp(theta[width])
        correlation, steepness = matern(squared_distances(scaled, scaled))
        try:
            found = approximated(outputscale * correlation, self._duels, self._start)
        except (FloatingPointError, np.linalg.LinAlgError):
            return WALL, np.zeros_like(theta)
        self._start = found.weights
        return -found.evidence, by_scales(-found.by_kernel, scaled, outputscale, (correlation, steepness))

    def _prior(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log density of the priors without its constant, and its gradient."""
        value, gradient = priors.lengthscales(theta[:-1], _ENDS, _LENGTHSCALE)
        off = (theta[-1] - _LOG_OUTPUTSCALE) / _OUTPUTSCALE_SPREAD
        return float(value + 0.5 * off * off), np.r_[gradient, off / _OUTPUTSCALE_SPREAD]
