"""The state of an experiment: the fold of its events, immutable, with a cost per event that does not grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from rpds import HashTrieMap

from titrant.errors import TrialNotFound
from titrant.model.approval import ApprovalPolicy
from titrant.model.comparison import Comparison
from titrant.model.experiment import Definition, Experiment, GenerationStrategy, RunnerSpec, RunOptions
from titrant.model.objective import OptimizationConfig
from titrant.model.past import Past
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig
from titrant.model.trial import ParameterValue, Trial, TrialStatus
from titrant.rules.closed import NONE, ClosedTrials

# rpds's maps take no type arguments at run time, where msgspec looks for them.
if TYPE_CHECKING:
    OpenTrials = Mapping[int, Trial]
    Reasons = HashTrieMap[str, str]
else:
    OpenTrials = Reasons = HashTrieMap

FEW = 64
"""Open trials up to which copying a dict is quicker than a persistent map (0.2 µs against 0.6 µs an event)."""

NONE_CLOSED = (0,) * (max(TrialStatus) + 1)


USELESS = frozenset(
    {
        TrialStatus.FAILED,
        TrialStatus.ABANDONED,
        TrialStatus.VOIDED,
        TrialStatus.REJECTED,
        TrialStatus.STALE,
    }
)
"""Trials that give no result: the initial design makes others in their place."""


class RunState(msgspec.Struct, frozen=True, gc=False):
    """A call of ``run_trials`` under way.

    Attributes:
        options: Its arguments.
        started_at: When it began, microseconds since 1970 UTC; later than any earlier run, so that it names the run.
        first: The first index that a trial of its own could have.
        created: New trials made by it.
        taken: Trials it is responsible for: its own, and those it took over; those that became UNKNOWN are a person's.
        ended: Of these, how many are over; the others are ``State.in_loop``.
        failures: Index and reason of those that failed or were abandoned.
        tripped: Whether more failed than tolerated.
        draining: Why nothing new is started, or None.
        stopping: Whether running trials are being stopped.
        exhausted: Why no new trial can be made, or None.
    """

    options: RunOptions
    started_at: int
    created: int = 0
    taken: int = 0
    ended: int = 0
    failures: tuple[tuple[int, str], ...] = ()
    tripped: bool = False
    draining: str | None = None
    stopping: bool = False
    exhausted: str | None = None
    first: int = 0


class LastRun(msgspec.Struct, frozen=True):
    """How the latest finished run ended."""

    options: RunOptions
    outcome: str
    reason: str
    created: int
    taken: int
    failures: tuple[tuple[int, str], ...]
    started_at: int = 0


class State(msgspec.Struct, frozen=True, gc=False):
    """Everything a decision may depend on.

    Open trials live apart from closed ones: an event touches a small map, and a trial moves to the large one once.

    Attributes:
        open: Index to trial, for trials something is still to happen to.
        closed: Index to trial, for trials that are over.
        queue: Indices of trials that wait for a runner, first come first served.
        busy: Runner name to slots in use; replaced, never changed (with few runners a copy is cheapest).
        in_loop: Open trials the closed loop is responsible for (UNKNOWN ones are a person's).
        unknown: Open trials whose fate a person must settle.
        inherited: Trial and attempt of submissions that were cut off by a failure: whether they began is not known.
        counts: Number of closed trials, at the position of each status's number.
        position: Points of the quasi-random sequence used up.
        attached: Trials that no generator suggested, but for ``USELESS`` ones.
        baseline: Index of the baseline trial.
        replicates: Those of them that carry another one's conditions out once more.
        results: Grows by one with every change of what models learn from: a result, a late datum, one withdrawn,
            restored or corrected, conditions that were carried out otherwise than planned, a comparison.
        approval: Which trials a person must approve.
        proposed: Indices of the trials that await approval.
        proposed_in_loop: How many of these the closed loop is responsible for.
        backfill: Values of parameters that trials older than them lack.
        domain: What parameters that were fixed later could be before: trials at other values still inform models.
        space_changes: How often the search space became another.
        definition: What the experiment file says, where there is one.
        made_by: Name of a node of a strategy that was given as a graph to the number of its closed trials, at the
            position of each status's number.
        past: What was taken from logs of past experiments.
        comparisons: What people preferred, in the order in which they said so; those withdrawn among them.
    """

    log_id: str = ""
    seed: int = 0
    experiment: Experiment | None = None
    optimization: OptimizationConfig | None = None
    strategy: GenerationStrategy = GenerationStrategy()
    metrics: tuple[str, ...] = ()
    tracking: tuple[str, ...] = ()
    runners: tuple[RunnerSpec, ...] = ()
    quarantined: Reasons = HashTrieMap()
    open: OpenTrials = {}
    closed: ClosedTrials = NONE
    next_index: int = 0
    queue: tuple[int, ...] = ()
    busy: Mapping[str, int] = {}
    in_loop: int = 0
    unknown: tuple[int, ...] = ()
    inherited: tuple[tuple[int, int], ...] = ()
    counts: tuple[int, ...] = NONE_CLOSED
    position: int = 0
    attached: int = 0
    baseline: int | None = None
    run: RunState | None = None
    last_run: LastRun | None = None
    paused: str | None = None
    halted: str | None = None
    replicates: int = 0
    results: int = 0
    approval: ApprovalPolicy = ApprovalPolicy()
    proposed: tuple[int, ...] = ()
    proposed_in_loop: int = 0
    backfill: Mapping[str, ParameterValue] = {}
    domain: Mapping[str, RangeParameterConfig | ChoiceParameterConfig] = {}
    space_changes: int = 0
    definition: Definition | None = None
    made_by: Mapping[str, tuple[int, ...]] = {}
    past: tuple[Past, ...] = ()
    comparisons: tuple[Comparison, ...] = ()

    def trial(self, index: int) -> Trial:
        """The trial with that index.

        Raises:
            TrialNotFound: There is none.
        """
        found = self.open.get(index) or self.closed.get(index)
        if found is None:
            raise TrialNotFound(index, self.next_index)
        return found

    def trials(self) -> list[Trial]:
        """All trials in order of their index; costs O(n), for reports and generators only."""
        return [self.trial(index) for index in range(self.next_index)]

    def runner(self, name: str | None) -> RunnerSpec | None:
        """What is known of a runner."""
        return next((spec for spec in self.runners if spec.name == name), None)

    def count(self, status: TrialStatus) -> int:
        """How many trials have that status."""
        if status.is_terminal:
            return self.counts[status]
        return sum(trial.status is status for trial in self.open.values())

    @property
    def slots_in_use(self) -> int:
        """Runner slots in use, over all runners."""
        return sum(self.busy.values())


def counted(state: State, trial: Trial, by: int) -> State:
    """The state with a trial more (or less, *by* -1) that no generator suggested and that is not useless."""
    if trial.origin == "suggested":
        return state
    again = trial.replicate_of is not None
    return replace(state, attached=state.attached + by, replicates=state.replicates + again * by)


def tallied(state: State, trial: Trial, status: TrialStatus, by: int) -> Mapping[str, tuple[int, ...]]:
    """Closed trials by node and status with one more (or less, *by* -1) of the node that made *trial*."""
    if not trial.strategy_node:
        return state.made_by
    counts = list(state.made_by.get(trial.strategy_node, NONE_CLOSED))
    counts[status] += by
    return {**state.made_by, trial.strategy_node: tuple(counts)}


def with_trial(trials: OpenTrials, trial: Trial) -> OpenTrials:
    """*trials* with *trial* in place of the one of its index, if there is one."""
    if len(trials) < FEW:
        return {**trials, trial.index: trial}
    if isinstance(trials, HashTrieMap):
        return trials.insert(trial.index, trial)
    return compact({**trials, trial.index: trial})


def without_trial(trials: OpenTrials, index: int) -> OpenTrials:
    """*trials* but for that of *index*."""
    if isinstance(trials, HashTrieMap):
        return compact(trials.remove(index))
    kept = dict(trials)
    del kept[index]
    return kept


def compact(trials: OpenTrials) -> OpenTrials:
    """The same trials as a dict where they are few, as a persistent map where they are many."""
    if isinstance(trials, HashTrieMap):
        return dict(trials.items()) if len(trials) <= FEW else trials
    return trials if len(trials) <= FEW else HashTrieMap(trials)
