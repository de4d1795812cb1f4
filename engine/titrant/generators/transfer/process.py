"""The process of the present problem: what related ones say, each by its weight, plus what is different here.

    f(x) = c + sum_s rho_s g_s(x) + d(x)

``g_s`` is source ``s`` as its own data leave it, ``d`` a process that starts from nothing.  With the weights given that
is the joint model of all data at once, since data of the sources say nothing of ``d`` (M. C. Kennedy and A. O'Hagan,
Biometrika 87 (2000); in this form L. Le Gratiet and J. Garnier, International Journal for Uncertainty Quantification 4
(2014)), and only the present data need be conditioned on again.  The weights stay a little uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.linalg import cho_solve, solve_triangular  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.kernel import matern, squared_distances
from titrant.generators.gp.posterior import Posterior, cholesky
from titrant.generators.transfer.prior import Belief, means

# Variances below this share of the whole are rounding.
_LEAST_VARIANCE = 1e-12
# With a variance of noise beyond this a point says nothing.
_NOTHING = 1e7


class Weighted(msgspec.Struct, frozen=True):
    """The sources of one metric, and how much each counts for.

    Attributes:
        beliefs: What each is known to be, ``s``.
        weights: ``s``.
        slack: Variance that is left to every weight.
    """

    beliefs: tuple[Belief, ...]
    weights: Floats
    slack: float

    def mean(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        return np.asarray(means(self.beliefs, points) @ self.weights)

    def covariance(self, points: Floats, others: Floats) -> Floats:
        """``b x w`` and ``c x w`` to ``b x c``."""
        total: Floats = self.slack * means(self.beliefs, points) @ means(self.beliefs, others).T
        for belief, weight in zip(self.beliefs, self.weights.tolist(), strict=True):
            total = total + weight**2 * belief.covariance(points, others)
        return total

    def variance(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        total: Floats = self.slack * (means(self.beliefs, points) ** 2).sum(1)
        for belief, weight in zip(self.beliefs, self.weights.tolist(), strict=True):
            total = total + weight**2 * belief.variance(points)
        return total


class Informed(Posterior):
    """A process with a prior that sources give, conditioned on one or several sets of values at the same points."""

    def __init__(self, x: Floats, y: Floats, noise: Floats, hyper: Hyperparameters, sources: Weighted) -> None:
        """Take ``n x w`` points, ``n x s`` values, ``n`` variances, what is different here, and the sources."""
        self.x, self.y, self.noise, self.hyper, self._sources = x, y, noise, hyper, sources
        self._scaled = x / hyper.lengthscales
        self._features = means(sources.beliefs, x)  # n x s
        self._solved = [belief.solved(x) for belief in sources.beliefs]
        kernel = self._prior(x, x)
        self._size = hyper.outputscale + float(np.diag(kernel).max(initial=0.0))
        self._lower = cholesky(kernel + np.diag(noise), self._size)
        self._start = hyper.mean + sources.mean(x)  # n
        self._weights = cho_solve((self._lower, True), y - self._start[:, None])  # n x s
        self.known = self._start[:, None] + kernel @ self._weights
        self._inverse: Floats | None = None

    def _prior(self, points: Floats, others: Floats) -> Floats:
        """Covariances before anything is known here: ``b x w`` and ``c x w`` to ``b x c``."""
        lengths = self.hyper.lengthscales
        own = self.hyper.outputscale * matern(squared_distances(points / lengths, others / lengths))[0]
        return np.asarray(own + self._sources.covariance(points, others))

    def cross(self, points: Floats) -> Floats:
        """Covariances of points, ``b x w``, with the known ones: ``b x n``."""
        return self._prior(points, self.x)

    def _means(self, points: Floats) -> Floats:
        return np.asarray(self.hyper.mean + self._sources.mean(points))

    def at(self, points: Floats) -> tuple[Floats, Floats]:
        """Means ``b x s`` and variances ``b``, noise left out, at ``b x w``."""
        cross = self.cross(points)
        explained = solve_triangular(self._lower, cross.T, lower=True)  # n x b
        variance = self.hyper.outputscale + self._sources.variance(points) - (explained * explained).sum(0)
        mean = self._means(points)[:, None] + cross @ self._weights
        return mean, np.maximum(variance, _LEAST_VARIANCE * self._size)

    def slope(self, point: Floats) -> tuple[Floats, float, Floats, Floats]:
        """Means ``s`` and variance at one point ``w``, and their gradients, ``s x w`` and ``w``."""
        if self._inverse is None:
            self._inverse = cho_solve((self._lower, True), np.eye(len(self.x)))
        cross, change = Posterior.cross_slope(self, point)  # of what is different here
        mean, rise = self.hyper.mean, np.zeros(len(point))
        prior, widening = self.hyper.outputscale, np.zeros(len(point))
        sources = self._sources
        for s, (belief, weight) in enumerate(zip(sources.beliefs, sources.weights.tolist(), strict=True)):
            part = belief.slope(point, self.x, self._solved[s])
            mean, rise = mean + weight * part.mean, rise + weight * part.rise
            square, slack, feature = weight**2, sources.slack, self._features[:, s]
            cross = cross + square * part.cross + slack * part.mean * feature
            change = change + square * part.change + slack * feature[:, None] * part.rise
            prior += square * part.variance + slack * part.mean**2
            widening = widening + square * part.widening + 2.0 * slack * part.mean * part.rise
        solved = self._inverse @ cross
        variance = float(prior - cross @ solved)
        means_here = mean + cross @ self._weights
        slopes = rise + self._weights.T @ change
        if variance < _LEAST_VARIANCE * self._size:
            return means_here, _LEAST_VARIANCE * self._size, slopes, np.zeros(len(point))
        return means_here, variance, slopes, widening - 2.0 * (solved @ change)

    def joint(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean of the first draw, ``b``, and covariance, ``b x b``, at ``b x w``."""
        cross = self.cross(points)
        explained = solve_triangular(self._lower, cross.T, lower=True)
        covariance = self._prior(points, points) - explained.T @ explained
        return self._means(points) + cross @ self._weights[:, 0], covariance

    def mean(self, points: Floats) -> Floats:
        """Means of the first draw, ``b``, at ``b x w``."""
        return np.asarray(self._means(points) + self.cross(points) @ self._weights[:, 0])

    def drawn(self, pending: Floats, normal: Floats, nugget: float) -> Posterior:
        """As of any process; points that say nothing are not drawn where nothing is under way."""
        if not len(pending) and not (self.noise < _NOTHING).any():
            return Informed(self.x, np.repeat(self.y[:, :1], normal.shape[1], 1), self.noise, self.hyper, self._sources)
        points = np.concatenate([self.x, pending])
        mean, covariance = self.joint(points)
        values = mean[:, None] + cholesky(covariance, self._size) @ normal
        return Informed(points, values, np.full(len(points), nugget), self.hyper, self._sources)


def without(sources: Sequence[Belief]) -> Weighted:
    """Sources that count for nothing."""
    return Weighted(tuple(sources), np.zeros(len(sources)), 0.0)
