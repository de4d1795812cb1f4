"""Which node of the generation strategy makes the next trials: centre, Sobol, then Bayesian optimization."""

from __future__ import annotations

from typing import Literal

from titrant.model.trial import TrialStatus
from titrant.rules.state import State

Node = Literal["centre", "sobol", "bo"]


def next_node(state: State, count: int) -> tuple[Node, int]:
    """The node to ask for the next trials, and how many of *count* it may make before the strategy looks again.

    The initial design never refuses for lack of data: while its results are on the way Sobol goes on.
    """
    strategy = state.strategy
    if strategy.initialize_with_center and not state.next_index and strategy.budget > 0:
        return "centre", 1
    if strategy.method == "random_search" or state.optimization is None:
        return "sobol", count
    failed = state.count(TrialStatus.FAILED) + state.count(TrialStatus.ABANDONED)
    made = state.next_index - failed - (0 if strategy.use_existing_trials else state.attached)
    if made < strategy.budget:
        return "sobol", min(count, strategy.budget - made)
    if state.count(TrialStatus.COMPLETED) + state.count(TrialStatus.EARLY_STOPPED) < strategy.observed:
        return "sobol", count
    return "bo", count
