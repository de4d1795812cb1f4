"""A search space and some of its constraints as a mixed-integer linear program: is there a point?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.optimize import Bounds, milp  # type: ignore[import-untyped,unused-ignore]
from scipy.optimize import LinearConstraint as Rows  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Axis, Continuous, Floats, Levels, Steps, free_axis
from titrant.model.constraints import TOLERANCE, LinearConstraint
from titrant.model.restrictions import Cardinality
from titrant.model.space import AnyConstraint, SearchSpace

# Where branching takes longer, nothing is claimed. Counted in nodes: a clock would decide otherwise each time.
_NODES = 20_000
_INFEASIBLE = 2
_Column = tuple[int, float]
_Row = tuple[Floats, float, float]


class Programme:
    """The ordered numbers of a space that stand in its constraints.

    A continuous parameter is one column, a stepped one the number of its step, a choice of numbers one column of 0 or 1
    for each value.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._linear = space.constraints
        self._upper: list[float] = []
        self._lower: list[float] = []
        self._stepped: list[bool] = []
        self._sums: list[list[_Column]] = []  # columns of which exactly one is 1
        self._known: dict[str, float] = {}
        self._columns: dict[str, list[_Column]] = {}
        self._largest: dict[str, float] = {}
        self._switches: dict[str, dict[str, int]] = {}  # of a cardinality's text: name to the column "is present"
        used = {name for constraint in space.every_constraint for name in constraint.names}
        for config in space.parameters:
            if config.name in used:
                axis = free_axis(config)
                constant, columns = (
                    (float(axis), []) if isinstance(axis, bool | int | float | str) else self._placed(axis)
                )
                self._known[config.name], self._columns[config.name] = constant, columns
                self._largest[config.name] = max(map(abs, config.interval or (0.0, 0.0)))
        steps = len(self._stepped)
        for restriction in space.restrictions or ():
            if isinstance(restriction, Cardinality):
                self._switches[restriction.text] = {
                    name: self._column(0.0, float(self._largest[name] > 0), stepped=True) for name in restriction.names
                }
        self._present = np.arange(len(self._stepped)) >= steps

    def _placed(self, axis: Axis) -> tuple[float, list[_Column]]:
        """The columns of an axis: its number is the constant and the sum of weight times column."""
        match axis:
            case Steps(count=count) if count is not None:
                step = float(axis.at(np.array([1.0]))[0] - axis.low)
                return axis.low, [(self._column(0.0, count - 1.0, stepped=True), step)]
            case Continuous():
                # From 0 to 1: the solver's tolerances are absolute.
                return axis.low, [(self._column(0.0, 1.0, stepped=False), axis.high - axis.low)]
            case Levels(count=count):
                numbers = axis.at(np.arange(count, dtype=np.float64))
                columns = [(self._column(0.0, 1.0, stepped=True), float(number)) for number in numbers]
                self._sums.append([(column, 1.0) for column, _ in columns])
                return 0.0, columns
        raise NotImplementedError(f"the axis of {axis.name!r} has no place in a linear program")

    def _column(self, lower: float, upper: float, *, stepped: bool) -> int:
        self._lower.append(lower)
        self._upper.append(upper)
        self._stepped.append(stepped)
        return len(self._lower) - 1

    def stepped(self, constraints: Sequence[AnyConstraint]) -> tuple[str, ...]:
        """The parameters in constraints that have steps."""
        names = dict.fromkeys(name for constraint in constraints for name in constraint.names)
        return tuple(name for name in names if any(self._stepped[column] for column, _ in self._columns[name]))

    def allows(self, constraints: Sequence[AnyConstraint], *, steps: bool = True) -> bool | None:
        """Whether some point keeps the constraints; None where the solver gives no answer.

        Args:
            constraints: Some of the space's.
            steps: Whether only values on the steps count.
        """
        rows: list[_Row] = []
        for constraint in constraints:
            if isinstance(constraint, LinearConstraint):
                rows.append(self._row(constraint))
            elif isinstance(constraint, Cardinality):
                rows.extend(self._counting(constraint))
        if not rows or not self._lower:  # all held at one value: intervals have settled that
            return True
        answer = self._solved(rows, np.zeros(len(self._lower)), steps=steps)
        if answer.status == _INFEASIBLE:
            return False
        return None if answer.x is None else True

    def point(self, rng: np.random.Generator) -> dict[str, float] | None:
        """A point that keeps all linear constraints, another for each state of chance; None where none was found."""
        rows = [self._row(one) for one in self._linear]
        answer = self._solved(rows, rng.standard_normal(len(self._lower)), steps=True)
        if answer.x is None:
            return None
        return {
            name: self._known[name] + sum(factor * float(answer.x[column]) for column, factor in columns)
            for name, columns in self._columns.items()
        }

    def nearest(self, constraint: LinearConstraint) -> tuple[float, ...]:
        """The nearest sums below and above the bound that the space reaches, one of them at least."""
        weights, constant, slack = self._sum(constraint)
        found = []
        for sign in (-1.0, 1.0):
            room = (-np.inf, constraint.bound - slack) if sign < 0 else (constraint.bound + slack, np.inf)
            row = (weights, room[0] - constant, room[1] - constant)
            answer = self._solved([row], sign * weights, steps=True)
            if answer.x is not None:
                found.append(float(weights @ answer.x) + constant)
        return tuple(found)

    def _counting(self, constraint: Cardinality) -> Iterator[_Row]:
        """A component is at most its bound where it is present, and 0 where not; so many are present."""
        switches = self._switches[constraint.text]
        for name, column in switches.items():
            constant, largest = self._known[name], self._largest[name]
            least = max(constraint.minimum, min(self._first(name), largest) if constraint.least else 0.0)
            slack = TOLERANCE * largest
            yield self._weights([*self._columns[name], (column, -largest)]), -np.inf, slack - constant
            yield self._weights([*self._columns[name], (column, -least)]), -slack - constant, np.inf
        count = self._weights([(column, 1.0) for column in switches.values()])
        yield count, float(constraint.least), float(constraint.most)

    def _first(self, name: str) -> float:
        """The least value above 0 of a component that has steps; 0 of one that has none."""
        factors = [factor for column, factor in self._columns[name] if self._stepped[column] and factor > 0]
        return min(factors, default=0.0)

    def _solved(self, rows: list[_Row], cost: Floats, *, steps: bool) -> Any:
        rows = [*rows, *((self._weights(columns), 1.0, 1.0) for columns in self._sums)]
        matrix = np.array([weights for weights, _, _ in rows]).reshape(len(rows), len(self._lower))
        length = np.abs(matrix).max(1, initial=0.0)
        length[length == 0] = 1.0  # of what is all held; elsewhere the largest weight is 1, for the tolerances
        low, high = (np.array([row[k] for row in rows]) / length for k in (1, 2))
        return milp(
            cost,
            constraints=Rows(matrix / length[:, None], low, high),
            bounds=Bounds(np.array(self._lower), np.array(self._upper)),
            integrality=np.array(self._stepped if steps else self._present, dtype=np.int8),
            options={"node_limit": _NODES},
        )

    def _row(self, constraint: LinearConstraint) -> _Row:
        """A constraint as weights and the least and greatest sum, with the tolerance that the space grants."""
        weights, constant, slack = self._sum(constraint)
        rest = constraint.bound - constant
        return (
            weights,
            -np.inf if constraint.relation == "<=" else rest - slack,
            np.inf if constraint.relation == ">=" else rest + slack,
        )

    def _sum(self, constraint: LinearConstraint) -> tuple[Floats, float, float]:
        """Weights of the columns, the constant part, and the tolerance where its terms are largest."""
        columns = [
            (column, weight * factor) for name, weight in constraint.terms for column, factor in self._columns[name]
        ]
        constant = sum(weight * self._known[name] for name, weight in constraint.terms)
        magnitude = sum(abs(weight) * self._largest[name] for name, weight in constraint.terms)
        return self._weights(columns), constant, TOLERANCE * max(magnitude, abs(constraint.bound))

    def _weights(self, columns: list[_Column]) -> Floats:
        weights = np.zeros(len(self._lower))
        for column, weight in columns:
            weights[column] += weight
        return weights
