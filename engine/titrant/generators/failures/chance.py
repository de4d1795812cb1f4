"""How likely conditions can be carried out, by several models at once: most of them say "it depends on one thing".

One model says that failures strike anywhere alike, another that they gather somewhere, and one for each column that it
alone decides.  Each counts by its evidence.  So a failure or two say little, failures that gather are kept away from,
and where failures are random the answer is the same everywhere, which moves no suggestion.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.failures.laplace import classified
from titrant.generators.gp.hyperparameters import Hyperparameters, spread_evenly
from titrant.generators.gp.posterior import Posterior

# The latent process's standard deviation: from almost never to almost always.
_OUTPUTSCALE = 9.0
# Length scales, in units of the cube's side, of the column that decides; of the others in one model for all columns.
_NEAR, _FAR = 0.4, 1e3
# Columns that have a model of their own, at most: with more, failures are hardly enough to tell them apart.
_MOST_COLUMNS = 24
# What the model without any dependence weighs before there are data, against all others together.
_ALIKE = 0.5
# Models of less weight are left out.
_LEAST_WEIGHT = 0.02
# Trials that are looked at, failures first: the time grows with their cube.
_MOST_POINTS = 150
# Chances below this are all alike: it stays possible that a model is wrong.
_LEAST_CHANCE = 1e-4


class Chance:
    """The probability of success: ``Phi(latent)`` averaged over the latent processes of several models.

    Attributes:
        alike: The share of the answer that is the same everywhere, between 0 and 1.
        best: The greatest chance at any of the points that were tried.
    """

    def __init__(self, alike: float, rate: float, parts: Sequence[tuple[float, Posterior]], tried: Floats) -> None:
        """Put models together.

        Args:
            alike: Weight of the model that the chance is the same everywhere.
            rate: The chance that it says.
            parts: Weights and latent processes of the others.
            tried: Points, ``n x w``.
        """
        self.alike = alike
        self._rate, self._parts = rate, tuple(parts)
        self.best = float(self.of(tried).max())

    def of(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        total = np.full(len(points), self.alike * self._rate)
        for weight, process in self._parts:
            mean, variance = process.at(points)
            total += weight * ndtr(mean[:, 0] / np.sqrt(1.0 + variance))
        return np.asarray(np.maximum(total, _LEAST_CHANCE))

    def slope(self, point: Floats) -> tuple[float, Floats]:
        """The chance at ``w``, and its gradient, ``w``."""
        total, change = self.alike * self._rate, np.zeros(len(point))
        for weight, process in self._parts:
            mean, variance, rise, widening = process.slope(point)
            size = np.sqrt(1.0 + variance)
            u = float(mean[0] / size)
            density = np.exp(-0.5 * u * u) / np.sqrt(2.0 * np.pi)
            total += weight * float(ndtr(u))
            change += weight * density * (rise[0] / size - 0.5 * u * widening / size**2)
        return (total, change) if total > _LEAST_CHANCE else (_LEAST_CHANCE, np.zeros(len(point)))


def learnt(succeeded: Floats, failed: Floats) -> Chance | None:
    """What trials say of the chance of success; None where none failed.

    Args:
        succeeded: Points of the trials that gave a result, ``n x w``.
        failed: Points of those that failed, ``m x w``.

    Raises:
        FloatingPointError: A covariance matrix is not positive definite.
    """
    if not len(failed):
        return None
    failed = failed[-_MOST_POINTS // 2 :]
    succeeded = succeeded[spread_evenly(np.arange(float(len(succeeded))), _MOST_POINTS - len(failed))]
    x = np.concatenate([succeeded, failed])
    labels = np.r_[np.ones(len(succeeded)), -np.ones(len(failed))]
    # One success and one failure are supposed before the first trial.
    rate = (len(succeeded) + 1.0) / (len(x) + 2.0)
    evidence = [float(np.log(ndtr(labels * ndtri(rate))).sum())]
    processes: list[Posterior] = []
    for lengthscales in _scales(x.shape[1]):
        mean = float(ndtri(rate)) * float(np.sqrt(1.0 + _OUTPUTSCALE))
        process, found = classified(x, labels, Hyperparameters(lengthscales, _OUTPUTSCALE, None, mean))
        processes.append(process)
        evidence.append(found)
    prior = np.r_[_ALIKE, np.full(len(processes), (1.0 - _ALIKE) / max(1, len(processes)))]
    weights = prior * np.exp(np.array(evidence) - max(evidence))
    weights = np.where(weights >= _LEAST_WEIGHT * weights.sum(), weights, 0.0)
    weights /= weights.sum()
    parts = [(float(weight), one) for weight, one in zip(weights[1:], processes, strict=True) if weight]
    return Chance(float(weights[0]), rate, parts, x)


def _scales(width: int) -> list[Floats]:
    """Length scales of the models, ``w`` each: all columns together, then each that alone decides."""
    together = [np.full(width, _NEAR * float(np.sqrt(max(1, width))))]
    if not 1 < width <= _MOST_COLUMNS:
        return together
    return together + [np.where(np.arange(width) == j, _NEAR, _FAR) for j in range(width)]
