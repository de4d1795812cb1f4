"""Which node of the generation strategy makes the next trials: centre, Sobol, then Bayesian optimization."""

from __future__ import annotations

from typing import Literal

from titrant.model.trial import TrialStatus
from titrant.rules.state import USELESS, State

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
    # A replicate is another's point once more: nothing of the design.  Where only own trials count it is among those
    # that were attached.
    others = state.replicates if strategy.use_existing_trials else state.attached
    made = state.next_index - sum(map(state.count, USELESS)) - others
    if made < strategy.budget:
        return "sobol", min(count, strategy.budget - made)
    if state.count(TrialStatus.COMPLETED) + state.count(TrialStatus.EARLY_STOPPED) < strategy.observed:
        return "sobol", count
    return "bo", count
