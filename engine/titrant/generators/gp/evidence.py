"""The evidence of data for a Gaussian process, its gradient, and the hyperparameters that it makes most probable.

One piece for all processes whose hyperparameters are fitted: to outcomes (``gp``), over fidelities, beside sources of
which something is known (``transfer``), and to comparisons (``preference``).

Source: C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning" (2006), equations 2.30 and 5.9.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.linalg.lapack import dpotrf, dpotri  # type: ignore[import-untyped,unused-ignore]
from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats

WALL = 1e10
"""What stands for minus the logarithm of nothing: a wall that a line search steps back from."""
_ITERATIONS = 100
# Relative gain below which a fit ends.
_PRECISION = 1e-7


class Likeliest(NamedTuple):
    """Where a density is greatest.

    Attributes:
        theta: The place, ``t``.
        value: Minus the logarithm of the density there.
    """

    theta: Floats
    value: float

    def sure(self, what: str = "likelihood of the Gaussian process") -> Floats:
        """The place.

        Args:
            what: What was to be found, for people.

        Raises:
            FloatingPointError: There is none: the density is not finite, or is nothing, wherever it was looked at.
        """
        if not np.isfinite(self.value) or self.value >= WALL:
            raise FloatingPointError(f"the {what} is not finite")
        return self.theta


def likeliest(
    density: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    bounds: Sequence[tuple[float, float]],
    iterations: int = _ITERATIONS,
) -> Likeliest:
    """The place of greatest density near a start.

    Args:
        density: Its negative logarithm and the gradient of that, at ``t`` values; ``WALL`` where there is none.
        start: Where the search begins, ``t``.
        bounds: The least and the greatest of each value.
        iterations: How many steps there are at most.
    """
    options = {"maxiter": iterations, "ftol": _PRECISION}
    answer: Any = minimize(  # type: ignore[call-overload,unused-ignore]  # its stubs want literal options
        density, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return Likeliest(np.asarray(answer.x, dtype=np.float64), float(answer.fun))


def factored(kernel: Floats) -> Floats:
    """The lower Cholesky factor of a covariance matrix, ``n x n``, to which nothing is added.

    Raises:
        FloatingPointError: It is not positive definite at working precision.
    """
    lower, failed = dpotrf(kernel, lower=1, clean=1)
    if failed:
        raise FloatingPointError("a covariance matrix is not positive definite")
    factor: Floats = lower
    return factor


def inverse(lower: Floats) -> Floats:
    """The inverse of the matrix whose lower Cholesky factor is given, ``n x n``."""
    found: Floats = dpotri(lower, lower=1)[0]  # its lower triangle, and zeros
    found += found.T
    found[np.diag_indices(len(found))] /= 2.0
    return found


class Evidence(NamedTuple):
    """Minus the logarithm of the probability of outcomes, without its constant, at the likeliest constant mean.

    Attributes:
        value: It.
        alpha: The outcomes less that mean, times the inverse of their covariances: ``n``.
        by_kernel: Its derivative by each entry of the covariance matrix, ``n x n``.
    """

    value: float
    alpha: Floats
    by_kernel: Floats


def evidence(lower: Floats, y: Floats) -> Evidence:
    """What outcomes, ``n``, are evidence of, their covariances having the lower Cholesky factor ``n x n``."""
    precision = inverse(lower)
    weights = precision.sum(1)
    residual = y - weights @ y / weights.sum()
    alpha = precision @ residual
    value = 0.5 * residual @ alpha + np.log(np.diag(lower)).sum()
    return Evidence(float(value), alpha, 0.5 * (precision - np.outer(alpha, alpha)))


def by_scales(by_kernel: Floats, scaled: Floats, outputscale: float, kernel: tuple[Floats, Floats]) -> Floats:
    """A gradient by the logarithms of the length scales and of the outputscale, ``w + 1``.

    Args:
        by_kernel: Derivatives by the entries of a covariance matrix, ``n x n``.
        scaled: Points in units of the length scales, ``n x w``.
        outputscale: The variance of the process.
        kernel: Its correlations, and their slopes by the squared distances, ``n x n`` each.
    """
    correlation, steepness = kernel
    width = scaled.shape[1]
    # d kernel / d log l_k = -2 s k'(r^2) (x_ik - x_jk)^2 / l_k^2
    spread = (-2.0 * outputscale) * by_kernel * steepness
    gradient = np.empty(width + 1)
    # The sum over pairs of spread_ij (x_ik - x_jk)^2, without an array of n x n x w.
    gradient[:width] = 2.0 * (spread.sum(1) @ scaled**2 - (scaled * (spread @ scaled)).sum(0))
    gradient[width] = outputscale * (by_kernel * correlation).sum()
    return gradient
