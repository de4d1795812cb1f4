"""EUBO: the expected utility of the best option, of a new point and those that it may be compared with.

Its logarithm is taken of what it gains over the others, which has the same maximum and goes on where the gain vanishes.
"""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.acquisition import Acquisition, Combination
from titrant.generators.gp.build import normals
from titrant.generators.gp.climb import Sloped
from titrant.generators.gp.logs import log_density, log_improvement, log_probability
from titrant.generators.preference.duels import Places
from titrant.generators.preference.utility import LEAST_VARIANCE, Utility

# Draws of the utilities of several options; a gain over the best of each draw is exact.
_DRAWS = 64


class Eubo:
    """The expected utility of the better of a point and one rival, over the rival's own.

    ``E[max(f(x), f(r))] - E[f(r)] = s h(d / s)`` with ``d`` and ``s`` the mean and standard deviation of
    ``f(x) - f(r)``, and ``h(u) = phi(u) + u Phi(u)``.

    Attributes:
        name: What it is called.
    """

    name = "LogEUBO"

    def __init__(self, utility: Utility, rival: Floats) -> None:
        """Take the utility, and the rival's coordinates, ``w``."""
        self._utility, self._rival = utility, rival

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        mean, sd = self._utility.apart(points, self._rival)
        return np.asarray(log_improvement(mean / sd) + np.log(sd))

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        mean, sd, rise, widening = self._utility.apart_slope(point, self._rival)
        u = np.array([mean / sd])
        gain = log_improvement(u)
        by_mean = float(np.exp(log_probability(u) - gain)[0]) / sd
        by_sd = float(np.exp(log_density(u) - gain)[0]) / sd
        return float(gain[0]) + float(np.log(sd)), by_mean * rise + by_sd * widening


def eubo(utility: Utility, rival: Floats, others: Floats, seed: int) -> Sloped:
    """What a new point is worth.

    Args:
        utility: What is known.
        rival: The incumbent, ``w``.
        others: Further options that no comparison says anything of, ``p x w``: under way, or finished and not compared.
        seed: Of the draws, where there are others.

    Returns:
        EUBO in closed form; with others the expected utility of the best of all, averaged over draws of theirs.
    """
    if not len(others):
        return Eubo(utility, rival)
    further = np.concatenate([rival[None], others])
    process, values = utility.drawn(further, normals(len(utility.x) + len(further), seed, _DRAWS))
    best = values[len(utility.x) :].max(0)
    return Acquisition((Combination([process], np.ones(1)), best), (), "LogqEUBO")


def of_pairs(utility: Utility, points: Floats, one: Places, other: Places) -> Floats:
    """EUBO itself, in the utility's unit.

    Args:
        utility: What is known.
        points: ``n x w``.
        one: Places of the first of each pair, ``b``.
        other: And of the second.

    Returns:
        The expected utility of the better one of each pair, ``b``.
    """
    mean, covariance = utility.joint(points)
    apart = covariance[one, one] + covariance[other, other] - 2.0 * covariance[one, other]
    sd = np.sqrt(np.maximum(apart, LEAST_VARIANCE * utility.hyper.outputscale))
    return np.asarray(mean[other] + sd * np.exp(log_improvement((mean[one] - mean[other]) / sd)))
