"""Which node of the generation strategy makes the next trials: centre, an initial design, then a model."""

from __future__ import annotations

from titrant.model.experiment import Node
from titrant.model.factorial import factorial
from titrant.model.trial import TrialStatus
from titrant.rules.state import USELESS, State


def next_node(state: State, count: int) -> tuple[Node, int]:
    """The node to ask for the next trials, and how many of *count* it may make before the strategy looks again.

    The initial design never refuses for lack of data: while its results are on the way it goes on, Sobol after a grid.
    """
    strategy = state.strategy
    planned = budget(state)
    if strategy.initialize_with_center and not state.next_index and planned > 0:
        return "centre", 1
    if not model_follows(state):
        return strategy.initialization, count
    # A replicate is another's point once more: nothing of the design.  Where only own trials count it is among those
    # that were attached.
    others = state.replicates if strategy.use_existing_trials else state.attached
    made = state.next_index - sum(map(state.count, USELESS)) - others
    if made < planned:
        return strategy.initialization, min(count, planned - made)
    needed = max(1, planned // 2) if strategy.min_observed is None else strategy.min_observed
    if state.count(TrialStatus.COMPLETED) + state.count(TrialStatus.EARLY_STOPPED) < needed:
        return "sobol" if strategy.initialization == "grid" else strategy.initialization, count
    return "bo", count


def model_follows(state: State) -> bool:
    """Whether a model takes over after the initial design."""
    return state.strategy.method != "random_search" and state.optimization is not None


def budget(state: State) -> int:
    """Trials of the initial design: of a grid that nothing else is said of all its points, and the centre with them."""
    strategy, experiment = state.strategy, state.experiment
    if strategy.initialization != "grid" or strategy.initialization_budget is not None or experiment is None:
        return strategy.budget
    points = factorial(experiment.space, strategy.grid_levels)
    beside = strategy.initialize_with_center and experiment.space.centre() not in points
    return len(points) + beside
