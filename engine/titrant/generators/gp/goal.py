"""What is sought, in the standardized units that a model is fitted in."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from titrant.errors import ObjectiveError
from titrant.generators.axes import Floats
from titrant.generators.encoding import Mask
from titrant.generators.gp.data import Data
from titrant.model.objective import OptimizationConfig, OutcomeConstraint


class Goal(msgspec.Struct, frozen=True):
    """Objectives and constraints as linear functions of the standardized metrics.

    Attributes:
        objectives: Weights, ``k x m``: larger is better, about unit variance.
        constraints: Weights, ``c x m``.
        bounds: ``c``; a constraint holds where ``constraints @ y <= bounds``.
        thresholds: For each objective the value below which it is of no interest, ``k``; NaN where none was given.
    """

    objectives: Floats
    constraints: Floats
    bounds: Floats
    thresholds: Floats

    def feasible(self, y: Floats) -> Mask:
        """Which rows of standardized metrics, ``n x m``, keep all constraints and lack no metric (NaN): ``n``."""
        return np.asarray((y @ self.constraints.T <= self.bounds).all(1) & np.isfinite(y).all(1))

    def values(self, y: Floats) -> Floats:
        """Objectives of standardized metrics: ``n x m`` to ``n x k``."""
        return y @ self.objectives.T

    def worths(self, y: Floats) -> Floats:
        """What rows of standardized metrics are worth, all objectives together: ``n x m`` to ``n``.

        Those that break a constraint are worth least.
        """
        worth = self.values(y).sum(1)
        least = float(np.min(worth, initial=0.0, where=np.isfinite(worth))) - 1.0
        return np.asarray(np.where(self.feasible(y), worth, least))


def goal(config: OptimizationConfig, data: Data) -> Goal:
    """The goal in the data's standardized units.

    With several objectives some constraints say where an objective begins to matter (``config.thresholds``).

    Raises:
        ObjectiveError: A constraint's bound is relative to a baseline, which is not known here.
    """
    weights = np.array([_weights(objective.terms, data) for objective in config.objectives])  # k x m
    sizes = np.array([_size(row) for row in weights])
    thresholds = np.full(len(weights), math.nan)
    rows: list[Floats] = []
    bounds: list[float] = []
    for place, threshold in enumerate(config.thresholds):
        if threshold is not None:
            row, bound = _standardized(threshold, data)
            # row @ y <= bound, and the objective is minus that up to a positive factor.
            thresholds[place] = -bound / _size(row)
    for constraint in config.outcome_constraints:
        row, bound = _standardized(constraint, data)
        rows.append(row / _size(row))
        bounds.append(bound / _size(row))
    return Goal(
        objectives=weights / sizes[:, None],
        constraints=np.array(rows).reshape(len(rows), len(data.metrics)),
        bounds=np.array(bounds),
        thresholds=thresholds,
    )


def _standardized(constraint: OutcomeConstraint, data: Data) -> tuple[Floats, float]:
    """Weights for standardized metrics, ``m``, and what their sum must not exceed."""
    sign = 1.0 if constraint.relation == "<=" else -1.0
    rest = constraint.limit() - sum(w * data.shift[data.metrics.index(m)] for m, w in constraint.terms)
    return sign * _weights(constraint.terms, data), float(sign * rest)


def _weights(terms: tuple[tuple[str, float], ...], data: Data) -> Floats:
    """Weights for standardized metrics, ``m``."""
    row = np.zeros(len(data.metrics))
    for name, weight in terms:
        place = data.metrics.index(name)
        row[place] += weight * data.scale[place]
    return row


def _size(row: Floats) -> float:
    greatest = float(np.abs(row).max(initial=0.0))
    if not greatest:
        raise ObjectiveError("the terms of an objective or outcome constraint cancel out")
    # Squares of very large or small weights would not be finite.
    return greatest * float(np.linalg.norm(row / greatest))
