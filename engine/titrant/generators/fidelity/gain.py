"""What a trial at some fidelity tells of the greatest value at the target, per unit of its cost.

The information that a measurement ``y`` at conditions and a fidelity gives on the greatest value ``f*`` at the target,
with the skewed distribution of ``y`` given ``f*`` replaced by the normal one of the same variance: a lower bound in
closed form, ``-1/2 log(1 - r^2 w)``.  Here ``r`` is the correlation of ``y`` with the value at the same conditions and
the target, ``w = v (g + v)`` with ``g`` how many standard deviations ``f*`` is above that value's mean, and ``v =
phi(g) / Phi(g)``; it is averaged over draws of ``f*``.

Sources: H. B. Moss, D. S. Leslie, J. Gonzalez and P. Rayson, "GIBBON: General-purpose Information-Based Bayesian
OptimisatioN", JMLR 22 (2021); per cost as S. Takeno et al., "Multi-fidelity Bayesian Optimization with Max-value
Entropy Search and its Parallelization", ICML 2020.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.encoding import Mask
from titrant.generators.fidelity.cost import Costs
from titrant.generators.fidelity.level import Level
from titrant.generators.gp.kernel import matern
from titrant.generators.gp.logs import log_density, log_mean_exp, log_probability
from titrant.generators.gp.posterior import Posterior

# Variances below this share of the outputscale are rounding.
_LEAST = 1e-12
# Below this ``-log(1 - t)`` is ``t`` to rounding.
_TINY = 1e-9


class Moments(msgspec.Struct, frozen=True):
    """Of a weighted sum of metrics at points and a fidelity, and at the same points and the target.

    Attributes:
        mean: At the target, ``b x s`` draws.
        there: Its variance at the target, ``b``.
        here: Its variance at the fidelity, ``b``.
        both: The covariance of the two, ``b``.
    """

    mean: Floats
    there: Floats
    here: Floats
    both: Floats


class Pair:
    """A weighted sum of metrics, each a process of its own, at two fidelities."""

    def __init__(self, posteriors: Sequence[Posterior], weights: Floats, level: Level) -> None:
        self._parts = [(one, float(weight)) for one, weight in zip(posteriors, weights, strict=True) if weight]
        self._level = level

    def at(self, points: Floats) -> Moments:
        """Moments at ``b x w``."""
        there = self._level.moved(points)
        return _sum([_moments(one, weight, points, there) for one, weight in self._parts])

    def slope(self, point: Floats) -> tuple[Moments, Moments]:
        """Moments at one point ``w``, with ``b`` 1, and their gradients: ``s x w`` and three times ``w``."""
        there = self._level.moved(point)
        held = np.ones(len(point), bool)
        held[self._level.columns] = False
        found = [_slopes(one, weight, point, there, held) for one, weight in self._parts]
        values, slopes = zip(*found, strict=True)
        return _sum(values), _sum(slopes)


def _sum(parts: Sequence[Moments]) -> Moments:
    if len(parts) == 1:
        return parts[0]
    return Moments(*(np.sum([getattr(one, field) for one in parts], axis=0) for field in Moments.__struct_fields__))


def _prior(one: Posterior, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The prior covariance of pairs of rows ``b x w``, ``b``, and its gradient by the first ones, ``b x w``."""
    scales = one.hyper.lengthscales
    away = (a - b) / scales
    correlation, steepness = matern((away * away).sum(-1))
    scale = one.hyper.outputscale
    return scale * correlation, 2.0 * scale * steepness[..., None] * (away / scales)


def _moments(one: Posterior, weight: float, here: Floats, there: Floats) -> Moments:
    least, scale = _LEAST * one.hyper.outputscale, one.hyper.outputscale
    near, far = one.cross(here), one.cross(there)  # b x n
    known = one.solved(np.concatenate([near, far]).T).T  # 2b x n
    known_near, known_far = known[: len(near)], known[len(near) :]
    square = weight * weight
    return Moments(
        mean=weight * one.at(there)[0],
        there=square * np.maximum(scale - (far * known_far).sum(1), least),
        here=square * np.maximum(scale - (near * known_near).sum(1), least),
        both=square * (_prior(one, here, there)[0] - (near * known_far).sum(1)),
    )


