"""Acquisition functions that take it into account that a trial may fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.base import Request
from titrant.generators.encoding import Encoding
from titrant.generators.failures.chance import Chance, learnt
from titrant.generators.gp.climb import Sloped
from titrant.generators.gp.data import columns
from titrant.generators.gp.logs import log_density, log_probability

# A point is worth a trial if it succeeds about so often as the safest one; and how sharply that is told.
# The expected gain times the chance alone would go on asking for what almost certainly fails, once there is almost
# nothing to be gained elsewhere.
_ENOUGH, _SHARPNESS = 0.8, 0.1


class Weight:
    """The logarithm of what a chance of success counts for."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        chance = self._chance.of(points)
        return np.asarray(np.log(chance) + log_probability(self._over(chance)))

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        chance, change = self._chance.slope(point)
        over = self._over(np.array(chance))
        log_enough = log_probability(over)
        steep = float(np.exp(log_density(over) - log_enough)) / (_SHARPNESS * self._chance.best)
        return float(np.log(chance) + log_enough), (1.0 / chance + steep) * change

    def _over(self, chance: Floats) -> Floats:
        """How far chances are beyond what is enough."""
        return np.asarray((chance / self._chance.best - _ENOUGH) / _SHARPNESS)


class Weighed:
    """An acquisition function, a logarithm, and the weight of the chance that there is a result at all.

    Attributes:
        name: What it is called.
    """

    def __init__(self, function: Sloped, weight: Weight) -> None:
        self._function, self._weight = function, weight
        self.name = f"{function.name} x P(success)"

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        return self._function.values(points) + self._weight.values(points)

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        value, slope = self._function.value_and_slope(point)
        more, change = self._weight.value_and_slope(point)
        return value + more, slope + change


def weight_of(request: Request, encoding: Encoding) -> Weight | None:
    """What the trials of a request say of the chance that one succeeds; None where it is the same for all points.

    That is so where none failed, too; and where the numbers fail, nothing is said.

    Args:
        request: What is asked.
        encoding: The whole space.
    """
    if not request.failed:
        return None
    try:
        chance = learnt(columns(encoding, request.observed), columns(encoding, request.failed))
    except FloatingPointError:
        return None
    return None if chance is None or chance.alike == 1.0 else Weight(chance)


def weighing(request: Request, encoding: Encoding) -> Callable[[Sloped], Sloped]:
    """What puts the chance of success into an acquisition function, where it is not the same for all points.

    Args:
        request: What is asked.
        encoding: The whole space.
    """
    weight = weight_of(request, encoding)
    return lambda function: function if weight is None else Weighed(function, weight)
