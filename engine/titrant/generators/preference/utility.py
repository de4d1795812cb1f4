"""What comparisons say of the utility of points: its posterior, and draws of it."""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.build import NUGGET
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.kernel import matern, squared_distances
from titrant.generators.gp.posterior import Posterior, cholesky
from titrant.generators.preference.duels import Duels
from titrant.generators.preference.laplace import approximated

LEAST_VARIANCE = 1e-12
"""Variances below this share of the outputscale are rounding."""


class Utility:
    """The utility as a Gaussian process, given comparisons.

    Its zero is arbitrary; its unit is the noise with which a judge sees one trial, so that ``a`` is preferred to ``b``
    with the probability ``Phi((f(a) - f(b)) / sqrt(2))``.

    Attributes:
        x: Points that were compared, ``n x w``.
        hyper: The hyperparameters.
        known: The means there, ``n``.
        evidence: The logarithm of the comparisons' probability.
    """

    def __init__(self, x: Floats, duels: Duels, hyper: Hyperparameters) -> None:
        """Condition on comparisons.

        Args:
            x: Points, ``n x w``.
            duels: Comparisons between them.
            hyper: The hyperparameters; the mean is zero and there is no noise.

        Raises:
            FloatingPointError: The numbers are not finite.
        """
        self.x, self.hyper = x, hyper
        kernel = self.prior(x, x)
        found = approximated(kernel, duels)
        self._weights, self._precision = found.weights, found.precision
        self.known: Floats = kernel @ self._weights
        self.evidence = found.evidence

    def prior(self, one: Floats, other: Floats) -> Floats:
        """Covariances before there are comparisons: ``a x w`` and ``b x w`` to ``a x b``."""
        scales = self.hyper.lengthscales
        covariances: Floats = self.hyper.outputscale * matern(squared_distances(one / scales, other / scales))[0]
        return covariances

    def at(self, points: Floats) -> tuple[Floats, Floats]:
        """Means and variances, ``b`` each, at ``b x w``."""
        cross = self.prior(points, self.x)
        variance = self.hyper.outputscale - (cross @ self._precision * cross).sum(1)
        return cross @ self._weights, np.maximum(variance, LEAST_VARIANCE * self.hyper.outputscale)

    def joint(self, points: Floats) -> tuple[Floats, Floats]:
        """Means ``b`` and covariances ``b x b`` at ``b x w``."""
        cross = self.prior(points, self.x)
        return cross @ self._weights, self.prior(points, points) - cross @ self._precision @ cross.T

    def apart(self, points: Floats, rival: Floats) -> tuple[Floats, Floats]:
        """By how much points, ``b x w``, are better than another, ``w``: mean and standard deviation, ``b`` each."""
        cross = self.prior(points, self.x)  # b x n
        there = self.prior(rival[None], self.x)[0]  # n
        gap = cross - there
        scale = self.hyper.outputscale
        variance = 2.0 * (scale - self.prior(points, rival[None])[:, 0]) - (gap @ self._precision * gap).sum(1)
        return gap @ self._weights, np.sqrt(np.maximum(variance, LEAST_VARIANCE * scale))

    def apart_slope(self, point: Floats, rival: Floats) -> tuple[float, float, Floats, Floats]:
        """The same at one point, ``w``: mean, standard deviation, and their gradients, ``w`` each."""
        scale, lengths = self.hyper.outputscale, self.hyper.lengthscales
        away = (point - np.concatenate([self.x, rival[None]])) / lengths  # (n + 1) x w
        correlation, steepness = matern((away * away).sum(1))
        change = (2.0 * scale) * steepness[:, None] * (away / lengths)  # (n + 1) x w
        gap = scale * correlation[:-1] - self.prior(rival[None], self.x)[0]
        explained = self._precision @ gap
        mean, rise = float(gap @ self._weights), self._weights @ change[:-1]
        variance = 2.0 * scale * (1.0 - float(correlation[-1])) - float(gap @ explained)
        least = LEAST_VARIANCE * scale
        if variance < least:
            return mean, float(np.sqrt(least)), rise, np.zeros(len(point))
        sd = float(np.sqrt(variance))
        return mean, sd, rise, -(change[-1] + explained @ change[:-1]) / sd

    def drawn(self, further: Floats, normal: Floats) -> tuple[Posterior, Floats]:
        """The process given draws of its values at the points that were compared and at others.

        Args:
            further: The others, ``p x w``.
            normal: Standard normal numbers, ``(n + p) x s``.

        Returns:
            The process, which comparisons say no more of, and the values, ``(n + p) x s``.
        """
        points = np.concatenate([self.x, further])
        mean, covariance = self.joint(points)
        values = mean[:, None] + cholesky(covariance, self.hyper.outputscale) @ normal
        nugget = np.full(len(points), NUGGET * self.hyper.outputscale)
        return Posterior(points, values, nugget, self.hyper), values
