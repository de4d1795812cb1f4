"""A search space as arrays: rows of numbers, coordinates of the unit cube, and linear constraints between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators.axes import Axis, Continuous, Floats, free_axis
from titrant.generators.gates import Gate, gate_of, is_open, resting
from titrant.generators.restricted import Restricted
from titrant.model.conditions import is_never_active
from titrant.model.constraints import Interval
from titrant.model.determined import Formulas, determined, key_of, reach
from titrant.model.space import LinearConstraint, SearchSpace
from titrant.model.trial import Parameterization, ParameterValue

Mask = npt.NDArray[np.bool_]

# How far a constraint may be missed, relative to its terms: half of what the search space itself lets pass.
TOLERANCE = 0.5e-8
# Finite spaces up to here are listed when a sequence finds no more untried points.
LISTABLE = 100_000
# How far beyond what constraints leave a number is looked at all the same, relative to the largest; they decide.
_SPARE = 1e-6


class LinearSystem(msgspec.Struct, frozen=True):
    """``A z <= b`` and ``C z == d`` over the numbers of the free axes, in the parameters' units.

    Attributes:
        a, b, offset_a: ``m x d``, ``m``, and ``m``: the magnitude of what fixed parameters contribute to each row.
        c, d, offset_c: The same of the equalities: ``k x d``, ``k``, ``k``.
        names: What the constraints are called, for messages.
        gates: For each row, the inequalities first, what must be so that it counts; empty where all always do.
    """

    a: Floats
    b: Floats
    offset_a: Floats
    c: Floats
    d: Floats
    offset_c: Floats
    names: tuple[str, ...]
    gates: tuple[Gate, ...] = ()

    @property
    def any(self) -> bool:
        """True if there is a constraint at all."""
        return len(self.a) + len(self.c) > 0

    @property
    def columns(self) -> Mask:
        """True for each axis that stands in a constraint: ``d``."""
        return np.asarray((self.a != 0).any(0) | (self.c != 0).any(0))

    def excess(self, z: Floats) -> Floats:
        """How far each constraint is missed, relative to its terms, 0 where kept: ``n x d`` to ``n x (m + k)``."""
        scale_a = np.maximum(np.abs(z) @ np.abs(self.a.T) + self.offset_a, np.abs(self.b))
        scale_c = np.maximum(np.abs(z) @ np.abs(self.c.T) + self.offset_c, np.abs(self.d))
        over = np.concatenate([z @ self.a.T - self.b, np.abs(z @ self.c.T - self.d)], axis=1)
        scale = np.maximum(np.concatenate([scale_a, scale_c], axis=1), np.finfo(float).tiny)
        found = np.where(over > TOLERANCE * scale, over / scale, 0.0)
        return found * self.counting(z) if self.gates else found

    def counting(self, z: Floats) -> Mask:
        """Which constraints count at each row, since all their parameters are active: ``n x d`` to ``n x (m + k)``."""
        found = np.ones((len(z), len(self.a) + len(self.c)), bool)
        for i, gate in enumerate(self.gates):
            found[:, i] = is_open(gate, z)
        return found

    def at(self, z: Floats) -> LinearSystem:
        """The constraints that count at a row, ``d``, without conditions."""
        if not self.gates:
            return self
        kept = self.counting(z[None])[0]
        first, second = kept[: len(self.a)], kept[len(self.a) :]
        return LinearSystem(
            self.a[first],
            self.b[first],
            self.offset_a[first],
            self.c[second],
            self.d[second],
            self.offset_c[second],
            self.names,
        )

    def holds(self, z: Floats) -> Mask:
        """True for each row that keeps every constraint: ``n x d`` to ``n``."""
        return np.asarray((self.excess(z) == 0).all(1)) if self.any else np.ones(len(z), bool)


class Encoding(Restricted):
    """The free axes of a space, in the space's order, with everything else held at its one value.

    Attributes:
        space: The search space.
        fixed: Parameters with one value.
        axes: The others.
        system: The linear constraints between them.
        parents: Places of axes on which other parameters depend.
    """

    def __init__(self, space: SearchSpace, fixed: Parameterization) -> None:
        self.space = space
        self.fixed: dict[str, ParameterValue] = {}
        found: dict[str, Axis] = {}
        for config in space.parameters:
            axis = fixed[config.name] if config.name in fixed else free_axis(config)
            if isinstance(axis, bool | int | float | str):
                self.fixed[config.name] = axis
            else:
                found[config.name] = axis
        conditions = space.conditions
        known = {**self.fixed, **dict.fromkeys(found)}
        never = {name for name in known if is_never_active(conditions, name, known)}
        self.fixed = {name: value for name, value in self.fixed.items() if name not in never}
        self.axes = tuple(axis for name, axis in found.items() if name not in never)
        place = {axis.name: j for j, axis in enumerate(self.axes)}
        self._gates = {
            name: gate for name in known if name not in never and (gate := gate_of(conditions, name, self.axes, place))
        }
        self.parents = frozenset(place[one.parent] for one in conditions.values() if one.parent in place)
        constraints = [one for one in space.constraints if never.isdisjoint(one.names)]
        self.system = _system(constraints, self.axes, self.fixed, self._gates)
        self.low = np.array([axis.low for axis in self.axes])
        self.high = np.array([axis.high for axis in self.axes])
        ends = np.cumsum([0, *(axis.width for axis in self.axes)])
        self.slices = tuple(slice(int(start), int(end)) for start, end in pairwise(ends))
        self.width = int(ends[-1])
        self._restrict(fixed)

    @property
    def dimension(self) -> int:
        """Free parameters, and so coordinates of a point of the quasi-random sequence."""
        return len(self.axes)

    @cached_property
    def determined(self) -> Formulas | None:
        """How the continuous axes follow from the others; None where one of them may vary, or there are candidates."""
        return None if self.space.candidates else determined(self.space, self.fixed)

    @cached_property
    def size(self) -> int | None:
        """How many points there are without constraints; None where there is no end.

        With continuous axes that others determine, constraints narrow what is counted; where it is more than can be
        listed all the same, nobody could say that all was tried, and it is None.
        """
        if self.space.candidates:
            return self.space.candidates.count
        known = self.determined
        if known:
            size = math.prod(1 if axis.name in known else len(self.levels(axis)) for axis in self.axes)
            return size if size <= LISTABLE else None
        counts = [axis.count for axis in self.axes if axis.count is not None]
        return math.prod(counts) if len(counts) == len(self.axes) else None

    def levels(self, axis: Axis) -> Floats:
        """All numbers of a discrete axis, ``n``; those that constraints leave where they determine continuous axes."""
        numbers = axis.at(np.arange(float(axis.count or 1)))
        low, high = self._reach.get(axis.name, (-math.inf, math.inf))
        spare = _SPARE * max(1.0, float(np.abs(numbers).max(initial=0.0)))
        return (
            numbers[(numbers >= low - spare) & (numbers <= high + spare)] if isinstance(axis, Continuous) else numbers
        )

    @cached_property
    def _reach(self) -> dict[str, Interval]:
        return reach(self.space, self.fixed) if self.determined else {}

    def key(self, parameters: Parameterization) -> tuple[Hashable, ...]:
        """What tells a point from others: the space's ``signature``, but for what the others determine."""
        return key_of(self.space, self.determined, parameters)

    def from_unit(self, u: Floats) -> Floats:
        """Numbers from uniform coordinates, ``n x d`` to ``n x d``."""
        return self._each(lambda axis, column: axis.from_unit(column), u)

    def snap(self, z: Floats) -> Floats:
        """The nearest allowed numbers, constraints apart: ``n x d`` to ``n x d``."""
        return self._each(lambda axis, column: axis.snap(column), z)

    def _each(self, change: Callable[[Axis, Floats], Floats], z: Floats) -> Floats:
        columns = [change(axis, z[:, j]) for j, axis in enumerate(self.axes)]
        return np.stack(columns, axis=1) if columns else np.empty((len(z), 0))

    def to_model(self, z: Floats) -> Floats:
        """Coordinates of the model's unit cube, unordered choices as a column a value: ``n x d`` to ``n x width``."""
        columns = [axis.to_model(z[:, j]) for j, axis in enumerate(self.axes)]
        for j, axis in enumerate(self.axes):
            if axis.name in self._gates:
                # Where it is not active it is in its middle; that it is not, the choice that it depends on says.
                columns[j] = np.where(is_open(self._gates[axis.name], z)[:, None], columns[j], resting(axis))
        return np.concatenate(columns, axis=1) if columns else np.empty((len(z), 0))

    def from_model(self, x: Floats) -> Floats:
        """The nearest allowed numbers, constraints apart: ``n x width`` to ``n x d``."""
        columns = [axis.from_model(x[:, part]) for axis, part in zip(self.axes, self.slices, strict=True)]
        return np.stack(columns, axis=1) if columns else np.empty((len(x), 0))

    def parameters(self, z: Floats) -> Parameterization:
        """The canonical parameterization of one row of allowed numbers, ``d``, in the space's order."""
        values = self.fixed | {axis.name: axis.value(float(z[j])) for j, axis in enumerate(self.axes)}
        names = [config.name for config in self.space.parameters if config.name in values]
        if self._gates:
            names = [name for name in names if is_open(self._gates.get(name, ()), z[None])[0]]
        return {name: values[name] for name in names}

    def decode(self, u: Sequence[float] | Floats) -> Parameterization:
        """The canonical parameterization at uniform coordinates ``d``, constraints apart."""
        return self.parameters(self.from_unit(np.asarray(u, dtype=np.float64)[None])[0])

    def numbers(self, parameters: Parameterization) -> Floats | None:
        """The row of numbers, ``d``, of a parameterization; None where a value has no place on its axis.

        What is not active, and so has no value, is in the middle.
        """
        try:
            numbers = [axis.number(parameters[axis.name]) for axis in self.axes if axis.name in parameters]
        except ValueError:
            return None
        if len(numbers) == len(self.axes):
            return np.array(numbers, dtype=np.float64)
        z = np.zeros(len(self.axes))
        there = np.array([axis.name in parameters for axis in self.axes], dtype=bool)
        z[there] = numbers
        for j in np.flatnonzero(~there):
            if is_open(self._gates.get(self.axes[j].name, ()), z[None])[0]:
                return None
            z[j] = self.axes[j].from_unit(np.array([0.5]))[0]
        return z


