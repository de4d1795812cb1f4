"""Marks: suggestions that a model made from results which were withdrawn or corrected since."""

from __future__ import annotations

from titrant.model.trial import Trial
from titrant.rules.state import State

DESIGN = ("", "centre", "sobol", "random", "latin_hypercube", "grid")
"""Nodes that look at no result (and none at all: conditions of people's own)."""

Disowned = tuple[int, tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]


def saw_withdrawn(state: State) -> dict[int, tuple[int, ...]]:
    """Trials that a model suggested, with the trials whose since-withdrawn value it had seen then.

    A value is withdrawn where its trial was voided and not restored, or where it was corrected since.
    """
    trials = state.trials()
    disowned = [(trial.index, trial.withdrawn, trial.absent) for trial in trials if trial.withdrawn]
    if not disowned:
        return {}
    marks = {trial.index: _seen(trial, disowned) for trial in trials if trial.seen and trial.node not in DESIGN}
    return {index: seen for index, seen in marks.items() if seen}


def _seen(trial: Trial, disowned: list[Disowned]) -> tuple[int, ...]:
    return tuple(
        index
        for index, withdrawn, absent in disowned
        if _within(trial.seen, withdrawn) and not _within(trial.seen, absent)
    )


def _within(count: int, spans: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= count < end for first, end in spans)
