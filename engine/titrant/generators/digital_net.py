"""Sobol's sequence, scrambled: a small vectorised generator that needs numpy only.

``import scipy.stats`` takes longer than the first trials of a short run, so the points come from here up to 64
dimensions and from ``scipy.stats.qmc`` above.

Sources: I. M. Sobol', "On the distribution of points in a cube", USSR Comput. Math. Math. Phys. 7 (1967);
J. Matoušek, "On the L2-discrepancy for anchored boxes", J. Complexity 14 (1998), for the scramble: a random lower
triangular matrix over GF(2) and a random digital shift. The direction numbers are our own, see ``directions.py``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from titrant.generators.directions import DIRECTIONS

# Digits of each coordinate, and so the length of the sequence: 2^32 points.
BITS = 32
MAX_DIMENSION = len(DIRECTIONS) + 1


class SobolSequence:
    """One scrambled sequence: the points depend on the dimension, the seed and their position only.

    Attributes:
        dimension: Coordinates of a point.
    """

    def __init__(self, dimension: int, seed: int) -> None:
        self.dimension = dimension
        self._seed = seed
        if dimension <= MAX_DIMENSION:
            rng = np.random.default_rng(seed)
            self._matrices = scramble(_direction_numbers()[:dimension], rng)
            self._shift = rng.integers(0, 1 << BITS, size=dimension, dtype=np.uint32)

    def points(self, start: int, count: int) -> npt.NDArray[np.float64]:
        """Points ``start`` to ``start + count - 1`` of the sequence.

        Returns:
            ``count x d``, every coordinate strictly between 0 and 1.
        """
        if self.dimension > MAX_DIMENSION:
            return self._points_by_scipy(start, count)
        index = np.arange(start, start + count, dtype=np.uint32)
        digits = np.broadcast_to(self._shift, (count, self.dimension)).copy()
        for k in range((start + count - 1).bit_length()):
            used = (index >> np.uint32(k)) & np.uint32(1)
            digits ^= used[:, None] * self._matrices[:, k]
        # The middle of the last digit's interval: neither 0 nor 1 ever comes out.
        return (digits.astype(np.float64) + 0.5) * 2.0**-BITS

    def _points_by_scipy(self, start: int, count: int) -> npt.NDArray[np.float64]:
        """The same for dimensions that our table does not reach: ``count x d``."""
        # Slow to import and rarely needed; typed only where scipy-stubs is installed.
        from scipy.stats import qmc  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415

        sequence = qmc.Sobol(self.dimension, scramble=True, bits=BITS, rng=np.random.default_rng(self._seed))
        if start:
            sequence.fast_forward(start)
        # One point a call, because scipy warns of counts that are no power of two.
        points: npt.NDArray[np.float64] = np.concatenate([sequence.random(1) for _ in range(count)])
        return np.clip(points, 2.0**-BITS, 1 - 2.0**-BITS)


@lru_cache(maxsize=1)
def _direction_numbers() -> npt.NDArray[np.uint32]:
    """Columns of the generating matrices, most significant digit on top: ``64 x 32``."""
    table = np.empty((MAX_DIMENSION, BITS), dtype=np.uint32)
    table[0] = [1 << (BITS - 1 - k) for k in range(BITS)]
    for row, (polynomial, initial) in enumerate(DIRECTIONS, start=1):
        degree = len(initial)
        numbers = list(initial)
        for k in range(degree, BITS):
            value = numbers[k - degree] ^ (numbers[k - degree] << degree)
            for i in range(1, degree):
                if polynomial >> (degree - i) & 1:
                    value ^= numbers[k - i] << i
            numbers.append(value)
        table[row] = [number << (BITS - 1 - k) for k, number in enumerate(numbers)]
    return table


def scramble(matrices: npt.NDArray[np.uint32], rng: np.random.Generator) -> npt.NDArray[np.uint32]:
    """Multiply each generating matrix from the left by a random lower triangular matrix with ones on its diagonal.

    Args:
        matrices: ``d x 32`` columns.
        rng: Where the chance comes from.

    Returns:
        ``d x 32`` columns; every projection keeps its t-value.
    """
    scrambled = np.zeros_like(matrices)
    for digit in range(BITS):
        below = BITS - 1 - digit  # digits after this one, which it may change
        one = np.uint32(1 << below)
        column = rng.integers(0, 1 << below, size=len(matrices), dtype=np.uint32) | one  # d
        present = (matrices >> np.uint32(below)) & np.uint32(1)  # d x 32
        scrambled ^= present * column[:, None]
    return scrambled
