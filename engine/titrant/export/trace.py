"""The course of an objective over the trials, as a drawing in SVG: every result, and the best so far."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

WIDTH, HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 28
_MOST = 1500  # dots; beyond, of neighbouring ones only the lowest and the highest are drawn


class Point(msgspec.Struct, frozen=True):
    """A result: of which trial, its value, and whether it may count as the best."""

    trial: int
    value: float
    counts: bool


class Tick(msgspec.Struct, frozen=True):
    """A mark on an axis."""

    at: float
    label: str


class Dot(msgspec.Struct, frozen=True):
    """A result in the drawing."""

    x: float
    y: float
    title: str
    counts: bool


class Trace(msgspec.Struct, frozen=True):
    """A drawing, in units of its view box."""

    name: str
    dots: tuple[Dot, ...]
    best: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def trace(name: str, points: Sequence[Point], *, minimize: bool) -> Trace | None:
    """Draw the results of one objective; None where there are none."""
    if not points:
        return None
    low, high = _span([point.value for point in points])
    first, last = points[0].trial, max(points[-1].trial, points[0].trial + 1)

    def x(trial: int) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (trial - first) / (last - first), 1)

    def y(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low), 1)

    dots = tuple(
        Dot(x(point.trial), y(point.value), f"trial {point.trial}: {point.value:.6g}", point.counts)
        for point in _thinned(points)
    )
    across = tuple(Tick(x(int(trial)), f"{trial:.0f}") for trial in _round(first, last) if trial == int(trial))
    up = tuple(Tick(y(value), f"{value:.6g}") for value in _round(low, high))
    return Trace(name, dots, _steps(points, x, y, last, minimize=minimize), across, up)


def _steps(points: Sequence[Point], x, y, last: int, *, minimize: bool) -> str:  # type: ignore[no-untyped-def]  # two local functions
    """The best so far as a path of steps; results that do not count do not lower or raise it."""
    path, best = "", None
    for point in points:
        if not point.counts or (best is not None and (point.value >= best if minimize else point.value <= best)):
            continue
        best = point.value
        path += f"H{x(point.trial)}V{y(best)}" if path else f"M{x(point.trial)} {y(best)}"
    return f"{path}H{x(last)}" if path else ""


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    return low - margin, high + margin


def _round(low: float, high: float) -> list[float]:
    """Some round numbers between two others."""
    raw = (high - low) / 5
    if not (raw > 0 and math.isfinite(raw)):
        return []
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    first = math.ceil(low / step)
    return [round(number * step, 12) for number in range(first, math.floor(high / step) + 1)]


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    if len(points) <= _MOST:
        return points
    size = math.ceil(2 * len(points) / _MOST)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        some = points[start : start + size]
        ends = {min(some, key=lambda one: one.value).trial, max(some, key=lambda one: one.value).trial}
        kept += [point for point in some if point.trial in ends]
    return kept
