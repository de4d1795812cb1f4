"""Points that keep a space's constraints, found without arrays: the centre and a few hundred others, moved by turns."""

from __future__ import annotations

import math
from collections.abc import Iterator

from titrant.model.parameters import ParameterConfig, RangeParameterConfig
from titrant.model.restrictions import Cardinality
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization, ParameterValue

# Rounds in which each constraint that is missed moves its parameters; spaces people write need one or two.
_SWEEPS = 20
# Points all over the space from which a search begins where constraints are not linear.
_TRIED = 256


def from_the_centre(space: SearchSpace) -> Parameterization | None:
    """A point that keeps the constraints, found by moving the centre's values one by one; None where none was found."""
    return swept(space, space.centre())


def from_all_over(space: SearchSpace, most: int = _TRIED) -> Parameterization | None:
    """The same from points all over the parameters that stand in constraints, the same ones each time.

    Args:
        space: The search space.
        most: How many points are tried, if that is fewer than usual.
    """
    names = list(dict.fromkeys(name for one in space.every_constraint for name in one.names))
    configs = [config for config in space.parameters if config.name in names]
    centre = space.centre()
    rates = [math.sqrt(prime) for prime in _primes(len(configs))]
    for k in range(1, min(most, _TRIED) + 1):
        # R. D. Richtmyer's sequence: multiples of irrational numbers fill the unit cube evenly.
        at = {one.name: _value(one, math.fmod(k * rate, 1.0)) for one, rate in zip(configs, rates, strict=True)}
        if (found := swept(space, centre | at)) is not None:
            return found
    return None


def swept(space: SearchSpace, values: Parameterization, *, sparse: bool = False) -> Parameterization | None:
    """A point that keeps the constraints, found by moving canonical values one by one as the linear ones ask for.

    Args:
        space: The search space.
        values: Where to begin.
        sparse: Whether components that are absent there stay so, unless too many are present.
    """
    absent = _absent(space, values if sparse else {})
    values = values | {name: space.parameter(name).check(0) for name in absent}
    for _ in range(_SWEEPS):
        if space.contains(values):
            return values
        before = dict(values)
        for constraint in space.constraints:
            for name, weight in constraint.terms:
                if not constraint.excess(values):
                    break
                if name in absent:
                    continue
                total = math.fsum(w * float(values[other]) for other, w in constraint.terms)
                values[name] = space.parameter(name).nearest(float(values[name]) + (constraint.bound - total) / weight)
        if values == before:
            return None
    return None


def _absent(space: SearchSpace, values: Parameterization) -> set[str]:
    """Components to leave out so that no more are present than may be: those that are absent, or that can be least."""
    absent: set[str] = set()
    for restriction in space.restrictions or ():
        if isinstance(restriction, Cardinality):
            ends = {name: space.parameter(name).interval or (0.0, 0.0) for name in restriction.names}
            zero = {name for name in ends if values.get(name, 1) == 0}
            if zero and len(ends) - len(zero) <= restriction.most:
                absent |= zero
                continue
            there = sorted((name for name in ends if name not in absent), key=lambda name: -ends[name][1])
            absent.update(name for name in there[restriction.most :] if ends[name][0] == 0)
    return absent


def _value(config: ParameterConfig, u: float) -> ParameterValue:
    """The value of a numeric parameter at a coordinate from 0 to 1."""
    if not isinstance(config, RangeParameterConfig):
        ranked = sorted(config.allowed, key=float)
        return ranked[min(int(u * len(ranked)), len(ranked) - 1)]
    low, high = config.bounds
    return config.nearest(low ** (1 - u) * high**u if config.scaling == "log" else low + u * (high - low))


def _primes(count: int) -> Iterator[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
            yield number
        number += 1
