"""Test functions of the literature, to be minimized; those with their optimum in the middle of the box are moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from titrant.simulation.problems import hartmann6

Values = dict[str, bool | int | float | str]


def numbers(values: Values) -> list[float]:
    return [float(value) for value in values.values()]


def shifted_hartmann6(by: Sequence[float]) -> Callable[[Values], dict[str, float]]:
    def evaluate(values: Values) -> dict[str, float]:
        moved = [x - s for x, s in zip(numbers(values)[:6], by, strict=True)]
        return {"y": hartmann6({f"x{i}": x for i, x in enumerate(moved, start=1)})["hartmann6"]}

    return evaluate


_ACKLEY_SHIFT = (0.7, -1.9, 4.6, -3.1, 6.2)


def ackley(values: Values) -> dict[str, float]:
    z = _moved(numbers(values), _ACKLEY_SHIFT)
    root = math.sqrt(math.fsum(v * v for v in z) / len(z))
    waves = math.fsum(math.cos(2 * math.pi * v) for v in z) / len(z)
    return {"y": -20 * math.exp(-0.2 * root) - math.exp(waves) + 20 + math.e}


# The box is [-10, 10]; Levy's optimum lies at 1 in every direction, and the box's centre near it.
_LEVY_SHIFT = (3.1, -4.2, 5.4, -6.3, 2.2, -3.7, 6.1, -2.4)


def levy(values: Values) -> dict[str, float]:
    w = [1 + (v - 1) / 4 for v in _moved(numbers(values), _LEVY_SHIFT)]
    middle = math.fsum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
    last = (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return {"y": math.sin(math.pi * w[0]) ** 2 + middle + last}


def rosenbrock(values: Values) -> dict[str, float]:
    x = numbers(values)
    return {"y": math.fsum(100 * (b - a * a) ** 2 + (a - 1) ** 2 for a, b in pairwise(x))}


def griewank(values: Values) -> dict[str, float]:
    z = _moved(numbers(values), _LEVY_SHIFT)
    waves = math.prod(math.cos(v / math.sqrt(i)) for i, v in enumerate(z, start=1))
    return {"y": math.fsum(v * v for v in z) / 4000 - waves + 1}


def powell(values: Values) -> dict[str, float]:
    a, b, c, d = _moved(numbers(values), (1.2, -1.4, 2.1, -0.8))
    return {"y": (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4}


_HEIGHTS = (1.0, 1.2, 3.0, 3.2)
_WIDTHS = ((3.0, 10.0, 30.0), (0.1, 10.0, 35.0), (3.0, 10.0, 30.0), (0.1, 10.0, 35.0))
_MIDDLES = ((0.3689, 0.117, 0.2673), (0.4699, 0.4387, 0.747), (0.1091, 0.8732, 0.5547), (0.0381, 0.5743, 0.8828))


def hartmann3(values: Values) -> dict[str, float]:
    x = numbers(values)
    hills = zip(_HEIGHTS, _WIDTHS, _MIDDLES, strict=True)
    return {
        "y": -math.fsum(
            height * math.exp(-math.fsum(w * (v - m) ** 2 for v, w, m in zip(x, widths, middle, strict=True)))
            for height, widths, middle in hills
        )
    }


def camel(values: Values) -> dict[str, float]:
    a, b = numbers(values)
    return {"y": (4 - 2.1 * a**2 + a**4 / 3) * a**2 + a * b + (4 * b**2 - 4) * b**2}


def three_hump_camel(values: Values) -> dict[str, float]:
    a, b = _moved(numbers(values), (1.3, -0.9))
    return {"y": 2 * a**2 - 1.05 * a**4 + a**6 / 6 + a * b + b**2}


def _moved(x: Sequence[float], by: Sequence[float]) -> list[float]:
    """Coordinates as seen from a moved origin; the shifts come round again where there are more coordinates."""
    return [v - by[i % len(by)] for i, v in enumerate(x)]
