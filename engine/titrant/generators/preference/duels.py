"""Verdicts as arrays: who won against whom, and what a probit judge makes of a difference in utility."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from titrant.generators.axes import Floats
from titrant.generators.gp.logs import log_density, log_probability
from titrant.model.comparison import Verdict

Places = npt.NDArray[np.intp]

# A judge sees each of two utilities with noise of variance 1: that is the utility's unit.
SPREAD = math.sqrt(2.0)


class Duels(msgspec.Struct, frozen=True):
    """Comparisons between ``n`` points, each ordered pair once.

    Attributes:
        count: How many points there are, ``n``.
        winners, losers: Places of the points, ``m`` each.
        weights: How often the one was preferred, ``m``; a tie is half a preference each way.
    """

    count: int
    winners: Places
    losers: Places
    weights: Floats

    def differences(self, f: Floats) -> Floats:
        """How far winners are above losers: utilities ``n`` to ``m``."""
        return np.asarray(f[self.winners] - f[self.losers])

    def gathered(self, values: Floats) -> Floats:
        """The transpose of ``differences``: ``m`` to ``n``."""
        total = np.zeros(self.count)
        np.add.at(total, self.winners, values)
        np.add.at(total, self.losers, -values)
        return total

    def height(self, f: Floats) -> float:
        """The logarithm of the likelihood at utilities ``n``."""
        return float(self.weights @ log_probability(self.differences(f) / SPREAD))

    def slopes(self, f: Floats) -> tuple[Floats, Floats, Floats]:
        """Of the log likelihood by each difference: slope, minus the second derivative, and its slope; ``m`` each."""
        z = self.differences(f) / SPREAD
        ratio = np.exp(log_density(z) - log_probability(z))
        steep = np.maximum(ratio * (ratio + z), 0.0)
        change = -steep * (ratio + z) + ratio * (1.0 - steep)
        return self.weights * ratio / SPREAD, self.weights * steep / 2.0, self.weights * change / (2.0 * SPREAD)

    def curvature(self, each: Floats) -> Floats:
        """Minus the second derivatives by the utilities, ``n x n``, from those by the differences, ``m``."""
        found = np.zeros((self.count, self.count))
        np.add.at(found, (self.winners, self.winners), each)
        np.add.at(found, (self.losers, self.losers), each)
        np.add.at(found, (self.winners, self.losers), -each)
        np.add.at(found, (self.losers, self.winners), -each)
        return found


def duels(verdicts: Sequence[Verdict], places: dict[int, int]) -> Duels:
    """Comparisons of trials, each of which has a place among the points."""
    weights: dict[tuple[int, int], float] = {}
    for one in verdicts:
        ends = places[one.better], places[one.worse]
        for pair in (ends, ends[::-1]) if one.tie else (ends,):
            weights[pair] = weights.get(pair, 0.0) + (0.5 if one.tie else 1.0)
    pairs = sorted(weights)
    return Duels(
        count=len(places),
        winners=np.array([winner for winner, _ in pairs], dtype=np.intp),
        losers=np.array([loser for _, loser in pairs], dtype=np.intp),
        weights=np.array([weights[pair] for pair in pairs]),
    )
