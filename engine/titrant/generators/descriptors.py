"""Which descriptors of a choice's values a model sees, and on which scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Correlation from which a descriptor only repeats another one. A model with a length scale for each column bears less
# alike ones well, and chemists' tables are short: to drop more would lose what tells two solvents apart.
_ALIKE = 0.9
# Spread, relative to the magnitude, below which a descriptor is constant.
_CONSTANT = 1e-9


def telling(table: Floats) -> Floats:
    """The descriptors that say something of their own, from 0 to 1 over the values.

    Constant ones are dropped; of those whose correlation with one before them exceeds 0.9 only the first stays, but for
    one without which two values could not be told apart.

    Args:
        table: ``values x descriptors``; no two rows alike.

    Returns:
        ``values x kept``, at least one column.
    """
    low, high = table.min(0), table.max(0)
    varying = np.flatnonzero(high - low > _CONSTANT * np.maximum(np.abs(low), np.abs(high)))
    if not len(varying):  # rows differ by less than that: as they come
        varying = np.flatnonzero(high > low)
    unit = (table[:, varying] - low[varying]) / (high - low)[varying]
    standard = (unit - unit.mean(0)) / unit.std(0)
    correlation = np.abs(standard.T @ standard) / len(table)
    kept: list[int] = []
    for j in range(unit.shape[1]):
        if all(correlation[j, k] <= _ALIKE for k in kept):
            kept.append(j)
    for j in range(unit.shape[1]):
        told_apart = _distinct(unit[:, kept])
        if told_apart == len(table):
            break
        if j not in kept and _distinct(unit[:, [*kept, j]]) > told_apart:
            kept.append(j)
    return np.asarray(unit[:, sorted(kept)])


def _distinct(rows: Floats) -> int:
    return len(np.unique(np.round(rows, 9), axis=0))
