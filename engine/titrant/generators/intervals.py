"""What formulas can be within boxes, many boxes at once: interval arithmetic over arrays.

Rounding to the nearest keeps the order of numbers, so ends that are computed as values are enclose every value that is
computed within a box, to the last bit. What rounds less well (exp, log, powers) is widened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from titrant.generators.axes import Floats
from titrant.model import formulas

Ends = tuple[Any, Any]
"""Least and greatest values, ``n`` each; a number where all boxes have the same."""

# How far exp, log and powers may be off, relative to them: some units in the last place.
_ROUGH = 4e-15


class Boxed:
    """The ends of formulas within boxes.

    Attributes:
        nowhere: True for each box in which a formula asked about has no value at any point: ``n``.
    """

    def __init__(self, intervals: Mapping[str, tuple[Floats, Floats]], count: int) -> None:
        """Take the least and the greatest value of each parameter, ``count`` each."""
        self.nowhere = np.zeros(count, dtype=bool)
        self._intervals = intervals
        self._calls: dict[str, Callable[..., Any]] = {
            "add": lambda one, other: _sum(_ends(one), _ends(other)),
            "subtract": lambda one, other: _sum(_ends(one), _negative(_ends(other))),
            "multiply": _product,
            "divide": self._quotient,
            "power": self._power,
            "negative": lambda one: _negative(_ends(one)),
            "exp": lambda one: _rough(*map(np.exp, _ends(one))),
            "log": self._log,
            "sqrt": self._sqrt,
            "abs": _abs,
            "min": lambda *parts: tuple(np.minimum.reduce(np.broadcast_arrays(*end)) for end in _split(parts)),
            "max": lambda *parts: tuple(np.maximum.reduce(np.broadcast_arrays(*end)) for end in _split(parts)),
        }

    def reach(self, tree: formulas.Tree) -> tuple[Floats, Floats]:
        """The least and the greatest values of an expression in each box, or wider: ``n`` each."""
        with np.errstate(all="ignore"):
            low, high = _ends(formulas.evaluate(tree, self._intervals, self._calls))
        shape = self.nowhere.shape
        return np.broadcast_to(low, shape), np.broadcast_to(high, shape)

    def _quotient(self, one: Any, other: Any) -> Ends:
        low, high = _ends(other)
        self.nowhere |= (low == 0) & (high == 0)
        found = _corners(np.divide, _ends(one), (low, high))
        return _where((low > 0) | (high < 0), found, _ALL)

    def _log(self, one: Any) -> Ends:
        low, high = _ends(one)
        self.nowhere |= high <= 0
        return _rough(*(np.log(np.maximum(end, 0.0)) for end in (low, high)))

    def _sqrt(self, one: Any) -> Ends:
        low, high = _ends(one)
        self.nowhere |= high < 0
        return np.sqrt(np.maximum(low, 0.0)), np.sqrt(np.maximum(high, 0.0))

    def _power(self, one: Any, exponent: Any) -> Ends:
        base = low, high = _ends(one)
        least, most = _ends(exponent)
        rising = _rough(*_corners(np.power, base, (least, most)))
        if np.ndim(least) or least != most:
            return _where((low > 0) | ((low == 0) & (least > 0)), rising, _ALL)
        if float(least).is_integer():
            if least < 0:  # on each side of its pole
                return _where((low > 0) | (high < 0), rising, _ALL)
            crosses = (low < 0) & (high > 0) & (least % 2 == 0)
            return np.where(crosses, 0.0, rising[0]), rising[1]
        self.nowhere |= high < 0  # complex there
        positive = np.maximum(low, 0.0), np.maximum(high, 0.0)
        return _rough(*_corners(np.power, positive, (least, most)))


_ALL = (-np.inf, np.inf)


def _ends(part: Any) -> Ends:
    return part if isinstance(part, tuple) else (part, part)


def _split(parts: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
    ends = [_ends(part) for part in parts]
    return [low for low, _ in ends], [high for _, high in ends]


def _sum(one: Ends, other: Ends) -> Ends:
    return _tidy(one[0] + other[0], one[1] + other[1])


def _negative(one: Ends) -> Ends:
    return -one[1], -one[0]


def _product(one: Any, other: Any) -> Ends:
    if one is other and isinstance(one, tuple):  # of one name with itself
        low, high = np.square(one[0]), np.square(one[1])
        crosses = (one[0] < 0) & (one[1] > 0)
        return np.where(crosses, 0.0, np.minimum(low, high)), np.maximum(low, high)
    return _corners(np.multiply, _ends(one), _ends(other))


def _abs(one: Any) -> Ends:
    low, high = _ends(one)
    ends = np.abs(low), np.abs(high)
    return np.where((low <= 0) & (high >= 0), 0.0, np.minimum(*ends)), np.maximum(*ends)


def _corners(operation: Callable[[Any, Any], Any], one: Ends, other: Ends) -> Ends:
    """Of what is monotonous in each of two operands the ends are at corners."""
    found = np.broadcast_arrays(*(operation(x, y) for x in one for y in other))
    return _tidy(np.minimum.reduce(found), np.maximum.reduce(found))


def _rough(low: Any, high: Any) -> Ends:
    below = np.where(np.isfinite(low), low - _ROUGH * np.abs(low) - 5e-324, low)
    above = np.where(np.isfinite(high), high + _ROUGH * np.abs(high) + 5e-324, high)
    return _tidy(below, above)


def _tidy(low: Any, high: Any) -> Ends:
    """Ends, and everything where one of them is no number, as 0 times infinity."""
    return _where(~(np.isnan(low) | np.isnan(high)), (low, high), _ALL)


def _where(known: Any, ends: Ends, otherwise: Ends) -> Ends:
    return np.where(known, ends[0], otherwise[0]), np.where(known, ends[1], otherwise[1])
