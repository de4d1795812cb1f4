"""What related problems say of the present one before it has any data: means, covariances, and their slopes.

For one metric, and over all the sources that have it.  Everything is per source, since how much each counts for is
learned later (``weights.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.linalg import cho_solve  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.kernel import matern, squared_distances
from titrant.generators.gp.posterior import Posterior, cholesky


class Slope(NamedTuple):
    """What a belief is at one point, ``w``, and towards ``c`` others, with gradients.

    Attributes:
        mean, rise: The mean, and its gradient, ``w``.
        cross, change: Covariances, ``c``, and their gradients, ``c x w``.
        variance, widening: The variance, and its gradient, ``w``.
    """

    mean: float
    rise: Floats
    cross: Floats
    change: Floats
    variance: float
    widening: Floats


class Belief:
    """One source's process, seen as a prior: its posterior mean and covariance."""

    def __init__(self, process: Posterior) -> None:
        self._process = process
        hyper = process.hyper
        kernel = process.cross(process.x)
        self._lower = cholesky(kernel + np.diag(process.noise), hyper.outputscale)
        self._inverse: Floats = cho_solve((self._lower, True), np.eye(len(process.x)))
        self._weights: Floats = self._inverse @ (process.y[:, 0] - hyper.mean)

    @property
    def lengthscales(self) -> Floats:
        """How fast it varies, ``w``."""
        return self._process.hyper.lengthscales

    def mean(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        return np.asarray(self._process.hyper.mean + self._process.cross(points) @ self._weights)

    def covariance(self, points: Floats, others: Floats) -> Floats:
        """``b x w`` and ``c x w`` to ``b x c``."""
        hyper = self._process.hyper
        squared = squared_distances(points / hyper.lengthscales, others / hyper.lengthscales)
        prior = hyper.outputscale * matern(squared)[0]
        return np.asarray(prior - self._process.cross(points) @ self._inverse @ self._process.cross(others).T)

    def variance(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        cross = self._process.cross(points)
        explained = ((cross @ self._inverse) * cross).sum(1)
        return np.asarray(np.maximum(self._process.hyper.outputscale - explained, 0.0))

    def solved(self, others: Floats) -> Floats:
        """What ``slope`` needs to know of points ``c x w``: ``n x c``."""
        return np.asarray(self._inverse @ self._process.cross(others).T)

    def slope(self, point: Floats, others: Floats, solved: Floats) -> Slope:
        """At one point, ``w``, and towards ``c`` others.

        Args:
            point: Where.
            others: ``c x w``.
            solved: What ``solved`` says of them.
        """
        hyper = self._process.hyper
        cross, change = self._process.cross_slope(point)  # n, n x w
        away = (point - others) / hyper.lengthscales  # c x w
        correlation, steepness = matern((away * away).sum(1))
        rise = (2.0 * hyper.outputscale) * steepness[:, None] * (away / hyper.lengthscales)
        pulled = self._inverse @ cross
        return Slope(
            mean=hyper.mean + float(cross @ self._weights),
            rise=change.T @ self._weights,
            cross=hyper.outputscale * correlation - cross @ solved,
            change=rise - solved.T @ change,
            variance=max(hyper.outputscale - float(cross @ pulled), 0.0),
            widening=-2.0 * (change.T @ pulled),
        )


def means(beliefs: Sequence[Belief], points: Floats) -> Floats:
    """Of each source: ``b x w`` to ``b x s``."""
    columns = [one.mean(points) for one in beliefs]
    return np.stack(columns, axis=1) if columns else np.zeros((len(points), 0))


def covariances(beliefs: Sequence[Belief], points: Floats) -> Floats:
    """Of each source among points: ``b x w`` to ``s x b x b``."""
    return np.stack([one.covariance(points, points) for one in beliefs])
