"""Which node of the generation strategy makes the next trials, and whether it may.

The graph is walked from its first node at every question.  No place in it is stored: a trial that failed or was
withdrawn counts no more, and the node that made it makes up for it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from titrant.model.experiment import Node
from titrant.model.factorial import USUAL, factorial
from titrant.model.strategy import (
    AutoTransitionAfterGen,
    GenerationNode,
    IsSingleObjective,
    MaxGenerationParallelism,
    MaxTrialsAwaitingData,
    MinTrials,
    StatusName,
    TransitionCriterion,
)
from titrant.model.trial import TrialStatus
from titrant.rules.state import NONE_CLOSED, USELESS, State

OBSERVED: tuple[StatusName, ...] = ("COMPLETED", "EARLY_STOPPED")
NO_RESULT: tuple[StatusName, ...] = ("FAILED", "ABANDONED", "VOIDED", "REJECTED", "STALE")
assert {TrialStatus[name] for name in NO_RESULT} == USELESS

_ALL = frozenset(TrialStatus)
_OPEN = frozenset(status for status in TrialStatus if status.is_open)

Counting = MinTrials | MaxGenerationParallelism | MaxTrialsAwaitingData


class Choice(msgspec.Struct, frozen=True):
    """What is asked next.

    Attributes:
        node: The node that the strategy stands at.
        count: How many trials it may make before the strategy is looked at again.
        instead: Why Sobol points go in the place of what the node would make; empty where it makes them.
    """

    node: GenerationNode
    count: int
    instead: str = ""


def next_node(state: State, count: int) -> tuple[Node, int]:
    """Who makes the next trials, and how many of *count* before the strategy looks again."""
    choice = choose(state, count)
    return choice.node.generator, choice.count


def choose(state: State, count: int, *, ahead: bool = False) -> Choice:
    """The node to ask for the next trials; it never refuses, and says what goes instead.

    Args:
        state: What is known.
        count: How many trials are wanted.
        ahead: Whether they are made before they may go: then what pauses does not matter yet.
    """
    node = place(state)
    left, why = (math.inf, "") if ahead else allowance(state, node)
    if left > 0:
        limit = min((_remaining(state, node, one) for one in node.transition_criteria), default=math.inf)
        count = int(min(count, left, limit))
    else:
        return Choice(node, count, why)
    if node.is_model and state.optimization is None:
        return Choice(node, count, f"node {node.name!r} is a model, and nothing is sought yet")
    return Choice(node, count)


def place(state: State) -> GenerationNode:
    """The node that the strategy stands at."""
    nodes = graph(state)
    by_name = {node.name: node for node in nodes}
    node = nodes[0]
    while (further := _further(state, node)) is not None:  # it ends: a graph with a circle in it is refused
        node = by_name[further]
    return node


def waits(state: State) -> str:
    """Why the strategy makes no trial for the closed loop just now; empty where it does."""
    return allowance(state)[1]


def allowance(state: State, node: GenerationNode | None = None) -> tuple[float, str]:
    """How many trials pausing criteria leave to the node that the strategy stands at, and what pauses where none."""
    if not state.strategy.nodes:
        return math.inf, ""
    node = place(state) if node is None else node
    left, why = math.inf, ""
    for criterion in node.pausing_criteria:
        count = _count(state, node, criterion)
        if criterion.threshold - count < left:
            left = max(0, criterion.threshold - count)
            why = f"node {node.name!r} pauses: {count} trials, {type(criterion).__name__} {criterion.threshold}"
    return left, "" if left else why


def graph(state: State) -> tuple[GenerationNode, ...]:
    """The strategy as a graph, its first node first: as it was given, or what its fields stand for."""
    return state.strategy.nodes or standard(state)


def standard(state: State) -> tuple[GenerationNode, ...]:
    """The graph of a strategy that is not given as one: centre, initial design, model.

    The design never refuses for lack of data: while its results are on the way it goes on, Sobol after a grid.
    """
    strategy, planned = state.strategy, budget(state)
    if informed(state):
        return (GenerationNode(name="bo", generator="bo"),)
    needed = max(1, planned // 2) if strategy.min_observed is None else strategy.min_observed
    design = strategy.initialization
    made = MinTrials(
        threshold=planned,
        transition_to="sobol" if design == "grid" else "bo",
        not_in_statuses=NO_RESULT,
        use_all_trials_in_exp=True,
        count_attached=strategy.use_existing_trials,
    )
    observed = MinTrials(threshold=needed, transition_to="bo", only_in_statuses=OBSERVED, use_all_trials_in_exp=True)
    size = max(1, planned - strategy.initialize_with_center) if design == "latin_hypercube" else 0
    levels = strategy.grid_levels if design == "grid" else USUAL
    first = GenerationNode(name=design, generator=design, size=size, grid_levels=levels)
    nodes: list[GenerationNode] = []
    if strategy.initialize_with_center and planned > 0:
        once = MinTrials(threshold=1, transition_to=design, use_all_trials_in_exp=True)
        nodes.append(GenerationNode(name="centre", generator="centre", transition_criteria=(once,)))
    if not model_follows(state):
        return (*nodes, first)
    if design == "grid":
        nodes.append(replace(first, transition_criteria=(made,)))
        nodes.append(GenerationNode(name="sobol", generator="sobol", transition_criteria=(observed,)))
    else:
        nodes.append(replace(first, transition_criteria=(made, observed)))
    return (*nodes, GenerationNode(name="bo", generator="bo"))


def model_follows(state: State) -> bool:
    """Whether a model takes over after the initial design."""
    return state.strategy.method != "random_search" and state.optimization is not None


def informed(state: State) -> bool:
    """Whether past experiments stand in for an initial design, so that a model makes the first trials too.

    They do where they tell of what is sought, and nothing was said of the design's size.
    """
    strategy, wanted = state.strategy, state.optimization
    if not state.past or wanted is None or state.experiment is None or not model_follows(state):
        return False
    if state.experiment.space.having("fidelity"):
        return False
    asked = strategy.initialization_budget is not None or strategy.min_observed is not None
    return not asked and any(name in past.metrics for past in state.past for name in wanted.objective_metrics)


def model_due(state: State, total: int) -> bool:
    """Whether a model makes some of the first *total* trials, as far as that can be told beforehand."""
    if state.strategy.nodes:
        return any(node.is_model for node in state.strategy.nodes)
    return state.strategy.method != "random_search" and (informed(state) or total > budget(state))


def budget(state: State) -> int:
    """Trials of the initial design: of a grid that nothing else is said of all its points, and the centre with them."""
    strategy, experiment = state.strategy, state.experiment
    if strategy.initialization != "grid" or strategy.initialization_budget is not None or experiment is None:
        return strategy.budget
    points = factorial(experiment.space, strategy.grid_levels)
    beside = strategy.initialize_with_center and experiment.space.centre() not in points
    return len(points) + beside


# --- criteria -------------------------------------------------------------------------------------------------------


def _further(state: State, node: GenerationNode) -> str | None:
    """The node to go on to; None where the strategy stays."""
    for target, criteria in node.ways().items():
        if all(_met(state, node, criterion) for criterion in criteria):
            return target
    return None


def _met(state: State, node: GenerationNode, criterion: TransitionCriterion) -> bool:
    match criterion:
        case MinTrials():
            return _count(state, node, criterion) >= criterion.threshold
        case AutoTransitionAfterGen():
            return _own(state, node, _ALL) > 0
        case IsSingleObjective():
            return state.optimization is None or not state.optimization.is_multi_objective


def _remaining(state: State, node: GenerationNode, criterion: TransitionCriterion) -> float:
    """How many trials the node may make before the criterion has to be looked at again."""
    if isinstance(criterion, AutoTransitionAfterGen):
        return 1
    if not isinstance(criterion, MinTrials) or TrialStatus.CANDIDATE not in _statuses(criterion):
        return math.inf
    left = criterion.threshold - _count(state, node, criterion)
    return left if left > 0 else math.inf


def _count(state: State, node: GenerationNode, criterion: Counting) -> int:
    statuses = _statuses(criterion)
    if not criterion.use_all_trials_in_exp:
        return _own(state, node, statuses)
    if not isinstance(criterion, MinTrials) or criterion.only_in_statuses:
        return _of(state, statuses)
    # A replicate is another's point once more: nothing of a design.  Where only own trials count it is among those
    # that were attached.
    others = state.replicates if criterion.count_attached else state.attached
    return state.next_index - _of(state, _ALL - statuses) - others


def _of(state: State, statuses: frozenset[TrialStatus]) -> int:
    """All trials in these."""
    under_way = sum(trial.status in statuses for trial in state.open.values()) if statuses & _OPEN else 0
    return under_way + sum(state.counts[status] for status in statuses)


def _own(state: State, node: GenerationNode, statuses: frozenset[TrialStatus]) -> int:
    """Trials in these that the node made."""
    closed = state.made_by.get(node.name, NONE_CLOSED)
    under_way = sum(trial.strategy_node == node.name and trial.status in statuses for trial in state.open.values())
    return under_way + sum(closed[status] for status in statuses)


def _statuses(criterion: Counting) -> frozenset[TrialStatus]:
    under_way = isinstance(criterion, MaxGenerationParallelism)
    return _named(criterion.only_in_statuses, criterion.not_in_statuses, under_way)


@lru_cache(maxsize=64)
def _named(only: tuple[str, ...], but: tuple[str, ...], under_way: bool) -> frozenset[TrialStatus]:
    """The statuses that are meant; a submission under way is RUNNING to whoever knows Ax."""
    usual = _OPEN if under_way else _ALL
    chosen = {TrialStatus[name] for name in only} or usual
    left = chosen - {TrialStatus[name] for name in but}
    if "RUNNING" in only and "SUBMITTING" not in but:
        left |= {TrialStatus.SUBMITTING}
    if "RUNNING" in but and "SUBMITTING" not in only:
        left -= {TrialStatus.SUBMITTING}
    return frozenset(left)
