"""A comparison: which of two finished trials somebody prefers."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Comparison(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One judgement of two trials.

    Attributes:
        better: Index of the trial that is preferred; of a tie, one of the two.
        worse: Index of the other one.
        tie: Whether neither is preferred.
        judge: Who compared, where a name was given.
        note: Words on it.
        withdrawn: Why it counts no more; empty while it does.
    """

    better: int
    worse: int
    tie: bool = False
    judge: str = ""
    note: str = ""
    withdrawn: str = ""

    @property
    def pair(self) -> tuple[int, int]:
        """The two trials, the lower index first."""
        return min(self.better, self.worse), max(self.better, self.worse)


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a model needs to know of a comparison.

    Attributes:
        better: Index of the trial that is preferred; of a tie, one of the two.
        worse: Index of the other one.
        tie: Whether neither is preferred.
    """

    better: int
    worse: int
    tie: bool = False


def counting(comparisons: Iterable[Comparison], trials: Iterable[int]) -> tuple[Verdict, ...]:
    """The verdicts that count, of two of *trials* each, in an order that does not depend on who spoke first."""
    known = set(trials)
    return tuple(
        Verdict(one.better, one.worse, one.tie)
        for one in sorted(comparisons, key=lambda one: (one.pair, one.better, one.tie))
        if not one.withdrawn and one.better in known and one.worse in known
    )


def tallies(verdicts: Iterable[Verdict]) -> dict[int, tuple[float, int]]:
    """For each trial that was compared: how often it was preferred, ties counting half, and how often compared."""
    found: dict[int, tuple[float, int]] = {}
    for one in verdicts:
        for trial, points in ((one.better, 0.5 if one.tie else 1.0), (one.worse, 0.5 if one.tie else 0.0)):
            won, compared = found.get(trial, (0.0, 0))
            found[trial] = won + points, compared + 1
    return found
