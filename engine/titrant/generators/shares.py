"""Uniform points of a simplex that upper bounds cut: a fixed total shared out, each share between 0 and its most.

None is thrown away, and every point is a smooth function of as many uniform coordinates, so that a quasi-random
sequence stays one. The shares are drawn one after the other, each given the ones before it (M. Rosenblatt, "Remarks on
a multivariate transformation", Annals of Mathematical Statistics 23 (1952)); their conditional distributions follow
from the volumes of boxes below a plane, which are integrated numerically: distributions are exact to about 1e-5.
"""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats

# Totals at which volumes are known, and nodes of each integral from one component to the next.
_GRID = 1025
_NODES = 48
_HALVINGS = 50


class Shares:
    """``{y: sum(y) == total, 0 <= y <= most}``, of two or more components."""

    def __init__(self, most: Floats, total: float) -> None:
        self._most = most
        # The complement of a point is one too: the smaller total has volumes that are not differences of large ones.
        self._mirrored = total > float(most.sum()) / 2
        self._total = float(most.sum()) - total if self._mirrored else total
        self._grid = np.linspace(0.0, self._total, _GRID)
        self._ratios = self._made()

    def _made(self) -> list[Floats]:
        """For the first 1, 2, … components, by total: their volume below it, as a part of that without upper bounds.

        With ``w = (1 - y/t)^k`` the recurrence over components is an integral of the ratio before, over ``w``.
        """
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        nodes, weights = (nodes + 1) / 2, weights / 2  # on [0, 1]
        ratios: list[Floats] = []
        before = np.ones(_GRID)
        for k, most in enumerate(self._most[:-1], start=1):
            with np.errstate(divide="ignore"):
                rest = np.maximum(0.0, 1.0 - most / self._grid)
            least = np.where(self._grid > 0, rest, 0.0) ** k
            w = least[:, None] + (1.0 - least)[:, None] * nodes
            inner = np.interp(self._grid[:, None] * w ** (1.0 / k), self._grid, before)
            before = (1.0 - least) * (inner @ weights)
            ratios.append(before)
        return ratios

    def points(self, u: Floats) -> Floats:
        """Points from uniform coordinates: ``n x k`` to ``n x k``; the first coordinate is not used."""
        y = np.empty_like(u)
        left = np.full(len(u), self._total)
        for k in range(u.shape[1] - 1, 0, -1):
            low = np.maximum(left - self._most[k], 0.0)
            high = np.minimum(left, float(self._most[:k].sum()))
            rest = self._rest(k, np.minimum(low, high), high, u[:, k])
            y[:, k] = np.clip(left - rest, 0.0, self._most[k])
            left = np.maximum(left - y[:, k], 0.0)
        y[:, 0] = np.minimum(left, self._most[0])
        return self._most - y if self._mirrored else y

    def _rest(self, k: int, low: Floats, high: Floats, u: Floats) -> Floats:
        """What is left for the first ``k`` components, between ``low`` and ``high``: all ``n``."""
        top = np.maximum(high, np.finfo(float).tiny)

        def volume(t: Floats) -> Floats:  # in units that keep powers from under- and overflowing
            scaled: Floats = (t / top) ** k * np.interp(t, self._grid, self._ratios[k - 1])
            return scaled

        least, most = volume(low), volume(high)
        wanted = most - u * (most - least)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = volume(middle) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2
