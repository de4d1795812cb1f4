"""Suggestions made ahead of the next free slots, when that is worth it, and how long a slot waits for a fresh one."""

from __future__ import annotations

import math

from titrant.model.strategy import Policy
from titrant.model.trial import Suggestion, Trial
from titrant.rules.state import State

SHORT_TRIAL_S = 30.0
"""Trials shorter than this do not wait for a model that is still being loaded: a Sobol point goes first."""

NEGLIGIBLE = 0.01
"""Share of a trial's time that a slot may wait for a suggestion before some are made ahead."""

DRAWN = 16
"""Points of a sequence that are drawn at once where trials are so short that asking for each would idle the slots."""

SPARE = 3.0
"""How many suggestions there must be time for between two trials before one made ahead is made anew."""


class Pace:
    """How long suggestions and trials take, smoothed; in virtual time suggestions take none, unless they are said to.

    Args:
        generation_s: What a model's suggestion is taken to cost before one was measured.
    """

    def __init__(self, generation_s: float) -> None:
        self._generation_s = generation_s
        self._draw_s = 0.0
        self._trial_s = 0.0

    def drawn(self, seconds: float) -> None:
        """A point that needed no model took this long; the quickest counts: the first waits for a process to start."""
        self._draw_s = min(seconds, self._draw_s or seconds)

    def generated(self, seconds: float) -> None:
        """A suggestion of a model took this long."""
        self._generation_s = 0.7 * self._generation_s + 0.3 * seconds

    def ran(self, trial: Trial, at: int) -> None:
        """A trial's run has just ended."""
        seconds = 0.0 if trial.submitted_at is None else (at - trial.submitted_at) / 1e6
        self._trial_s = seconds if not self._trial_s else 0.8 * self._trial_s + 0.2 * seconds

    @property
    def generation_s(self) -> float:
        """What a model's suggestion is taken to cost, in seconds."""
        return self._generation_s

    @property
    def in_haste(self) -> bool:
        """Whether trials are so short that waiting for a model to be loaded would idle their slots."""
        return 0 < self._trial_s < SHORT_TRIAL_S

    def depth(self, parallelism: int, policy: Policy = "auto", wait_s: float = math.inf) -> int:
        """How many suggestions to hold: what the slots use up while one is made, and one for a slot that frees with it.

        Args:
            parallelism: Slots.
            policy: What they take.
            wait_s: How long one waits for a fresh suggestion at most.

        Returns:
            Under ``"auto"`` 0 where waiting costs a slot less than 1 % of a trial's time: then every suggestion sees
            the newest data.  Under ``"fresh"`` 1 where none can be made in time, to stand in, else 0.
        """
        if policy == "fresh":
            return int(self._generation_s > wait_s)
        if policy == "auto" and self._generation_s <= NEGLIGIBLE * self._trial_s:
            return 0
        used_up = parallelism * self._generation_s / max(self._trial_s, 1e-3)
        return min(parallelism, 1 + math.ceil(used_up))

    def worth_drawing(self, parallelism: int, deadline_s: float | None) -> int:
        """How many points of a sequence to draw ahead, which no result would change: none where trials take long.

        Args:
            parallelism: Slots.
            deadline_s: How long an answer may take; half of it is taken for certain to be enough.
        """
        if not self._trial_s or self._draw_s <= NEGLIGIBLE * self._trial_s:
            return 0
        in_time = math.inf if deadline_s is None else deadline_s / (2.0 * self._draw_s)
        return int(min(max(DRAWN, parallelism), in_time))

    def lags(self, parallelism: int) -> bool:
        """Whether slots use suggestions up faster than they can be made one by one."""
        return self._generation_s * parallelism > self._trial_s > 0

    def may_renew(self, parallelism: int, policy: Policy) -> bool:
        """Whether there is time to make a suggestion anew that was made ahead and has not seen the newest data."""
        if policy == "auto":
            return SPARE * self._generation_s * parallelism <= self._trial_s
        return policy == "ready"


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

    def renew(self, old: Suggestion, made_from: State, suggestions: tuple[Suggestion, ...]) -> None:
        """Hold *suggestions* in the place of *old*; not where that was used meanwhile, as they would be near it."""
        if any(one is old for one in self._suggestions):
            self._suggestions = tuple(one for one in self._suggestions if one is not old)
            self.keep(made_from, suggestions)

    def clear(self) -> None:
        """Throw all of them away."""
        self._suggestions = ()

    def take(self, state: State, count: int, results: int = 0, node: str | None = None) -> tuple[Suggestion, ...]:
        """Up to *count* suggestions, the oldest first; none that answer another question than *state* asks.

        Args:
            state: What is known now.
            count: How many are wanted.
            results: What they must have seen: results up to that change of them.
            node: The strategy's node that makes suggestions now; what another one made is thrown away.
        """
        made_from = self._made_from
        if made_from is None or (made_from.experiment, made_from.optimization, made_from.strategy) != (
            state.experiment,
            state.optimization,
            state.strategy,
        ):
            self._suggestions = ()
        if node is not None:
            self._suggestions = tuple(one for one in self._suggestions if one.strategy_node == node)
        taken = tuple(one for one in self._suggestions if one.results >= results)[:count]
        self._suggestions = tuple(one for one in self._suggestions if not any(one is other for other in taken))
        return taken

    def stale(self, results: int) -> Suggestion | None:
        """The next one to be used that has not seen the newest results; None where there is none."""
        return next((one for one in self._suggestions if one.results < results), None)

    def held(self) -> tuple[Suggestion, ...]:
        """What is there, for the generator to keep away from."""
        return self._suggestions


class Patience:
    """How long the free slots have been waiting for a suggestion that has seen the newest data."""

    def __init__(self) -> None:
        self._since: int | None = None
        self._told = False

    def begin(self, now: int) -> None:
        """A slot is free and has nothing; *now* in microseconds since 1970 UTC."""
        if self._since is None:
            self._since, self._told = now, False

    @property
    def tried(self) -> bool:
        """Whether a slot is waiting."""
        return self._since is not None

    def end(self) -> None:
        """No slot waits any more."""
        self._since = None

    def left(self, now: int, wait_s: float) -> float:
        """Seconds until the slot takes what there is."""
        return wait_s if self._since is None else wait_s - (now - self._since) / 1e6

    def first(self) -> bool:
        """Whether this is the first time that it is asked since the slot was free: an alarm has to be set once."""
        told, self._told = self._told, True
        return not told


def policy_of(state: State) -> Policy:
    """What free slots take: as the run says, else as the strategy does."""
    chosen = None if state.run is None else state.run.options.policy
    return state.strategy.policy if chosen is None else chosen


def data_on_the_way(state: State) -> bool:
    """Whether a trial's run is over and its data are still being fetched."""
    return any(trial.run_done and trial.awaiting for trial in state.open.values())
