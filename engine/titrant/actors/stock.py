"""Suggestions made ahead of the next free slots, and when that is worth it."""

from __future__ import annotations

import math

from titrant.model.trial import Suggestion, Trial
from titrant.rules.state import State

SHORT_TRIAL_S = 30.0
"""Trials shorter than this do not wait for a model that is still being loaded: a Sobol point goes first."""


class Pace:
    """How long suggestions and trials take, smoothed; in virtual time suggestions take none.

    Args:
        generation_s: What a model's suggestion is taken to cost before one was measured.
    """

    def __init__(self, generation_s: float) -> None:
        self._generation_s = generation_s
        self._trial_s = 0.0

    def generated(self, seconds: float) -> None:
        """A suggestion of a model took this long."""
        self._generation_s = 0.7 * self._generation_s + 0.3 * seconds

    def ran(self, trial: Trial, at: int) -> None:
        """A trial's run has just ended."""
        seconds = 0.0 if trial.submitted_at is None else (at - trial.submitted_at) / 1e6
        self._trial_s = seconds if not self._trial_s else 0.8 * self._trial_s + 0.2 * seconds

    @property
    def in_haste(self) -> bool:
        """Whether trials are so short that waiting for a model to be loaded would idle their slots."""
        return 0 < self._trial_s < SHORT_TRIAL_S

    def depth(self, parallelism: int) -> int:
        """How many suggestions to hold: what the slots use up while one is made, and one for a slot that frees with it.

        None where waiting costs a slot less than 1 % of a trial's time: then every suggestion sees the newest data.
        """
        if self._generation_s <= 0.01 * self._trial_s:
            return 0
        used_up = parallelism * self._generation_s / max(self._trial_s, 1e-3)
        return min(parallelism, 1 + math.ceil(used_up))


class Stock:
    """The suggestions themselves.  They are not in the log: after a crash others are made."""

    def __init__(self) -> None:
        self._made_from: State | None = None
        self._suggestions: tuple[Suggestion, ...] = ()

    def __len__(self) -> int:
        return len(self._suggestions)

    def keep(self, made_from: State, suggestions: tuple[Suggestion, ...]) -> None:
        """Hold *suggestions*, which answer the question that *made_from* asked."""
        self._made_from = made_from
        self._suggestions += suggestions

    def clear(self) -> None:
        """Throw all of them away."""
        self._suggestions = ()

    def take(self, state: State, count: int) -> tuple[Suggestion, ...]:
        """Up to *count* suggestions, the oldest first; none that answer another question than *state* asks."""
        made_from = self._made_from
        if made_from is None or (made_from.experiment, made_from.optimization, made_from.strategy) != (
            state.experiment,
            state.optimization,
            state.strategy,
        ):
            self._suggestions = ()
        taken, self._suggestions = self._suggestions[:count], self._suggestions[count:]
        return taken

    def held(self) -> tuple[Suggestion, ...]:
        """What is there, for the generator to keep away from."""
        return self._suggestions
