"""What a Gaussian process with given hyperparameters says of the points that are not known yet.

Source: C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning" (2006), chapter 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# Typed only where scipy-stubs is installed.
from scipy.linalg import cho_solve, solve_triangular  # type: ignore[import-untyped,unused-ignore]
from scipy.linalg.lapack import dpotrf  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.kernel import matern, squared_distances

# Shares of the outputscale added to the diagonal, one after the other, until a matrix is positive definite.
_JITTERS = (0.0, 1e-10, 1e-8, 1e-6, 1e-4)
# Variances below this share of the outputscale are rounding.
_LEAST_VARIANCE = 1e-12


class Posterior:
    """One process, conditioned on one or several sets of values at the same points.

    Attributes:
        x: Known points, ``n x w``.
        y: Their values in each of ``s`` draws, ``n x s``.
        noise: Variances of what is known, ``n``.
        hyper: The hyperparameters.
        known: Posterior means at the known points, ``n x s``.
    """

    def __init__(self, x: Floats, y: Floats, noise: Floats, hyper: Hyperparameters) -> None:
        self.x, self.y, self.noise, self.hyper = x, y, noise, hyper
        self._scaled = x / hyper.lengthscales
        kernel = hyper.outputscale * matern(squared_distances(self._scaled, self._scaled))[0]  # n x n
        self._lower = cholesky(kernel + np.diag(noise), hyper.outputscale)
        self._weights = cho_solve((self._lower, True), y - hyper.mean)  # n x s
        self.known: Floats = hyper.mean + kernel @ self._weights
        self._inverse: Floats | None = None

    def cross(self, points: Floats) -> Floats:
        """Covariances of points, ``b x w``, with the known ones: ``b x n``."""
        distances = squared_distances(points / self.hyper.lengthscales, self._scaled)
        covariances: Floats = self.hyper.outputscale * matern(distances)[0]
        return covariances

    def cross_slope(self, point: Floats) -> tuple[Floats, Floats]:
        """Covariances of one point, ``w``, with the known ones, ``n``, and their gradients, ``n x w``."""
        away = point / self.hyper.lengthscales - self._scaled  # n x w
        correlation, steepness = matern((away * away).sum(1))
        scale = self.hyper.outputscale
        return scale * correlation, (2.0 * scale) * steepness[:, None] * (away / self.hyper.lengthscales)

    def solved(self, values: Floats) -> Floats:
        """The inverse of the covariance matrix of what was measured, times values, ``n``."""
        weights: Floats = cho_solve((self._lower, True), values)
        return weights

    def at(self, points: Floats) -> tuple[Floats, Floats]:
        """Means ``b x s`` and variances ``b``, noise left out, at ``b x w``."""
        cross = self.cross(points)
        mean = self.hyper.mean + cross @ self._weights
        explained = solve_triangular(self._lower, cross.T, lower=True)  # n x b
        variance = self.hyper.outputscale - (explained * explained).sum(0)
        return mean, np.maximum(variance, _LEAST_VARIANCE * self.hyper.outputscale)

    def slope(self, point: Floats) -> tuple[Floats, float, Floats, Floats]:
        """Means ``s`` and variance at one point ``w``, and their gradients, ``s x w`` and ``w``."""
        if self._inverse is None:
            identity = np.eye(len(self.x))
            self._inverse = cho_solve((self._lower, True), identity)
        scale = self.hyper.outputscale
        cross, change = self.cross_slope(point)
        solved = self._inverse @ cross
        variance = scale - float(cross @ solved)
        mean = self.hyper.mean + cross @ self._weights
        if variance < _LEAST_VARIANCE * scale:
            # Flat there, as in ``at``.
            return mean, _LEAST_VARIANCE * scale, self._weights.T @ change, np.zeros(len(point))
        return mean, variance, self._weights.T @ change, -2.0 * (solved @ change)

    def joint(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean of the first draw, ``b``, and covariance, ``b x b``, at ``b x w``."""
        cross = self.cross(points)
        explained = solve_triangular(self._lower, cross.T, lower=True)
        scaled = points / self.hyper.lengthscales
        prior = self.hyper.outputscale * matern(squared_distances(scaled, scaled))[0]
        return self.hyper.mean + cross @ self._weights[:, 0], prior - explained.T @ explained

    def mean(self, points: Floats) -> Floats:
        """Means of the first draw, ``b``, at ``b x w``."""
        means: Floats = self.hyper.mean + self.cross(points) @ self._weights[:, 0]
        return means

    def left_out(self, groups: Sequence[npt.NDArray[np.intp]]) -> tuple[Floats, Floats]:
        """What is said of each known point, noise included, by the process without its group: ``n`` each.

        Rasmussen and Williams, equations 5.10 to 5.12, for groups: no process is conditioned anew.

        Args:
            groups: Places of the points, each in one of them.

        Returns:
            Means of the first draw, and variances of a measurement.
        """
        inverse = cho_solve((self._lower, True), np.eye(len(self.x)))
        mean, variance = np.empty(len(self.x)), np.empty(len(self.x))
        for places in groups:
            covariance = np.linalg.inv(inverse[np.ix_(places, places)])
            mean[places] = self.y[places, 0] - covariance @ self._weights[places, 0]
            variance[places] = np.diag(covariance)
        return mean, variance

    def drawn(self, pending: Floats, normal: Floats, nugget: float) -> Posterior:
        """The process given draws of its true values at the known points and at those that are under way.

        What is under way is integrated that way, and so is what noise hides of the known values.

        Args:
            pending: ``p x w``.
            normal: Standard normal numbers, ``(n + p) x s``.
            nugget: The variance that the drawn values are taken to have, so that neighbours do not contradict.
        """
        points = np.concatenate([self.x, pending])
        mean, covariance = self.joint(points)
        root = cholesky(covariance, self.hyper.outputscale)
        values = mean[:, None] + root @ normal
        return Posterior(points, values, np.full(len(points), nugget), self.hyper)


def cholesky(matrix: Floats, scale: float) -> Floats:
    """The lower factor of a covariance matrix, ``n x n``, with as little added to its diagonal as it takes.

    Args:
        matrix: The covariance matrix.
        scale: The outputscale, of which shares are added.

    Raises:
        FloatingPointError: It is not finite, or far from positive definite.
    """
    if np.isfinite(matrix).all():
        for share in _JITTERS:
            lower, failed = dpotrf(matrix + share * scale * np.eye(len(matrix)), lower=1, clean=1)
            if not failed:
                factor: Floats = lower
                return factor
    raise FloatingPointError("a covariance matrix is not positive definite")
