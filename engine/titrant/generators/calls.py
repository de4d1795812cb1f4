"""What formulas are made of, over arrays: NaN where a formula has no value, as for a single point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _quotient(one: Any, other: Any) -> Any:
    return np.where(np.equal(other, 0), np.nan, np.divide(one, other))


def _power(base: Any, exponent: Any) -> Any:
    found = np.power(np.asarray(base, dtype=np.float64), exponent)
    # NaN to the power of 0 is 1 here, and no value where it came from nowhere.
    return np.where(np.isfinite(found) & ~(np.isnan(base) | np.isnan(exponent)), found, np.nan)


def _finite(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def called(part: Any) -> Any:
        found = call(part)
        return np.where(np.isfinite(found), found, np.nan)

    return called


CALLS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": _quotient,
    "power": _power,
    "negative": np.negative,
    "exp": _finite(np.exp),
    "log": _finite(np.log),
    "sqrt": np.sqrt,
    "abs": np.abs,
    "min": lambda *parts: np.minimum.reduce(np.broadcast_arrays(*parts)),
    "max": lambda *parts: np.maximum.reduce(np.broadcast_arrays(*parts)),
}
"""The operations and functions of formulas (see ``formulas.evaluate``)."""
