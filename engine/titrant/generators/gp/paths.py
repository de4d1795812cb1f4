"""Draws of whole functions from a process, and what they say is best: Thompson sampling.

A draw is one of the prior, made of random waves, that is pulled to what is known: its values and gradients cost the
same everywhere, and no covariance of many points is needed.

Sources: W. R. Thompson, Biometrika 25 (1933); J. T. Wilson et al., "Efficiently sampling functions from Gaussian
process posteriors", ICML 2020; A. Rahimi and B. Recht, "Random features for large-scale kernel machines", NeurIPS 2007.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.posterior import Posterior

NAME = "Thompson"
_WAVES = 1024
# Degrees of freedom of the Matérn-5/2 kernel's spectrum, a multivariate t distribution.
_FREEDOM = 5
# Below every value of an objective: where a draw breaks a constraint, the less the better.
_FORBIDDEN = -1e6


class Path:
    """One draw of what a process is in truth, noise left out."""

    def __init__(self, posterior: Posterior, rng: np.random.Generator) -> None:
        hyper = posterior.hyper
        width = posterior.x.shape[1]
        waves = rng.standard_normal((_WAVES, width)) * np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM, _WAVES))[:, None]
        self._posterior = posterior
        self._waves = waves / hyper.lengthscales  # waves x w
        self._phases = rng.uniform(0.0, 2.0 * math.pi, _WAVES)
        self._heights = rng.standard_normal(_WAVES) * math.sqrt(2.0 * hyper.outputscale / _WAVES)
        measured = self._prior(posterior.x) + np.sqrt(posterior.noise) * rng.standard_normal(len(posterior.x))
        self._pull = posterior.solved(posterior.y[:, 0] - hyper.mean - measured)  # n

    def _prior(self, points: Floats) -> Floats:
        values: Floats = np.cos(points @ self._waves.T + self._phases) @ self._heights
        return values

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        hyper = self._posterior.hyper
        return np.asarray(hyper.mean + self._prior(points) + self._posterior.cross(points) @ self._pull)

    def slope(self, point: Floats) -> Floats:
        """The gradient at ``w``."""
        steep = -np.sin(self._waves @ point + self._phases) * self._heights
        return np.asarray(steep @ self._waves + self._pull @ self._posterior.cross_slope(point)[1])


class Draw:
    """What one draw of each metric says points are worth (``acquisition.Surface``).

    Attributes:
        name: What it is called.
    """

    name = NAME

    def __init__(self, model: Sequence[Posterior], target: Goal, seed: int) -> None:
        self._paths = [Path(one, np.random.default_rng([seed, place])) for place, one in enumerate(model)]
        self._target = target

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``: the objective, or how far the constraints are missed, below everything else."""
        y = np.stack([path.values(points) for path in self._paths], axis=1)  # b x m
        return self._worth(y)

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        y = np.stack([path.values(point[None]) for path in self._paths], axis=1)  # 1 x m
        slopes = np.stack([path.slope(point) for path in self._paths])  # m x w
        rows = self._target.constraints
        missed = (y @ rows.T - self._target.bounds)[0] > 0
        weights = -rows[missed].sum(0) if missed.any() else self._target.objectives[0]
        return float(self._worth(y)[0]), np.asarray(weights @ slopes)

    def _worth(self, y: Floats) -> Floats:
        return least_broken(y, self._target, y @ self._target.objectives[0])


def least_broken(y: Floats, target: Goal, value: Floats) -> Floats:
    """Values, ``...``, of what keeps the constraints; of the rest how far it misses them, below everything else.

    Args:
        y: Metrics in the target's units, ``... x m``.
        target: What is sought.
        value: What each row is worth where the constraints hold, ``...``.
    """
    over = np.maximum(y @ target.constraints.T - target.bounds, 0.0).sum(-1)
    worth: Floats = np.where(over > 0, _FORBIDDEN - over, value)
    return worth
