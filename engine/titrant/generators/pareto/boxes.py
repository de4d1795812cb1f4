"""Pareto fronts, and what lies beyond them, in boxes.  All objectives are to be large.

Sources: R. Lacour, K. Klamroth and C. Fonseca, "A box decomposition algorithm to compute the hypervolume indicator",
Computers & Operations Research 79 (2017) (local upper bounds, and boxes from them); S. Daulton, M. Balandat and
E. Bakshy, "Differentiable Expected Hypervolume Improvement", NeurIPS 2020 (what is not dominated, as a dual problem).
"""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.encoding import Mask


def undominated(values: Floats) -> Mask:
    """Which rows of ``n x k`` no other row beats in one objective without losing in another; ``n`` booleans."""
    at_least = (values[:, None] >= values).all(2)  # by row, of column
    return np.asarray(~(at_least & ~at_least.T).any(0))


def front_above(values: Floats, reference: Floats) -> Floats:
    """The rows of ``n x k`` that are above a reference point in every objective and undominated, each once."""
    inside = np.unique(values[(values > reference).all(1)], axis=0)
    return inside[undominated(inside)]


def beyond(front: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """What a front does not dominate above a reference point, in boxes that do not overlap.

    Args:
        front: ``p x k``, as of ``front_above``.
        reference: ``k``.

    Returns:
        Lower and upper corners, ``c x k`` each; upper ones may be infinite.
    """
    corners = _bounds(-front, -reference)[0]
    # A point is not dominated if it is above minus one of these, as in the mirror a point is dominated.
    return _boxes(*_bounds(-corners, np.full(len(reference), np.inf)), np.full(len(reference), np.inf))


def hypervolume(values: Floats, reference: Floats) -> float:
    """The volume between a reference point ``k`` and what of ``n x k`` is above it."""
    front = front_above(values, reference)
    if not len(front):
        return 0.0
    low, high = _boxes(*_bounds(-front, -reference), -reference)
    return float((high - low).prod(1).sum())


# The rest is of small objectives, as in the papers.


def _bounds(points: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """The local upper bounds of points ``p x k``, and the points that define each: ``u x k`` and ``u x k x k``.

    No point is below a bound, and what is below no bound (or above the reference) is dominated.
    """
    k = len(reference)
    bounds = reference[None].copy()
    defining = np.full((1, k, k), -np.inf)
    defining[0, np.arange(k), np.arange(k)] = reference
    for point in points:
        hit = (point < bounds).all(1)
        old, old_defining = bounds[hit], defining[hit]
        parts, parts_defining = [bounds[~hit]], [defining[~hit]]
        for j in range(k):
            others = np.delete(old_defining[:, :, j], j, axis=1).max(1, initial=-np.inf)
            kept = point[j] >= others
            new, new_defining = old[kept], old_defining[kept]
            new[:, j] = point[j]
            new_defining[:, j] = point
            parts.append(new)
            parts_defining.append(new_defining)
        bounds, defining = np.concatenate(parts), np.concatenate(parts_defining)
    return bounds, defining


def _boxes(bounds: Floats, defining: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """What is dominated below a reference point, in boxes: lower and upper corners, ``c x k`` each."""
    low, high = np.empty_like(bounds), bounds.copy()
    low[:, 0], high[:, 0] = defining[:, 0, 0], reference[0]
    for j in range(1, bounds.shape[1]):
        low[:, j] = defining[:, :j, j].max(1)
    filled = (high > low).all(1)
    return low[filled], high[filled]
