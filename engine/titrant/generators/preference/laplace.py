"""Laplace's approximation of the utilities given comparisons: the likeliest ones, their curvature and the evidence.

Nothing here inverts the covariance matrix of the utilities, which is singular where points coincide.

Source: C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning" (2006), sections 3.4 and 5.5.
"""

from __future__ import annotations

import msgspec
import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.linalg import lu_factor, lu_solve  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.preference.duels import Duels

_STEPS = 100
_PRECISION = 1e-10
_SHORTEST = 1e-6


class Approximation(msgspec.Struct, frozen=True):
    """A Gaussian in place of the utilities' posterior, zero being their mean before there are comparisons.

    Attributes:
        weights: The likeliest utilities are the kernel matrix times these, ``n``.
        precision: What comparisons take away from a covariance: at points whose covariances with the known ones are
            ``c``, ``b x n``, it is ``c @ precision @ c.T``; ``n x n``.
        evidence: The logarithm of the comparisons' probability.
        by_kernel: The derivative of the evidence by each entry of the kernel matrix, ``n x n``.
    """

    weights: Floats
    precision: Floats
    evidence: float
    by_kernel: Floats


def approximated(kernel: Floats, duels: Duels, start: Floats | None = None) -> Approximation:
    """The approximation.

    Args:
        kernel: Covariances of the utilities before there are comparisons, ``n x n``.
        duels: The comparisons.
        start: Weights to begin from, ``n``: those of a kernel that is much the same.

    Raises:
        FloatingPointError: The numbers are not finite.
    """
    weights = _likeliest(kernel, duels, np.zeros(duels.count) if start is None else start)
    f = kernel @ weights
    _, each, change = duels.slopes(f)
    curvature = duels.curvature(each)
    factors = lu_factor(np.eye(duels.count) + curvature @ kernel)
    precision = lu_solve(factors, curvature)
    precision = (precision + precision.T) / 2.0
    # The determinant is that of a matrix whose eigenvalues are one or more.
    evidence = duels.height(f) - 0.5 * weights @ f - 0.5 * np.log(np.abs(np.diag(factors[0]))).sum()
    if not (np.isfinite(evidence) and np.isfinite(precision).all()):
        raise FloatingPointError("the evidence of the comparisons is not finite")
    left = kernel - kernel @ precision @ kernel
    spread = (
        left[duels.winners, duels.winners] + left[duels.losers, duels.losers] - 2.0 * left[duels.winners, duels.losers]
    )
    # The likeliest utilities move with the kernel, and the curvature with them.
    moved = np.outer(lu_solve(factors, -0.5 * duels.gathered(change * spread)), weights)
    by_kernel = 0.5 * (np.outer(weights, weights) - precision + moved + moved.T)
    return Approximation(weights, precision, float(evidence), by_kernel)


def _likeliest(kernel: Floats, duels: Duels, weights: Floats) -> Floats:
    """The weights of the likeliest utilities, by Newton's method: the posterior is log-concave."""
    f = kernel @ weights
    height = duels.height(f) - 0.5 * float(weights @ f)
    if not np.isfinite(height):
        weights, f = np.zeros(duels.count), np.zeros(duels.count)
        height = duels.height(f)
    for _ in range(_STEPS):
        slope, each, _ = duels.slopes(f)
        curvature = duels.curvature(each)
        target = curvature @ f + duels.gathered(slope)
        newton = np.linalg.solve(np.eye(duels.count) + curvature @ kernel, target)
        share = 1.0
        while True:
            moved = weights + share * (newton - weights)
            there = kernel @ moved
            reached = duels.height(there) - 0.5 * float(moved @ there)
            if reached >= height - 1e-12 * max(1.0, abs(height)) or share < _SHORTEST:
                break
            share /= 2.0
        step = float(np.abs(moved - weights).max(initial=0.0))
        weights, f, height = moved, there, reached
        if not np.isfinite(height):
            raise FloatingPointError("the likeliest utilities are not finite")
        if step <= _PRECISION * max(1.0, float(np.abs(weights).max(initial=0.0))):
            break
    return weights
