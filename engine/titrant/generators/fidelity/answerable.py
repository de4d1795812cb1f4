"""Conditions that could not be carried out at the target: what is learnt there leads to no answer."""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.encoding import Encoding
from titrant.generators.fidelity.level import Level
from titrant.generators.gp.climb import Sloped


class Answerable:
    """An acquisition function, and minus infinity where the same conditions break a constraint at the target.

    Attributes:
        name: What it is called.
    """

    def __init__(self, function: Sloped, whole: Encoding, level: Level) -> None:
        """Take the function, the encoding of the whole space, and where its fidelities stand."""
        self._function, self._whole, self._level = function, whole, level
        self.name = function.name

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        rows = self._whole.snap(self._whole.from_model(self._level.moved(points)))
        return np.where(self._whole.holds(rows), self._function.values(points), -np.inf)

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The function's own value at ``w``, and its gradient, ``w``: where a climb ends is looked at anew."""
        return self._function.value_and_slope(point)


def answerable(function: Sloped, whole: Encoding, level: Level) -> Sloped:
    """The function, kept to conditions that could be carried out at the target where constraints name a fidelity."""
    named = {name for constraint in whole.space.every_constraint for name in constraint.names}
    return Answerable(function, whole, level) if named.intersection(level.values) else function
