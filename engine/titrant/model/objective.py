"""What is sought: objectives to be made better, outcome constraints to be kept."""

from __future__ import annotations

from typing import Literal

import msgspec


class Objective(msgspec.Struct, frozen=True):
    """A linear combination of metrics, to be maximized: ``"-cost"`` is ``(("cost", -1.0),)``."""

    text: str
    terms: tuple[tuple[str, float], ...]


class OutcomeConstraint(msgspec.Struct, frozen=True):
    """``sum(weight * metric) relation bound``; with ``relative`` the bound is a multiple of the baseline's value."""

    text: str
    terms: tuple[tuple[str, float], ...]
    relation: Literal["<=", ">="]
    bound: float
    relative: bool = False


class OptimizationConfig(msgspec.Struct, frozen=True):
    """One objective or several, and the outcome constraints."""

    text: str
    objectives: tuple[Objective, ...]
    constraints: tuple[OutcomeConstraint, ...] = ()
