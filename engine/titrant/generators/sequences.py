"""Sequences of points of the unit cube beside Sobol's: independent ones, and latin hypercubes one after another."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, Protocol

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.digital_net import SobolSequence

Kind = Literal["sobol", "random", "latin_hypercube"]

# Points whose chance is drawn together, so that each position's point is its own.
_CHUNK = 64
# Hypercubes of which the one is taken whose nearest two points are farthest apart, and what all of them may cost.
_CANDIDATES = 100
_AFFORDABLE = 20_000_000


class Sequence(Protocol):
    """Points of the unit cube, each of its position."""

    def points(self, start: int, count: int) -> Floats:
        """Points ``start`` to ``start + count - 1``: ``count x d``, every coordinate strictly between 0 and 1."""


class UniformSequence:
    """Independent uniform points: they depend on the dimension, the seed and their position only."""

    def __init__(self, dimension: int, seed: int) -> None:
        self._dimension, self._seed = dimension, seed

    def points(self, start: int, count: int) -> Floats:  # noqa: D102 - told by Sequence
        first, last = start // _CHUNK, (start + count - 1) // _CHUNK
        chunks = [
            _open(np.random.default_rng([self._seed, 4, k]), _CHUNK, self._dimension) for k in range(first, last + 1)
        ]
        return np.concatenate(chunks)[start - first * _CHUNK :][:count]


class LatinHypercubes:
    """Latin hypercubes of ``size`` points each, one after another; in each, every stratum of every axis is met once.

    Points lie at random in their strata. Of many such hypercubes one is taken whose nearest two points are far apart
    (M. E. Johnson, L. M. Moore, D. Ylvisaker, "Minimax and maximin distance designs", J. Stat. Plan. Inference 26
    (1990)); the sampling is that of M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21 (1979).
    """

    def __init__(self, dimension: int, seed: int, size: int) -> None:
        self._dimension, self._seed = dimension, seed
        self.size = max(1, size)
        self._cube = lru_cache(maxsize=4)(self._made)

    def points(self, start: int, count: int) -> Floats:  # noqa: D102 - told by Sequence
        first, last = start // self.size, (start + count - 1) // self.size
        cubes = [self._cube(number) for number in range(first, last + 1)]
        return np.concatenate(cubes)[start - first * self.size :][:count]

    def _made(self, number: int) -> Floats:
        rng = np.random.default_rng([self._seed, 5, number])
        tries = int(np.clip(_AFFORDABLE // (self.size**2 * self._dimension), 1, _CANDIDATES))
        best, farthest = None, -1.0
        for _ in range(tries if self.size > 1 else 1):
            strata = rng.permuted(np.tile(np.arange(self.size), (self._dimension, 1)), axis=1).T  # size x d
            cube = (strata + _open(rng, self.size, self._dimension)) / self.size
            if (apart := _nearest(cube) if tries > 1 else 0.0) > farthest:
                best, farthest = cube, apart
        assert best is not None
        return best


def _open(rng: np.random.Generator, count: int, dimension: int) -> Floats:
    """Uniform numbers that are neither 0 nor 1: ``count x d``."""
    return (rng.integers(0, 1 << 32, size=(count, dimension)).astype(np.float64) + 0.5) * 2.0**-32


def _nearest(points: Floats) -> float:
    """The square of the least distance between two of the points, ``n x d``."""
    squares = (points**2).sum(1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    return float(distances.min())


def sequence_of(kind: Kind, dimension: int, seed: int, size: int) -> Sequence:
    """The sequence of a kind; *size* is that of a latin hypercube."""
    match kind:
        case "sobol":
            return SobolSequence(dimension, seed)
        case "random":
            return UniformSequence(dimension, seed)
        case "latin_hypercube":
            return LatinHypercubes(dimension, seed, size)
