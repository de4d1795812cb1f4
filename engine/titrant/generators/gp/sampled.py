"""Hyperparameters drawn from their posterior density, so that suggestions do not hang on the single likeliest ones.

From few data many length scales and noises are about as likely; averaging the acquisition function over draws of them
is the fully Bayesian way (J. Snoek, H. Larochelle and R. P. Adams, "Practical Bayesian Optimization of Machine Learning
Algorithms", NeurIPS 2012). They are drawn by slice sampling (R. M. Neal, Annals of Statistics 31 (2003)), along random
lines, in coordinates in which the density is about as wide in all directions.
"""

from __future__ import annotations

import math

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.hyperparameters import Density, Hyperparameters

# Moves before the first draw is kept, and between draws.
_BURN, _BETWEEN = 16, 6
# The first interval of a move, in widths of the density, and how often it may be widened or shrunk.
_WIDTH, _WIDER, _NARROWER = 2.0, 6, 40
# Step of the finite differences from which the density's widths are taken; widths no less and no more than these.
_STEP = 1e-3
_WIDTHS = (0.05, 2.0)


def drawn(
    x: Floats, y: Floats, variance: Floats | None, likeliest: Hyperparameters, count: int, seed: int
) -> list[Hyperparameters]:
    """Draws from the posterior density of the hyperparameters.

    Args:
        x: Points, ``n x w``.
        y: Standardized outcomes, ``n``.
        variance: Known noise variances, ``n``; None where one is inferred.
        likeliest: Where the walk begins.
        count: How many draws.
        seed: Where the chance comes from.
    """
    rng = np.random.default_rng([seed, 11])
    density = Density.of(x, y, variance)
    theta = density.theta(likeliest)
    low, high = density.bounds()
    lines = _lines(density, theta)
    height = -density.value(theta)
    found: list[Hyperparameters] = []
    for move in range(_BURN + _BETWEEN * (count - 1) + 1):
        line = lines @ rng.standard_normal(len(theta))
        theta, height = _moved(density, theta, height, line, (low, high), rng)
        if move >= _BURN and (move - _BURN) % _BETWEEN == 0:
            found.append(density.hyperparameters(theta))
    return found


def _lines(density: Density, theta: Floats) -> Floats:
    """A matrix that makes directions from normal numbers: about the density's own standard deviations, ``t x t``."""
    size = len(theta)
    curvature = np.empty((size, size))
    here = density(theta)[1]
    for j in range(size):
        there = theta.copy()
        there[j] += _STEP
        curvature[j] = (density(there)[1] - here) / _STEP
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2.0)
    widths = np.clip(1.0 / np.sqrt(np.maximum(values, 1e-12)), *_WIDTHS)
    lines: Floats = vectors * widths / math.sqrt(size)
    return lines


def _moved(
    density: Density,
    theta: Floats,
    height: float,
    line: Floats,
    bounds: tuple[Floats, Floats],
    rng: np.random.Generator,
) -> tuple[Floats, float]:
    """The next place of the walk and its log density, by one move along a line."""
    level = height + math.log(1.0 - rng.random())
    low, high = bounds

    def at(distance: float) -> float:
        place = theta + distance * line
        return -density.value(place) if ((place >= low) & (place <= high)).all() else -math.inf

    left = -_WIDTH * rng.random()
    right = left + _WIDTH
    for _ in range(_WIDER):
        if at(left) <= level:
            break
        left -= _WIDTH
    for _ in range(_WIDER):
        if at(right) <= level:
            break
        right += _WIDTH
    for _ in range(_NARROWER):
        distance = left + (right - left) * rng.random()
        value = at(distance)
        if value > level:
            return theta + distance * line, value
        if distance < 0:
            left = distance
        else:
            right = distance
    return theta, height
