"""What is believed of hyperparameters before there are data: limits, and terms of minus the logarithms of densities.

All are densities of logarithms.  Terms of the priors as in Optuna's sampler (optuna.samplers.GPSampler).
"""

from __future__ import annotations

import math

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.data import NOISE_FLOOR

LOG_LENGTHSCALES = (math.log(5e-3), math.log(1e3))
"""From far below the distance of two points to far beyond the cube."""
LOG_OUTPUTSCALES = (math.log(1e-3), math.log(1e3))
LOG_NOISES = (math.log(NOISE_FLOOR), math.log(10.0))

# What length scales are about, in units of the cube: those of which the longest and the shortest cost the same.
_CENTRE = 0.7
# How much it costs that they differ.
_TOGETHER = 3.0
_USUAL_LENGTHSCALE = 0.4
# A gamma density of shape just above 1: little noise, as long as the data do not show more.
_NOISE_SHAPE, _NOISE_RATE = 1.1, 30.0


def usual(width: int) -> float:
    """The logarithm of a smooth function's length scale in so many columns: where searches begin."""
    return math.log(_USUAL_LENGTHSCALE * math.sqrt(max(1, width)))


def lengthscales(logs: Floats, ends: float, centre: float = _CENTRE) -> tuple[float, Floats]:
    """The term of length scales, and its gradient, ``w``.

    Those from a fifth of the cube's side to twice that cost little, by ``ends (r^2 + 1/r^2)`` each, ``r`` being their
    ratio to what they are about: with longer ones, that few data contradict, all that is worth a trial seems to lie in
    the corners.  And ``(log l - mean)^2`` keeps them together, since what looks irrelevant in one valley matters in the
    next.

    Args:
        logs: Their logarithms, ``w``.
        ends: How much the ends cost.
        centre: What they are about; other models expect shorter ones.
    """
    square = np.exp(2.0 * logs) / centre**2
    apart = logs - logs.mean() if len(logs) else logs
    value = ends * (square + 1.0 / square).sum() + 0.5 * _TOGETHER * (apart @ apart)
    return float(value), 2.0 * ends * (square - 1.0 / square) + _TOGETHER * apart


def gamma(log: float, shape: float, rate: float) -> tuple[float, float]:
    """The term of what has a gamma density, and its slope, by the logarithm of it."""
    value = np.exp(log)
    return float(rate * value - (shape - 1.0) * log), float(rate * value - (shape - 1.0))


def noise(log: float) -> tuple[float, float]:
    """The term of a variance of noise, and its slope, by its logarithm."""
    return gamma(log, _NOISE_SHAPE, _NOISE_RATE)
