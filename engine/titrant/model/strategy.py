"""How trials are made: a generation strategy, and the graph of nodes that it is or may be given as.

A graph is data: nodes, each with a generator, criteria that lead on to another node, and criteria that pause it.  They
have the names of Ax's own, and their meaning where it is not said otherwise.  Where a graph stands is never stored: it
is found anew from the trials (``rules.strategy``), so that trials that gave no result are made up for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from titrant.errors import ConfigurationError
from titrant.model.factorial import USUAL, Levels
from titrant.model.fidelity import Cost

Method = Literal["fast", "quality", "thompson", "turbo", "botorch", "random_search"]
"""How a model makes suggestions: see ``docs/generators.md``; with the last none does."""
Initialization = Literal["sobol", "latin_hypercube", "random", "grid"]
Node = Literal["centre", "sobol", "latin_hypercube", "random", "grid", "bo"]
"""Who makes a suggestion: the centre, an initial design, or a model."""
Policy = Literal["auto", "fresh", "ready"]
"""What a free slot takes: a suggestion that has seen the newest data, one made ahead, or what suits their durations."""
StatusName = Literal[
    "CANDIDATE",
    "PROPOSED",
    "APPROVED",
    "STAGED",
    "SUBMITTING",
    "RUNNING",
    "UNKNOWN",
    "COMPLETED",
    "EARLY_STOPPED",
    "FAILED",
    "ABANDONED",
    "REJECTED",
    "STALE",
    "VOIDED",
]
"""Names of ``TrialStatus``; RUNNING stands for SUBMITTING as well."""

Whole = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Text = Annotated[str, Meta(min_length=1)]

OF_A_DESIGN = (
    "initialization_budget",
    "initialize_with_center",
    "use_existing_trials_for_initialization",
    "min_observed_initialization_trials",
    "initialization",
    "grid_levels",
)
"""Arguments of ``configure_generation_strategy`` that mean nothing beside nodes."""
EITHER = "give either nodes or an initial design: with nodes, each says what it makes"

GIVEN_UP: tuple[StatusName, ...] = ("FAILED", "ABANDONED")


class Criterion(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="criterion"
):
    """The base of all criteria; in a file and in the log ``criterion`` is the name of the class."""


class MinTrials(Criterion, frozen=True, kw_only=True, tag="MinTrials"):
    """Go on to another node once there are so many trials.

    Attributes:
        threshold: How many.
        transition_to: The node to go on to.
        only_in_statuses: Only trials in these count; of any where empty.
        not_in_statuses: Trials in these do not.
        use_all_trials_in_exp: Count all trials of the experiment, not only those that the node made.
        count_attached: Of all trials, count those that no generator suggested too; replicates never count.
    """

    threshold: Whole
    transition_to: Text
    only_in_statuses: tuple[StatusName, ...] = ()
    not_in_statuses: tuple[StatusName, ...] = ()
    use_all_trials_in_exp: bool = False
    count_attached: bool = True


class AutoTransitionAfterGen(Criterion, frozen=True, kw_only=True, tag="AutoTransitionAfterGen"):
    """Go on once the node has made a trial.

    Attributes:
        transition_to: The node to go on to.
    """

    transition_to: Text


class IsSingleObjective(Criterion, frozen=True, kw_only=True, tag="IsSingleObjective"):
    """Go on where at most one objective is sought.

    Attributes:
        transition_to: The node to go on to.
    """

    transition_to: Text


class MaxGenerationParallelism(Criterion, frozen=True, kw_only=True, tag="MaxGenerationParallelism"):
    """Make no more trials while so many are under way.

    Attributes:
        threshold: How many.
        only_in_statuses: Only trials in these count; where empty all that something is still to happen to.
        not_in_statuses: Trials in these do not.
        use_all_trials_in_exp: Count all trials of the experiment, not only those that the node made.
    """

    threshold: Count
    only_in_statuses: tuple[StatusName, ...] = ()
    not_in_statuses: tuple[StatusName, ...] = ()
    use_all_trials_in_exp: bool = False


class MaxTrialsAwaitingData(Criterion, frozen=True, kw_only=True, tag="MaxTrialsAwaitingData"):
    """Make no more trials than these before data let the strategy go on to another node.

    Attributes:
        threshold: How many.
        only_in_statuses: Only trials in these count; of any where empty.
        not_in_statuses: Trials in these do not.
        use_all_trials_in_exp: Count all trials of the experiment, not only those that the node made.
    """

    threshold: Count
    only_in_statuses: tuple[StatusName, ...] = ()
    not_in_statuses: tuple[StatusName, ...] = GIVEN_UP
    use_all_trials_in_exp: bool = False


TransitionCriterion = MinTrials | AutoTransitionAfterGen | IsSingleObjective
PausingCriterion = MaxGenerationParallelism | MaxTrialsAwaitingData


class GenerationNode(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A node of a generation strategy.

    All criteria that lead to the same node must be met before the strategy goes on to it; where several could be gone
    on to, the one named first is.

    Attributes:
        name: Its name, unique in the strategy.
        generator: Who makes its trials.
        method: Of a model: which; the strategy's own where None.
        size: Of a latin hypercube: its points.
        grid_levels: Of a grid: levels of its ranges, for all or by name.
        transition_criteria: What leads on to other nodes; a node without stays for good.
        pausing_criteria: What keeps the closed loop waiting.
    """

    name: Text
    generator: Node
    method: Method | None = None
    size: Whole = 0
    grid_levels: Levels = USUAL
    transition_criteria: tuple[TransitionCriterion, ...] = ()
    pausing_criteria: tuple[PausingCriterion, ...] = ()

    @property
    def is_model(self) -> bool:
        """Whether it learns from data."""
        return self.generator == "bo"

    def ways(self) -> dict[str, list[TransitionCriterion]]:
        """Nodes that follow, in order, each with all that must be met."""
        found: dict[str, list[TransitionCriterion]] = {}
        for criterion in self.transition_criteria:
            found.setdefault(criterion.transition_to, []).append(criterion)
        return found


