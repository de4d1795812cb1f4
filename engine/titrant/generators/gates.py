"""When the parameters that depend on a choice are active, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from titrant.generators.axes import Axis, Floats
from titrant.model.conditions import Conditions
from titrant.model.descriptors import text_of

Gate = tuple[tuple[int, Floats], ...]
"""Places of axes and the numbers of which each must have one: ``()`` is always open."""


def is_open(gate: Gate, z: Floats) -> npt.NDArray[np.bool_]:
    """Whether each row has the numbers that a gate wants: ``n x d`` to ``n``."""
    found = np.ones(len(z), bool)
    for place, numbers in gate:
        found &= np.isin(z[:, place], numbers)
    return found


def resting(axis: Axis) -> Floats:
    """A parameter's coordinates for the model, ``width``, where it is not active: in the middle."""
    if axis.width == 1 or axis.count is None:
        return np.full(axis.width, 0.5)
    middle: Floats = axis.to_model(axis.at(np.arange(axis.count, dtype=np.float64))).mean(0)
    return middle


def gate_of(conditions: Conditions, name: str, axes: Sequence[Axis], place: Mapping[str, int]) -> Gate:
    """What the free axes must be for a parameter to be active."""
    condition = conditions.get(name)
    if condition is None:
        return ()
    above = gate_of(conditions, condition.parent, axes, place)
    j = place.get(condition.parent)
    if j is None:  # held at a value under which it is active
        return above
    every = axes[j].at(np.arange(axes[j].count or 0, dtype=np.float64))
    numbers = [z for z in every if text_of(axes[j].value(float(z))) in condition.values]
    return (*above, (j, np.array(numbers)))
