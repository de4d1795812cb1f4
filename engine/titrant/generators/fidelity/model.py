"""The model: a Gaussian process over conditions and fidelities, and for each metric how it shifts with the fidelity.

The kernel is the Matérn-5/2 of all columns, as everywhere in ``gp``: what is known at another fidelity tells of the
target the less the farther it is from it, by a length scale that the data decide on, from everything (a long one) to
nothing (a short one).  So that model and acquisition are checked against BoTorch once, and answers and suggestions come
from one model.  Two things differ from ``gp``.  The fidelities' length scales have a prior of their own.  And outcomes
that rise or fall with the fidelity whatever the conditions (yields after fewer minutes, say) do so by a linear trend,
taken out before the process is fitted; it would pass for difference otherwise.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.fidelity.level import Level
from titrant.generators.gp import model
from titrant.generators.gp.bend import bends, bent
from titrant.generators.gp.data import Data, thinned
from titrant.generators.gp.fitted import MOST_POINTS, Fitted
from titrant.generators.gp.hyperparameters import Density, Hyperparameters
from titrant.generators.gp.posterior import Posterior
from titrant.model.objective import OptimizationConfig

NAME = "GP(Matern-5/2) over fidelities"

# A normal density of the logarithm of a fidelity's length scale, in units of its range: over the whole range
# correlations of 0.2 (half the centre) to 0.9 (twice it) are within one standard deviation.
_CENTRE, _SPREAD = math.log(1.2), 0.8
# Variance of a trend over the whole range, in standardized units, before there are data.
_TREND = 4.0


class FidelityDensity(Density):
    """The density of hyperparameters, with a prior of the fidelities' length scales of their own."""

    def __init__(self, x: Floats, y: Floats, variance: Floats | None, level: Level) -> None:
        """Take data as ``Density`` does, and where the fidelities stand."""
        super().__init__(x, y, variance)
        self._of = np.zeros(x.shape[1], bool)
        self._of[level.columns] = True

    def _prior(self, theta: Floats) -> tuple[float, Floats]:
        """The negative log density of the priors without its constant, and its gradient."""
        others = np.append(~self._of, np.ones(len(theta) - self._width, bool))
        rest = Density(self._x[:, ~self._of], self._y, self._variance)
        value, slope = rest._prior(theta[others])  # noqa: SLF001 - a Density itself
        gradient = np.zeros_like(theta)
        gradient[others] = slope
        away = (theta[: self._width][self._of] - _CENTRE) / _SPREAD
        gradient[~others] = away / _SPREAD
        return value + 0.5 * float(away @ away), gradient


def hyperparameters(x: Floats, y: Floats, variance: Floats | None, level: Level) -> Hyperparameters:
    """The hyperparameters of greatest posterior density (arguments as of ``gp.hyperparameters.fit``).

    Raises:
        FloatingPointError: The likelihood is not finite, whatever the hyperparameters.
    """
    density = FidelityDensity(x, y, variance, level)
    return density.hyperparameters(density.most_probable())


class FidelityFit(msgspec.Struct, frozen=True):
    """A model of each metric, and its trends.

    Attributes:
        fitted: The model of outcomes without their trends: as they would be at the target, but for what depends on
            the conditions.
        trends: What each standardized metric gains from the target to a fidelity's farthest end, ``k x m``.
        level: Where the fidelities stand.
    """

    fitted: Fitted
    trends: Floats
    level: Level

    def predict(self, x: Floats) -> list[dict[str, tuple[float, float]]]:
        """Mean and SEM of the mean of each metric, in its own unit, at ``b x w``."""
        fitted = self.fitted
        found = model.predict(fitted.posteriors, fitted.data, x, fitted.functions)
        gains = (self.level.distance(x) @ self.trends) * fitted.data.scale  # b x m
        return [
            {name: (mean + float(gain), sem) for (name, (mean, sem)), gain in zip(one.items(), row, strict=True)}
            for one, row in zip(found, gains, strict=True)
        ]


def fit(config: OptimizationConfig, data: Data, worth: Floats, level: Level) -> FidelityFit:
    """Fit the metrics; of very many points, to the best and some of the others.

    Args:
        config: What is sought.
        data: ``n`` points.
        worth: What each is worth, ``n``; the larger the better.
        level: Where the fidelities stand.

    Raises:
        FloatingPointError: The numbers fail.
    """
    kept = thinned(data, worth, MOST_POINTS)
    trends = np.stack([_trend(kept, j, level) for j in range(len(kept.metrics))], axis=1)  # k x m
    straight = replace(kept, y=kept.y - level.distance(kept.x) @ trends)
    functions = bends(config, straight)
    curved = bent(straight, functions)
    posteriors = []
    for j in range(len(curved.metrics)):
        hyper = hyperparameters(*curved.known(j), level)
        posteriors.append(Posterior(curved.x, *curved.filled(j, hyper.noise), hyper))
    name = NAME if kept is data else f"{NAME} of {len(kept)} of {len(data)} points"
    fitted = Fitted(straight, functions, tuple(posteriors), name, level.reached(kept.x))
    return FidelityFit(fitted, trends, level)


def _trend(data: Data, j: int, level: Level) -> Floats:
    """What metric ``j`` gains per unit of distance from the target, ``k``: generalized least squares, shrunk a little.

    Conditions that were tried at one fidelity are not those tried at another; the process tells how much of a
    difference is due to them.
    """
    x, y, variance = data.known(j)
    away = level.distance(x)
    moving = away.std(0) > 0
    trend = np.zeros(len(level.columns))
    if not moving.any():
        return trend
    hyper = hyperparameters(x, y, variance, level)
    noise = np.full(len(y), hyper.noise or 0.0)
    if variance is not None:
        noise = np.where(np.isnan(variance), noise, variance)
    process = Posterior(x, y[:, None], noise, hyper)
    design = np.column_stack([np.ones(len(y)), away[:, moving]])
    solved = process.solved(design)
    shrunk = np.diag([0.0, *np.full(int(moving.sum()), 1.0 / _TREND)])
    trend[moving] = np.linalg.solve(design.T @ solved + shrunk, solved.T @ y)[1:]
    return trend
