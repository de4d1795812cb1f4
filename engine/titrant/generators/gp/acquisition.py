"""What a point is worth: the expected improvement, in logarithms, times the probability that the constraints hold.

With draws of what is under way and of what noise hides this is noisy expected improvement, each draw's improvement
being exact (B. Letham et al., "Constrained Bayesian Optimization with Noisy Experiments", Bayesian Analysis 14 (2019)).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.climb import Sloped
from titrant.generators.gp.logs import log_density, log_improvement, log_mean_exp, log_probability
from titrant.generators.gp.posterior import Posterior

# Where a combination of metrics has no variance left.
_LEAST_SD = 1e-10


class Combination:
    """A weighted sum of metrics, each a process of its own.

    Attributes:
        known: Its means at the known points, ``n x s``.
    """

    def __init__(self, posteriors: Sequence[Posterior], weights: Floats) -> None:
        self._parts = [(one, float(weight)) for one, weight in zip(posteriors, weights, strict=True) if weight]
        self.known: Floats = np.sum([weight * one.known for one, weight in self._parts], axis=0)

    def at(self, points: Floats) -> tuple[Floats, Floats]:
        """Means ``b x s`` and standard deviations ``b`` at ``b x w``."""
        (first, weight), *others = self._parts
        mean, variance = first.at(points)
        mean, variance = weight * mean, weight**2 * variance
        for one, weight in others:
            more, spread = one.at(points)
            mean += weight * more
            variance += weight**2 * spread
        return mean, np.maximum(np.sqrt(variance), _LEAST_SD)

    def slope(self, point: Floats) -> tuple[Floats, float, Floats, Floats]:
        """Means ``s``, standard deviation, and their gradients ``s x w`` and ``w`` at one point ``w``."""
        parts = [(weight, one.slope(point)) for one, weight in self._parts]
        mean = np.sum([weight * part[0] for weight, part in parts], axis=0)
        rise = np.sum([weight * part[2] for weight, part in parts], axis=0)
        variance = sum(weight**2 * part[1] for weight, part in parts)
        change = np.sum([weight**2 * part[3] for weight, part in parts], axis=0)
        sd = max(float(np.sqrt(variance)), _LEAST_SD)
        return mean, sd, rise, change / (2.0 * sd)


def log_gain(mean: Floats, sd: Floats, best: Floats) -> Floats:
    """The logarithm of the expected improvement over ``best``, ``s``: ``b x s`` means and ``b`` to ``b x s``."""
    return log_improvement((mean - best) / sd[:, None]) + np.log(sd)[:, None]


class Acquisition:
    """The logarithm of the worth of points, averaged over the draws, and its gradient.

    Attributes:
        name: What it is called.
    """

    def __init__(
        self,
        objective: tuple[Combination, Floats] | None,
        constraints: Sequence[tuple[Combination, float]],
        name: str,
    ) -> None:
        """Put the parts together.

        Args:
            objective: What is to be large, and the value to be improved on in each draw, ``s``; None where only the
                constraints count.
            constraints: What must not exceed a bound, and the bound.
            name: What it is called.
        """
        self._objective, self._constraints = objective, tuple(constraints)
        self.name = name

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        return log_mean_exp(self.of_draws(points))

    def of_draws(self, points: Floats, gain: Callable[[Floats, Floats, Floats], Floats] = log_gain) -> Floats:
        """The same for each draw: ``b x w`` to ``b x s``.

        Args:
            points: Where.
            gain: The logarithm of what an objective is expected to gain; see ``log_gain``.
        """
        total: Floats | float = 0.0
        if self._objective is not None:
            combination, best = self._objective
            mean, sd = combination.at(points)
            total = gain(mean, sd, best)
        for combination, bound in self._constraints:
            mean, spread = combination.at(points)
            total = total + log_probability((bound - mean) / spread[:, None])
        return np.asarray(total)

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        total: Floats | float = 0.0
        change: Floats | float = 0.0  # s x w
        if self._objective is not None:
            combination, best = self._objective
            mean, sd, rise, widening = combination.slope(point)
            u = (mean - best) / sd
            improvement = log_improvement(u)
            total = improvement + np.log(sd)
            # d log h / du = Phi / h, and sd h(u) changes by Phi dmean + phi dsd.
            by_mean = np.exp(log_probability(u) - improvement) / sd
            by_sd = np.exp(log_density(u) - improvement) / sd
            change = by_mean[:, None] * rise + by_sd[:, None] * widening
        for combination, bound in self._constraints:
            mean, sd, rise, widening = combination.slope(point)
            u = (bound - mean) / sd
            chance = log_probability(u)
            total = total + chance
            steepness = np.exp(log_density(u) - chance) / sd
            change = change - steepness[:, None] * (rise + u[:, None] * widening)
        draws = np.asarray(total)
        value = log_mean_exp(draws)
        share = np.exp(draws - value) / len(draws)
        return float(value), share @ np.asarray(change)


class Averaged:
    """The logarithm of the worth of points, averaged over several models.

    Attributes:
        name: What it is called.
    """

    def __init__(self, parts: Sequence[Sloped]) -> None:
        self._parts = tuple(parts)
        self.name = self._parts[0].name

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        return log_mean_exp(np.stack([part.values(points) for part in self._parts], axis=1))

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        pairs = [part.value_and_slope(point) for part in self._parts]
        each = np.array([value for value, _ in pairs])
        value = float(log_mean_exp(each))
        share = np.exp(each - value) / len(each)
        return value, np.asarray(share @ np.stack([slope for _, slope in pairs]))