class GenerationStrategy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How trials are made: centre, then an initial design, then Bayesian optimization, with Ax's defaults.

    Attributes:
        method: ``"random_search"`` stays with the design, every other one ends in Bayesian optimization.
        initialization_budget: Trials before the model takes over, the centre among them; where None 5, and of a grid
            all of it.
        min_observed: Of these, how many must be completed; ``max(1, budget // 2)`` where None.
        initialize_with_center: Whether the first trial is the centre of the search space.
        use_existing_trials: Whether attached trials count towards the budget.
        seed: The seed of the initial design; from the experiment's seed where None.
        deadline_seconds: How long one request for suggestions may take before Sobol stands in.
        initialization: The initial design.
        grid_levels: Levels of a grid's ranges, for all or by name (3 where a name is missing); choices have all theirs.
        nodes: The strategy as a graph, from its first node on; then of the fields above only ``seed`` and
            ``deadline_seconds`` decide anything, and ``method`` is that of the first model.
        policy: What a free slot takes.
        wait_seconds: How long a slot waits at most under the policy ``"fresh"``.
        learn_from_failures: Whether a model keeps away from where trials fail (see ``events.TrialFailed``).
        cost: What trials cost, where the space has fidelities (see ``model.fidelity``).
    """

    method: Method = "fast"
    initialization_budget: int | None = None
    min_observed: int | None = None
    initialize_with_center: bool = True
    use_existing_trials: bool = True
    seed: int | None = None
    deadline_seconds: float = 120.0
    initialization: Initialization = "sobol"
    grid_levels: Levels = USUAL
    nodes: tuple[GenerationNode, ...] = ()
    policy: Policy = "auto"
    wait_seconds: float = 30.0
    learn_from_failures: bool = True
    cost: Cost | None = None

    @property
    def budget(self) -> int:
        """Trials of the initial design, the centre among them; of a whole grid see ``rules.strategy.budget``."""
        return 5 if self.initialization_budget is None else self.initialization_budget

    @property
    def observed(self) -> int:
        """Completed trials needed before the model takes over."""
        return max(1, self.budget // 2) if self.min_observed is None else self.min_observed

    def node(self, name: str) -> GenerationNode | None:
        """The node of that name, of a strategy that was given as a graph."""
        return next((node for node in self.nodes if node.name == name), None)


def checked_seed(name: str, given: int | None) -> int | None:
    """A seed that somebody gave as the argument *name*; None where none was given.

    Raises:
        ConfigurationError: It is no whole number, or below 0: generators of random numbers refuse these.
    """
    if given is not None and (not isinstance(given, int) or given < 0):
        raise ConfigurationError(f"{name} is {given!r}: give a whole number from 0 on, or None")
    return given


def flaw(nodes: Sequence[GenerationNode]) -> str | None:
    """Why *nodes* are no strategy, and what to do; None where they are."""
    names = [node.name for node in nodes]
    if not names:
        return "a generation strategy needs one node at least"
    if twice := sorted({name for name in names if names.count(name) > 1}):
        return f"node names must be unique: {', '.join(map(repr, twice))} given more than once"
    if wrong := next((found for node in nodes if (found := _flaw(node, names)) is not None), None):
        return wrong
    follow = {node.name: tuple(node.ways()) for node in nodes}
    if circle := _circle(names[0], follow, (), set()):
        return f"the nodes {' → '.join(map(repr, circle))} go round in a circle: let a node lead to later ones only"
    reached = _reached(names[0], follow)
    if lost := [name for name in names if name not in reached]:
        return f"node {lost[0]!r} is never reached: name it in a transition criterion, or leave it out"
    return None


def _flaw(node: GenerationNode, names: list[str]) -> str | None:
    unknown = [name for name in node.ways() if name not in names]
    if unknown:
        return f"node {node.name!r} leads to {unknown[0]!r}, which is no node: there are {', '.join(map(repr, names))}"
    if node.method is not None and (not node.is_model or node.method == "random_search"):
        return f"node {node.name!r} has method={node.method!r}: give one of a model's, to a model"
    if node.generator == "latin_hypercube" and not node.size:
        return f"node {node.name!r} is a latin hypercube of no size: give size, the number of its points"
    if node.size and node.generator != "latin_hypercube":
        return f"node {node.name!r} has size={node.size}: only a latin hypercube has one; MinTrials says when to go on"
    if any(isinstance(one, MaxTrialsAwaitingData) for one in node.pausing_criteria) and not node.transition_criteria:
        return (
            f"node {node.name!r} would pause for good: it has MaxTrialsAwaitingData and leads to no other node; "
            "MaxGenerationParallelism bounds the trials under way"
        )
    for criterion in node.transition_criteria:
        if isinstance(criterion, MinTrials) and not criterion.count_attached:
            if not criterion.use_all_trials_in_exp:
                return f"node {node.name!r}: count_attached=False means something with use_all_trials_in_exp=True only"
            if criterion.only_in_statuses:
                return f"node {node.name!r}: count_attached=False cannot be had with only_in_statuses"
    return None


def _circle(name: str, follow: dict[str, tuple[str, ...]], path: tuple[str, ...], clear: set[str]) -> tuple[str, ...]:
    """A way from a node back to itself; empty where there is none.  Nodes that are *clear* lead into no circle."""
    if name in path:
        return (*path[path.index(name) :], name)
    if name not in clear:
        for further in follow[name]:
            if way := _circle(further, follow, (*path, name), clear):
                return way
        clear.add(name)
    return ()


def _reached(name: str, follow: dict[str, tuple[str, ...]]) -> set[str]:
    found, left = {name}, [name]
    while left:
        new = [one for one in follow[left.pop()] if one not in found]
        found.update(new)
        left += new
    return found
