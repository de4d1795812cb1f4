"""A second look: where next to nothing more is expected of the hill that was climbed, others get two turns of three.

One hill that was climbed first hides the others: the model's length scales are those of the hill, its values are far
above all others, and what is left to gain on it, however little, is more than anything that is expected elsewhere.  So
the hill is left out: a model of the points outside of it alone looks for the best point outside of it.  What it finds
is in the data of the next ordinary turn, and if it is better, that is the hill to be climbed from then on.

In spirit: A. V. Levy and A. Montalvo, "The tunneling algorithm for the global minimization of functions", SIAM Journal
on Scientific and Statistical Computing 6 (1985).
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from msgspec.structs import replace

# Typed only where scipy-stubs is installed.
from scipy.special import expit, log_expit  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.encoding import Mask
from titrant.generators.gp.build import build
from titrant.generators.gp.climb import Sloped
from titrant.generators.gp.data import NOISE_FLOOR, picked
from titrant.generators.gp.fitted import NUMERICAL, Fitted, fit, worths
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.kernel import matern, squared_distances
from titrant.model.objective import OptimizationConfig

# Expected improvement, in standard deviations of the outcomes, below which a hill counts as climbed.
_LITTLE = 0.03
# Of so many turns one is an ordinary one, so that the best hill is climbed to its top all the same.
_CYCLE = 3
# Points are of the hill whose correlation with its top is larger; between the two it fades out.
_CORRELATED, _BLUR = 0.3, 0.03
# With fewer points outside there is no model of them.
_LEAST_POINTS = 5
# Where the noise's variance is a larger share of that of the outcomes, the top of the hill is not known so well that
# two turns of three could be spared.
_NOISY = 3e-4


class Hill:
    """What is correlated with one point."""

    def __init__(self, top: Floats, hyper: Hyperparameters) -> None:
        """Take the top, ``w``, and the hyperparameters of the process that knows how wide hills are."""
        self._top, self._lengthscales = top, hyper.lengthscales

    def outside(self, points: Floats) -> Mask:
        """Which of ``b x w`` are not of the hill: ``b``."""
        return np.asarray(self._correlation(points) < _CORRELATED)

    def _correlation(self, points: Floats) -> Floats:
        scaled, top = points / self._lengthscales, (self._top / self._lengthscales)[None]
        return np.asarray(matern(squared_distances(scaled, top))[0][:, 0])

    def log_share(self, points: Floats) -> Floats:
        """The logarithm of how much points count that are not of the hill: ``b x w`` to ``b``."""
        return np.asarray(log_expit((_CORRELATED - self._correlation(points)) / _BLUR))

    def slope(self, point: Floats) -> Floats:
        """Its gradient at ``w``."""
        away = (point - self._top) / self._lengthscales
        correlation, steepness = matern(np.array([away @ away]))
        rise = 2.0 * float(steepness[0]) * away / self._lengthscales
        fading = float(expit((float(correlation[0]) - _CORRELATED) / _BLUR)) / _BLUR
        return np.asarray(-fading * rise)


class Outside:
    """A worth of points that counts outside of a hill only (a ``climb.Sloped``)."""

    def __init__(self, inner: Sloped, hill: Hill) -> None:
        self._inner, self._hill = inner, hill

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self._inner.name} away from the best"

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        return self._inner.values(points) + self._hill.log_share(points)

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        value, slope = self._inner.value_and_slope(point)
        return value + float(self._hill.log_share(point[None])[0]), slope + self._hill.slope(point)


class SecondLook:
    """What two turns of three look at once the best hill is climbed."""

    def __init__(self, config: OptimizationConfig, target: Goal, fitted: Fitted) -> None:
        """Take what is sought, and the model of all points: one metric, no outcome constraints."""
        self._config, self._target, self._data = config, target, fitted.data
        (posterior,) = fitted.posteriors
        self._noisy = float(np.median(posterior.noise)) > _NOISY
        self._hill = Hill(posterior.x[target.values(posterior.known[:, :1])[:, 0].argmax()], posterior.hyper)

    @cached_property
    def _fitted(self) -> Fitted | None:
        """The model of the points outside of the hill; None where they are too few."""
        places = np.flatnonzero(self._hill.outside(self._data.x))
        if len(places) < _LEAST_POINTS:
            return None
        data = picked(self._data, places)
        spread = float(data.y.std(ddof=1))
        if not spread > 0:
            return None
        # The model's priors are for standardized values; variances go with them.
        data = replace(
            data,
            y=(data.y - data.y.mean()) / spread,
            variance=tuple(None if one is None else np.maximum(one / spread**2, NOISE_FLOOR) for one in data.variance),
        )
        try:
            return fit(self._config, data, worths(data, self._target))
        except NUMERICAL:
            return None  # an ordinary turn does as well

    def __call__(self, turn: int, log_improvement: float, pending: Floats, seed: int) -> Outside | None:
        """What to maximize instead; None where this turn is an ordinary one.

        Args:
            turn: The suggestion's number in the experiment.
            log_improvement: What the ordinary turn would expect to gain, in standard deviations of the outcomes.
            pending: Points under way, ``p x w``.
            seed: Of the draws.
        """
        if self._noisy or turn % _CYCLE == 0 or log_improvement > math.log(_LITTLE) or (fitted := self._fitted) is None:
            return None
        outside = pending[self._hill.outside(pending)]
        allowed = np.ones(len(fitted.data), bool)
        return Outside(build(fitted.posteriors, self._target, allowed, outside, seed), self._hill)
