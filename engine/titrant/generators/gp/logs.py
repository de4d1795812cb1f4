"""Logarithms of tiny numbers: the improvement of a normal variable, and its probability of staying below a bound.

Source: S. Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023.
"""

from __future__ import annotations

import math

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.special import erfcx, log_ndtr, ndtr  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats

_HALF_LOG_TWO_PI = math.log(2.0 * math.pi) / 2.0
_HALF_LOG_HALF_PI = math.log(math.pi / 2.0) / 2.0
# Below this, 1 - exp(v) of the exact form is lost to rounding, and the series' first term is exact to it.
_FAR = -1.0 / math.sqrt(np.finfo(float).eps)


def log_improvement(u: Floats) -> Floats:
    """``log(phi(u) + u Phi(u))``, elementwise: of the expected positive part of a normal variable with mean ``u``."""
    near = np.maximum(u, -1.0)
    density = np.exp(-0.5 * near * near - _HALF_LOG_TWO_PI)
    result: Floats = np.log(density + near * ndtr(near))
    low = u < -1.0
    if low.any():
        x = u[low]
        tail = np.maximum(x, _FAR)
        # The ratio of the two terms, which almost cancel: log(|u| Phi(u) / phi(u)), below zero.
        ratio = np.log(erfcx(-tail / math.sqrt(2.0)) * -tail) + _HALF_LOG_HALF_PI
        exact = np.where(ratio > -math.log(2.0), np.log(-np.expm1(ratio)), np.log1p(-np.exp(ratio)))
        rest = np.where(x < _FAR, -2.0 * np.log(-x), exact)
        result[low] = -0.5 * x * x - _HALF_LOG_TWO_PI + rest
    return result


def log_probability(u: Floats) -> Floats:
    """``log Phi(u)``, elementwise."""
    result: Floats = log_ndtr(u)
    return result


def log_density(u: Floats) -> Floats:
    """``log phi(u)``, elementwise."""
    result: Floats = -0.5 * u * u - _HALF_LOG_TWO_PI
    return result


def log_mean_exp(values: Floats) -> Floats:
    """``log(mean(exp(values)))`` over the last axis."""
    top = np.max(values, axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    result: Floats = np.log(np.exp(values - top).mean(-1)) + top[..., 0]
    return result
