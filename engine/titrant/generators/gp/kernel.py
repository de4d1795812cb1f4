"""The Matérn-5/2 kernel and its slope, on distances in units of the length scales."""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats


def squared_distances(a: Floats, b: Floats) -> Floats:
    """``n x w`` and ``m x w`` to ``n x m``; never below zero, whatever rounding says."""
    squares: Floats = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2.0 * (a @ b.T)
    return np.maximum(squares, 0.0, out=squares)


def matern(squared: Floats) -> tuple[Floats, Floats]:
    """The correlation at squared distances, and its derivative by them, both of the same shape.

    The derivative is ``-(5/6) (1 + s) exp(-s)`` with ``s = sqrt(5 squared)``, finite at zero.
    """
    s = np.sqrt(5.0 * squared)
    decay = np.exp(-s)
    rising = (1.0 + s) * decay
    return rising + s * s / 3.0 * decay, (-5.0 / 6.0) * rising
