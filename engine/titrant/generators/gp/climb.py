"""Climbing an acquisition function by its gradient, inside the box and between the planes of the constraints."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

# Typed only where scipy-stubs is installed.
from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.domain import Domain

Places = npt.NDArray[np.intp]

_ITERATIONS = 50
# Relative gain of a step, of a logarithm, below which a climb ends.
_PRECISION = 1e-8


class Sloped(Protocol):
    """An acquisition function whose gradient is known: ``acquisition.Acquisition`` and others."""

    @property
    def name(self) -> str:
        """What it is called."""

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""


class Climber:
    """An acquisition function as the search wants it (``search.Function``)."""

    def __init__(self, function: Sloped, box: tuple[Floats, Floats] | None = None) -> None:
        """Take what is to be climbed, and the least and greatest coordinates, ``w`` each, where not 0 and 1."""
        self._function, self._box = function, box

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        return self._function.values(points)

    def climbed(self, points: Floats, domain: Domain) -> Floats:
        """Where gradients lead from each of ``s x w`` within the domain's planes and relaxed columns: ``s x w``."""
        free = np.flatnonzero(domain.relaxed)
        return np.array([self._climb(point, free, _constraints(domain, free, point)) for point in points])

    def _climb(self, start: Floats, free: Places, constraints: list[dict[str, Any]]) -> Floats:
        """The end of one climb, ``w``, that moves the columns ``free`` only."""
        point = start.copy()
        low, high = (np.zeros(len(start)), np.ones(len(start))) if self._box is None else self._box

        def downhill(moved: Floats) -> tuple[float, Floats]:
            point[free] = moved
            value, slope = self._function.value_and_slope(point)
            return -value, -slope[free]

        answer: Any = minimize(  # type: ignore[call-overload,unused-ignore]  # its stubs want literal options
            downhill,
            start[free],
            jac=True,
            method="SLSQP" if constraints else "L-BFGS-B",
            bounds=list(zip(low[free], high[free], strict=True)),
            constraints=constraints,
            options={"maxiter": _ITERATIONS, "ftol": _PRECISION},
        )
        end = start.copy()
        end[free] = answer.x
        return end


def _constraints(domain: Domain, free: Places, start: Floats) -> list[dict[str, Any]]:
    """The domain's planes over the free columns, as SLSQP takes them; the others stay where the start, ``w``, is."""
    found: list[dict[str, Any]] = []
    for kind, planes in zip(("ineq", "eq"), domain.planes(), strict=True):
        for columns, weights, bound in planes:
            row = np.zeros(len(start))
            row[columns] = weights
            moved = row[free]
            if moved.any():
                rest = bound - float(row @ start) + float(moved @ start[free])
                found.append({"type": kind, "fun": _Distance(moved, rest), "jac": _Normal(moved)})
    return found


class _Distance:
    """How far a point is on the allowed side of a plane."""

    def __init__(self, row: Floats, bound: float) -> None:
        self._row, self._bound = row, bound

    def __call__(self, moved: Floats) -> float:
        return float(self._row @ moved) - self._bound


class _Normal:
    """A plane's normal, the same everywhere."""

    def __init__(self, row: Floats) -> None:
        self._row = row

    def __call__(self, moved: Floats) -> Floats:
        return self._row
