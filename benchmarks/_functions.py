"""Test functions of the literature, to be minimized; those with their optimum in the middle of the box are moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import cycle, pairwise

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


def mixed_ackley(values: Values) -> dict[str, float]:
    """Ackley of switches and numbers from 0 to 1; what is best lies at no corner of either."""
    best = (1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0.31, 0.72, 0.44)
    moved = [v - b + s for v, b, s in zip(numbers(values), best, cycle(_ACKLEY_SHIFT), strict=False)]
    return ackley(dict(zip(values, moved, strict=True)))


def tension_compression(values: Values) -> dict[str, float]:
    """A spring's weight: diameter of wire and coil, number of coils; deflection, shear, surge and size are bounded."""
    wire, coil, count = numbers(values)
    apart = coil - wire
    shear = (4 * coil**2 - wire * coil) / (12566 * wire**3 * apart) if abs(apart) > 1e-12 else math.inf
    bounds = (
        1 - coil**3 * count / (71785 * wire**4),
        shear + 1 / (5108 * wire**2) - 1,
        1 - 140.45 * wire / (count * coil**2),
        (wire + coil) / 1.5 - 1,
    )
    return {"y": wire**2 * coil * (count + 2)} | _bounded(bounds, 100.0)


def welded_beam(values: Values) -> dict[str, float]:
    """A beam's cost: a weld's height and length, a bar's height and width; stress, buckling, bending."""
    weld, length, high, wide = numbers(values)
    load, arm, young, shear_modulus = 6000.0, 14.0, 30e6, 12e6
    radius = math.hypot(length, weld + high) / 2
    moment = load * (arm + length / 2)
    inertia = 2 * math.sqrt(2) * weld * length * (length**2 / 12 + (weld + high) ** 2 / 4)
    first, second = load / (math.sqrt(2) * weld * length), moment * radius / inertia
    stress = math.sqrt(first**2 + first * second * length / radius + second**2)
    slender = 1 - high / (2 * arm) * math.sqrt(young / (4 * shear_modulus))
    buckling = 4.013 * young * math.sqrt(high**2 * wide**6 / 36) / arm**2 * slender
    bounds = (
        stress - 13600,
        6 * load * arm / (wide * high**2) - 30000,
        weld - wide,
        0.10471 * weld**2 + 0.04811 * high * wide * (arm + length) - 5,
        4 * load * arm**3 / (young * high**3 * wide) - 0.25,
        load - buckling,
    )
    return {"y": 1.10471 * weld**2 * length + 0.04811 * high * wide * (arm + length)} | _bounded(bounds, math.inf)


def dtlz2(values: Values) -> dict[str, float]:
    """Two objectives whose best trade-offs are a quarter of a circle; the distance to it is moved from the middle."""
    along, *rest = numbers(values)
    far = 1 + math.fsum((x - m) ** 2 for x, m in zip(rest, (0.3, 0.65, 0.42, 0.74, 0.28), strict=True))
    return {"y": far * math.cos(along * math.pi / 2), "z": far * math.sin(along * math.pi / 2)}


_MASS = (1640.2823, 2.3573285, 2.3220035, 4.5688768, 7.7213633, 4.4559504)


def vehicle_safety(values: Values) -> dict[str, float]:
    """A car's mass, acceleration in a crash and intrusion, by the thickness of five of its parts (Tanabe 2020)."""
    a, b, c, d, e = numbers(values)
    acceleration = 6.5856 + 1.15 * a - 1.0427 * b + 0.9738 * c + 0.8364 * d - 0.3695 * a * d + 0.0861 * a * e
    acceleration += 0.3628 * b * d - 0.1106 * a * a - 0.3437 * c * c + 0.1764 * d * d
    intrusion = -0.0551 + 0.0181 * a + 0.1024 * b + 0.0421 * c - 0.0073 * a * b + 0.024 * b * c
    intrusion += -0.0118 * b * d - 0.0204 * c * d - 0.008 * c * e - 0.0241 * b * b + 0.0109 * d * d
    mass = _MASS[0] + math.fsum(weight * x for weight, x in zip(_MASS[1:], (a, b, c, d, e), strict=True))
    return {"mass": mass, "acceleration": acceleration, "intrusion": intrusion}


def _bounded(slack: Sequence[float], ceiling: float) -> dict[str, float]:
    """What is to be at most zero, by the names of its metrics."""
    return {f"c{i}": min(value, ceiling) for i, value in enumerate(slack, start=1)}


def _moved(x: Sequence[float], by: Sequence[float]) -> list[float]:
    """Coordinates as seen from a moved origin; the shifts come round again where there are more coordinates."""
    return [v - by[i % len(by)] for i, v in enumerate(x)]
