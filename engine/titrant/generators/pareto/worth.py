"""What a point is worth to several objectives: what it is expected to gain, times the chance that constraints hold.

Each draw of what noise hides and of what is under way has a front of its own, and so a gain of its own; the mean over
the draws is what counts, all in logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.acquisition import Combination
from titrant.generators.gp.logs import log_density, log_mean_exp, log_probability


class Gain(Protocol):
    """The logarithm of what a point is expected to gain in each draw."""

    def of_draws(self, points: Floats) -> Floats:
        """``b x w`` to ``b x s``."""

    def slope(self, point: Floats) -> tuple[Floats, Floats]:
        """At one point ``w``: values ``s``, and gradients ``s x w``."""


class Within:
    """The logarithm of the probability that a combination of metrics stays below a bound (a ``Gain``)."""

    def __init__(self, combination: Combination, bound: float) -> None:
        self._combination, self._bound = combination, bound

    def of_draws(self, points: Floats) -> Floats:
        """``b x w`` to ``b x s``."""
        mean, sd = self._combination.at(points)
        return log_probability((self._bound - mean) / sd[:, None])

    def slope(self, point: Floats) -> tuple[Floats, Floats]:
        """At one point ``w``: values ``s``, and gradients ``s x w``."""
        mean, sd, rise, widening = self._combination.slope(point)
        u = (self._bound - mean) / sd
        chance = log_probability(u)
        steepness = np.exp(log_density(u) - chance) / sd
        return chance, -steepness[:, None] * (rise + u[:, None] * widening)


class Worth:
    """The logarithm of the product of gains, averaged over the draws (as ``gp.acquisition.Acquisition``).

    Attributes:
        name: What it is called.
    """

    def __init__(self, gains: Sequence[Gain], name: str) -> None:
        self._gains = tuple(gains)
        self.name = name

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        return log_mean_exp(self.of_draws(points))

    def of_draws(self, points: Floats) -> Floats:
        """The same for each draw: ``b x w`` to ``b x s``."""
        return np.asarray(np.sum([gain.of_draws(points) for gain in self._gains], axis=0))

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        found = [gain.slope(point) for gain in self._gains]
        draws = np.sum([values for values, _ in found], axis=0)
        value = log_mean_exp(draws)
        share = np.exp(draws - value) / len(draws)
        return float(value), share @ np.sum([slopes for _, slopes in found], axis=0)