def _slopes(one: Posterior, weight: float, here: Floats, there: Floats, held: Mask) -> tuple[Moments, Moments]:
    least, scale = _LEAST * one.hyper.outputscale, one.hyper.outputscale
    near, near_change = one.cross_slope(here)
    far, far_change = one.cross_slope(there)
    far_change = far_change * held  # at the target the fidelity does not move
    known_near, known_far = one.solved(np.stack([near, far], axis=1)).T
    mean, _, rise, _ = one.slope(there)
    prior, turn = _prior(one, here[None], there[None])
    square = weight * weight
    values = Moments(
        mean=weight * mean[None],
        there=np.array([square * max(scale - float(far @ known_far), least)]),
        here=np.array([square * max(scale - float(near @ known_near), least)]),
        both=square * (prior - float(near @ known_far)),
    )
    slopes = Moments(
        mean=weight * rise * held,
        there=square * (-2.0 * known_far @ far_change),
        here=square * (-2.0 * known_near @ near_change),
        both=square * (turn[0] - known_far @ near_change - known_near @ far_change),
    )
    return values, slopes


class Information:
    """The logarithm of the information per cost, times the probability that the outcome constraints hold there.

    Attributes:
        name: What it is called.
    """

    name = "information on the best at the target / cost"

    def __init__(
        self,
        objective: Pair,
        greatest: Floats,
        noise: float,
        costs: Costs,
        constraints: Sequence[tuple[Pair, float]] = (),
    ) -> None:
        """Put the parts together.

        Args:
            objective: What is to be large.
            greatest: Draws of its greatest value at the target, ``s``.
            noise: Variance of a measurement of it.
            costs: What points cost.
            constraints: What must not exceed a bound at the target, and the bound.
        """
        self._objective, self._greatest, self._noise, self._costs = objective, greatest, noise, costs
        self._constraints = tuple(constraints)

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        told = self._objective.at(points)
        gap = (self._greatest - told.mean) / np.sqrt(told.there)[:, None]
        share = told.both**2 / (told.there * (told.here + self._noise))
        total = _log_information(gap, share[:, None])
        for pair, bound in self._constraints:
            one = pair.at(points)
            total = total + log_probability((bound - one.mean) / np.sqrt(one.there)[:, None])
        return log_mean_exp(total) - self._costs.logs(points)

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        told, change = self._objective.slope(point)
        there, here, both = float(told.there[0]), float(told.here[0]) + self._noise, float(told.both[0])
        sd, share = there**0.5, both * both / (there * here)
        gap = (self._greatest - told.mean[0]) / sd  # s
        total = _log_information(gap, np.array(share))
        by_gap, by_share = _slopes_of_log(gap, share)
        gap_change = -change.mean / sd - 0.5 * (gap / there)[:, None] * change.there  # s x w
        share_change = 2.0 * both * change.both / (there * here) - share * (change.there / there + change.here / here)
        slope = by_gap[:, None] * gap_change + by_share[:, None] * share_change
        for pair, bound in self._constraints:
            one, turn = pair.slope(point)
            spread = float(one.there[0])
            over = (bound - one.mean[0]) / spread**0.5
            chance = log_probability(over)
            total = total + chance
            steep = np.exp(log_density(over) - chance)
            slope = slope + steep[:, None] * (-turn.mean / spread**0.5 - 0.5 * (over / spread)[:, None] * turn.there)
        value = float(log_mean_exp(total))
        weights = np.exp(total - value) / len(total)
        cost, dearer = self._costs.log_and_slope(point)
        return value - cost, weights @ slope - dearer


def _truncated(gap: Floats) -> tuple[Floats, Floats, Floats]:
    """``log w``, ``w`` and ``g + v`` of the module's docstring."""
    ratio = np.exp(log_density(gap) - log_probability(gap))
    rest = np.maximum(gap + ratio, np.finfo(float).tiny)
    log = log_density(gap) - log_probability(gap) + np.log(rest)
    return log, np.minimum(np.exp(log), 1.0), rest


def _log_information(gap: Floats, share: Floats) -> Floats:
    """``log(-1/2 log(1 - share w))``, elementwise and broadcast."""
    log, w, _ = _truncated(gap)
    told = np.minimum(share * w, 1.0 - 1e-12)
    small = np.log(np.maximum(share, 1e-300)) + log
    return np.asarray(np.where(told < _TINY, small, np.log(np.maximum(-np.log1p(-told), 1e-300))) - np.log(2.0))


def _slopes_of_log(gap: Floats, share: float) -> tuple[Floats, Floats]:
    """The derivatives of the same by the gap and by the share, ``s`` each."""
    _, w, rest = _truncated(gap)
    told = np.minimum(share * w, 1.0 - 1e-12)
    # d log I / d log t, 1 for small t.
    steep = np.where(told < _TINY, 1.0, told / ((1.0 - told) * np.maximum(-np.log1p(-told), 1e-300)))
    return steep * ((1.0 - w) / rest - rest), steep / max(share, 1e-300)
