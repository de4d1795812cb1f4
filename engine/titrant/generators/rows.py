"""Which of many points keep a constraint, exactly as the search space itself judges one point."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from titrant.generators.axes import Floats
from titrant.generators.calls import CALLS
from titrant.model import formulas
from titrant.model.constraints import TOLERANCE, LinearConstraint
from titrant.model.restrictions import HAIR, Cardinality, Formula, Function
from titrant.model.space import AnyConstraint

Mask = npt.NDArray[np.bool_]


def keeps(one: AnyConstraint, values: Mapping[str, Floats]) -> Mask:
    """True for each point that keeps a constraint: ``n``; of a function, True for all.

    Args:
        one: The constraint.
        values: Numbers of the parameters in it, ``n`` each.
    """
    match one:
        case LinearConstraint():
            return _linear(one, values)
        case Cardinality():
            return _counted(one, values)
        case Formula():
            return _formula(one, values)
        case Function():
            return np.ones(len(next(iter(values.values()))), dtype=bool)


def _linear(one: LinearConstraint, values: Mapping[str, Floats]) -> Mask:
    parts = np.stack([weight * values[name] for name, weight in one.terms])
    over = parts.sum(0) - one.bound
    over = {"<=": over, ">=": -over, "==": np.abs(over)}[one.relation]
    return np.asarray(over <= TOLERANCE * np.maximum(np.abs(parts).sum(0), abs(one.bound)))


def _counted(one: Cardinality, values: Mapping[str, Floats]) -> Mask:
    shares = np.stack([values[name] for name in one.names])
    there = shares != 0
    enough = (~there | (shares >= one.minimum * (1 - HAIR))).all(0)
    return np.asarray(enough & (there.sum(0) >= one.least) & (there.sum(0) <= one.most))


def _formula(one: Formula, values: Mapping[str, Floats]) -> Mask:
    with np.errstate(all="ignore"):
        left = formulas.evaluate(one.parsed.left, values, CALLS)
        right = formulas.evaluate(one.parsed.right, values, CALLS)
        over = left - right if one.parsed.relation == "<=" else right - left
        kept = over <= TOLERANCE * np.maximum(np.abs(left), np.abs(right))
    return np.broadcast_to(np.asarray(kept), next(iter(values.values())).shape)
