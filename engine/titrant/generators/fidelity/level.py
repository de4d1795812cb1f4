"""Where fidelities stand in a model's columns, and points moved to the target."""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.encoding import Encoding, Mask
from titrant.model.fidelity import target
from titrant.model.trial import Parameterization

# Columns that differ by less are the same fidelity.
_SAME = 1e-9


class Level:
    """The fidelities of a space.

    Attributes:
        values: Their targets, by name.
        columns: Theirs among the columns of a model, ``k``.
        goal: The columns' values at the target, ``k``.
    """

    def __init__(self, whole: Encoding) -> None:
        """Take the encoding of a whole space; a fidelity that is fixed has no column and no part in this."""
        wanted = target(whole.space)
        self.values: Parameterization = {axis.name: wanted[axis.name] for axis in whole.axes if axis.name in wanted}
        places = [place for place, axis in enumerate(whole.axes) if axis.name in self.values]
        self.columns = np.array([whole.slices[place].start for place in places], dtype=np.intp)
        numbers = [(whole.axes[place], np.array([float(wanted[whole.axes[place].name])])) for place in places]
        self.goal: Floats = np.array([axis.to_model(number)[0, 0] for axis, number in numbers])

    def moved(self, x: Floats) -> Floats:
        """The same points at the target: ``b x w`` to ``b x w``, or ``w`` to ``w``."""
        there = x.copy()
        there[..., self.columns] = self.goal
        return there

    def distance(self, x: Floats) -> Floats:
        """How far points, ``n x w``, are from the target in each fidelity, in units of the cube: ``n x k``."""
        return np.abs(x[:, self.columns] - self.goal)

    def reached(self, x: Floats) -> Mask:
        """Which points, ``n x w``, are at the target: ``n``."""
        return np.asarray((self.distance(x) <= _SAME).all(1))