def encoding_of(space: SearchSpace, fixed: Parameterization) -> Encoding:
    """The encoding of a space with some parameters held, kept for the next request with the same space.

    Raises:
        GenerationError: A held value does not fit its parameter, or what is held already breaks a constraint.
    """
    # Bytes, because 1, 1.0 and True are equal as dictionary keys and different as parameter values.
    return _cached(msgspec.msgpack.encode((space, sorted(fixed.items()))))


@lru_cache(maxsize=16)
def _cached(key: bytes) -> Encoding:
    space, held = msgspec.msgpack.decode(key, type=tuple[SearchSpace, list[tuple[str, ParameterValue]]])
    fixed: Parameterization = {}
    try:
        for name, value in held:
            fixed[name] = space.parameter(name).check(value)
    except ConfigurationError as error:
        raise GenerationError(f"what is held fixed does not fit the search space: {error}") from error
    return Encoding(space, fixed)


def _system(
    constraints: Sequence[LinearConstraint], axes: Sequence[Axis], fixed: Parameterization, gates: Mapping[str, Gate]
) -> LinearSystem:
    """The constraints over the free axes, with the fixed values moved to the other side."""
    column = {axis.name: j for j, axis in enumerate(axes)}
    rows: dict[bool, list[tuple[Floats, float, float]]] = {True: [], False: []}  # by whether it is an equality
    wanted: dict[bool, list[Gate]] = {True: [], False: []}
    for constraint in constraints:
        weights = np.zeros(len(axes))
        for name in constraint.names:
            if name in column and not axes[column[name]].numeric:
                raise GenerationError(f"constraint {constraint.text!r} has {name!r} in it, which is no number")
        known = {name: weight * float(fixed[name]) for name, weight in constraint.terms if name not in column}
        for name, weight in constraint.terms:
            if name in column:
                weights[column[name]] = weight
        gate = tuple(part for name in constraint.names for part in gates.get(name, ()))
        if not weights.any() and not gate:
            if constraint.excess(fixed):
                raise GenerationError(f"what is held fixed breaks the constraint {constraint.text!r}")
            continue
        sign = -1.0 if constraint.relation == ">=" else 1.0
        rest = constraint.bound - sum(known.values())
        rows[constraint.relation == "=="].append((sign * weights, sign * rest, sum(map(abs, known.values()))))
        wanted[constraint.relation == "=="].append(gate)
    names = tuple(constraint.text for constraint in constraints)
    every = (*wanted[False], *wanted[True])
    stacked = *_stacked(rows[False], len(axes)), *_stacked(rows[True], len(axes))
    return LinearSystem(*stacked, names, every if any(every) else ())


def _stacked(rows: list[tuple[Floats, float, float]], width: int) -> tuple[Floats, Floats, Floats]:
    """Matrix, right-hand side and magnitude of the fixed part."""
    matrix = np.array([row for row, _, _ in rows]).reshape(len(rows), width)
    return matrix, np.array([rest for _, rest, _ in rows]), np.array([known for _, _, known in rows])
