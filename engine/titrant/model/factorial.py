"""A full factorial design: every combination of some levels of each parameter that keeps the constraints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import product

import msgspec

from titrant.model.space import ParameterConfig, RangeParameterConfig, SearchSpace
from titrant.model.trial import Parameterization, ParameterValue

LARGEST = 10_000
"""Combinations that are listed at most: far beyond what anybody carries out."""

USUAL = 3
"""Levels of a range that none are given for: both ends and the middle."""

Levels = int | dict[str, int]
"""Levels of every range, or of each by its name."""


def levels(config: ParameterConfig, count: int) -> tuple[ParameterValue, ...]:
    """Values of a parameter that stand in the design.

    Of a range *count* values from end to end, evenly spaced on its scale (its centre where *count* is 1), fewer where
    it has no more; of a choice all of them.
    """
    if not isinstance(config, RangeParameterConfig):
        return config.allowed
    low, high = config.interval
    if count == 1 or low == high:
        return (config.centre(),)
    if (size := config.size()) is not None and count >= size:
        return tuple(config.grid.at(index) for index in range(size))
    shares = [index / (count - 1) for index in range(count)]
    if config.scaling == "log":
        between = [low ** (1 - share) * high**share for share in shares]
    else:
        between = [low + share * (high - low) for share in shares]
    ends = [low, *between[1:-1], high]  # exactly: a power may miss a bound by a hair
    return tuple(dict.fromkeys(config.nearest(value) for value in ends))


def combinations(space: SearchSpace, given: Levels, fixed: Parameterization | None = None) -> int:
    """How many combinations there are, constraints apart."""
    return math.prod(len(values) for values in _columns(space, given, fixed or {}))


def factorial(space: SearchSpace, given: Levels, fixed: Parameterization | None = None) -> tuple[Parameterization, ...]:
    """The combinations that keep the constraints, the last parameter varying fastest; none beyond ``LARGEST``.

    Args:
        space: The search space.
        given: Levels of the ranges, ``USUAL`` where a name is missing.
        fixed: Parameters held at a value.
    """
    # Bytes, because 1, 1.0 and True are equal as dictionary keys and different as parameter values.
    return _listed(msgspec.msgpack.encode((space, given, fixed or {}), order="sorted"))


def flaw(space: SearchSpace, given: Levels) -> str | None:
    """Why there can be no such design; None where there can."""
    named = {} if isinstance(given, int) else given
    if unknown := [name for name in named if name not in space.names]:
        return f"grid_levels names {unknown[0]!r}, which is no parameter of the search space"
    if space.candidates:
        return "candidates have no grid: choose another initialization"
    if any(count < 1 for count in (named.values() if isinstance(given, dict) else (given,))):
        return "grid_levels: a range has one level at least"
    if (count := combinations(space, given)) > LARGEST:
        return f"the grid has {count} points, more than {LARGEST}: give fewer levels"
    if not factorial(space, given):
        return f"none of the grid's {count} points keeps the constraints: give more levels"
    return None


@lru_cache(maxsize=16)
def _listed(key: bytes) -> tuple[Parameterization, ...]:
    space, given, fixed = msgspec.msgpack.decode(key, type=tuple[SearchSpace, Levels, dict[str, ParameterValue]])
    if combinations(space, given, fixed) > LARGEST:
        return ()
    every = (dict(zip(space.names, row, strict=True)) for row in product(*_columns(space, given, fixed)))
    if not space.is_conditional:
        return tuple(row for row in every if not space.every_constraint or space.contains(row))
    # Combinations that differ only in what is not active are one point.
    points = {space.signature(row): row for row in every if space.contains(row)}
    return tuple(space.check(row) for row in points.values())


def _columns(
    space: SearchSpace, given: Levels, fixed: Mapping[str, ParameterValue]
) -> list[tuple[ParameterValue, ...]]:
    def count(name: str) -> int:
        return given if isinstance(given, int) else given.get(name, USUAL)

    return [
        (config.check(fixed[config.name]),) if config.name in fixed else levels(config, count(config.name))
        for config in space.parameters
    ]
