"""What questions about the best trials are answered with: as in Ax, and beside it whether a model says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from titrant.model.trial import Parameterization

Prediction = dict[str, tuple[float, float | None]]
"""Metric name to (mean, SEM) in the metric's own unit."""

Source = Literal["model", "observed"]
"""Whether values are a model's predictions or what was measured."""


class BestTrial(tuple[Parameterization, Prediction, int, str]):
    """Conditions, metric values as (mean, SEM), trial index and arm name, as a tuple of these four.

    Attributes:
        source: Whether the values, and the ranking by them, are a model's predictions or what was measured.
        reason: Why it was measured values although predictions were asked for, and which outcome constraints did not
            count, as the baseline has no data; empty where there is nothing of that to be said.
        probability: Where a preference is sought and a model answers: how likely it is the best of the finished ones.
    """

    source: Source
    reason: str
    probability: float | None

    def __new__(
        cls,
        parameters: Parameterization,
        values: Mapping[str, tuple[float, float | None]],
        trial_index: int,
        arm_name: str,
        *,
        source: Source,
        reason: str = "",
        probability: float | None = None,
    ) -> BestTrial:
        """Put the parts together."""
        found = super().__new__(cls, (parameters, dict(values), trial_index, arm_name))
        found.source, found.reason, found.probability = source, reason, probability
        return found

    def __getnewargs_ex__(self) -> tuple[tuple[object, ...], dict[str, object]]:
        """How it is copied and pickled."""
        return tuple(self), {"source": self.source, "reason": self.reason, "probability": self.probability}


class ParetoFrontier(list[BestTrial]):
    """The trials that no other beats in every objective.

    Attributes:
        source: Whether that is by a model's predictions or by what was measured.
        reason: Why it was measured values although predictions were asked for, and which outcome constraints did not
            count, as the baseline has no data; empty where there is nothing of that to be said.
    """

    def __init__(self, trials: Iterable[BestTrial], *, source: Source, reason: str = "") -> None:
        """Put the parts together."""
        super().__init__(trials)
        self.source, self.reason = source, reason


class Hypervolume(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the trade-off was won: the volume between a reference point and the front.

    Attributes:
        value: The volume, in the product of the objectives' units.
        reference: For each objective, by its text, the value from which it counts, in its own unit and direction: of
            ``"-cost"`` it is a cost.
        inferred: The objectives that have no threshold, whose part of the reference point was inferred from the front;
            it moves with the front, so that volumes at different times cannot be compared.
        source: Whether the front is by a model's predictions or by what was measured.
        reason: Why it was measured values although predictions were asked for, and which outcome constraints did not
            count, as the baseline has no data; empty where there is nothing of that to be said.
    """

    value: float
    reference: dict[str, float]
    inferred: tuple[str, ...]
    source: Source
    reason: str = ""
