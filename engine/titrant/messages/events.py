"""Events: what happened, in the past tense; each is a promise to every later version of titrant.

A tag is never renamed.  A field may be added with a default; anything else is a new schema number and an upcaster in
``messages/codec.py``.  An event carries only its own facts: who, when and why stand in the envelope (``log/base.py``).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from titrant.model.approval import ApprovalPolicy
from titrant.model.experiment import Definition, Experiment, GenerationStrategy, RunnerSpec, RunOptions
from titrant.model.objective import OptimizationConfig
from titrant.model.observation import Observation
from titrant.model.past import Past
from titrant.model.space import SearchSpace
from titrant.model.trial import Origin, Parameterization, Suggestion


class Fact(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="type",
    gc=False,  # frozen values make no cycles: nothing for the garbage collector to follow
):
    """The base of all events."""


# --- the experiment -------------------------------------------------------------------------------------------------


class SessionOpened(Fact, frozen=True, kw_only=True, tag="session.opened"):
    """A process took the log over; everything done from here on was done by it."""

    engine: str
    log_id: str
    seed: int
    host: str = ""
    pid: int = 0
    timezone: str = ""
    versions: dict[str, str] = {}


class SessionClosed(Fact, frozen=True, kw_only=True, tag="session.closed"):
    """The process let the log go in good order."""


class ExperimentConfigured(Fact, frozen=True, kw_only=True, tag="experiment.configured"):
    """The search space and the experiment's name were set."""

    experiment: Experiment


class ExperimentDefined(Fact, frozen=True, kw_only=True, tag="experiment.defined"):
    """An experiment file stands behind this log: what it names is connected again when the log is opened."""

    definition: Definition


class CandidatesKept(Fact, frozen=True, kw_only=True, tag="candidates.kept"):
    """The next part of a candidate set that is too large for the event of its search space, after which it stands.

    Attributes:
        digest: Of the set, as its search space says.
        text: The part (see ``CandidateSet.packed``).
    """

    digest: str
    text: str


class OptimizationConfigured(Fact, frozen=True, kw_only=True, tag="optimization.configured"):
    """Objectives and outcome constraints were set."""

    optimization: OptimizationConfig


class StrategyConfigured(Fact, frozen=True, kw_only=True, tag="strategy.configured"):
    """How trials are made was set."""

    strategy: GenerationStrategy


class MetricsConfigured(Fact, frozen=True, kw_only=True, tag="metrics.configured"):
    """The metrics that can be fetched were set."""

    names: tuple[str, ...]


class TrackingMetricsConfigured(Fact, frozen=True, kw_only=True, tag="tracking_metrics.configured"):
    """Metrics that are recorded and not optimized were named."""

    names: tuple[str, ...]


class RunnersConfigured(Fact, frozen=True, kw_only=True, tag="runners.configured"):
    """The runners that carry trials out were set."""

    runners: tuple[RunnerSpec, ...]


class SpaceChanged(Fact, frozen=True, kw_only=True, tag="space.changed"):
    """The search space became another in mid-experiment; ``backfill`` gives old trials the parameters they lack."""

    space: SearchSpace
    backfill: Parameterization = {}


class ApprovalConfigured(Fact, frozen=True, kw_only=True, tag="approval.configured"):
    """Which trials a person must approve was set."""

    policy: ApprovalPolicy


class LogDerived(Fact, frozen=True, kw_only=True, tag="log.derived"):
    """This log tells what would have been: it began from another one, which it names."""

    log_id: str
    seq: int
    hash: str
    purpose: str
    changes: dict[str, Any] = {}


class PastLearned(Fact, frozen=True, kw_only=True, tag="past.learned"):
    """Data of a past experiment were taken from its log; they replace what was taken from the same log before."""

    past: Past


# --- a call of run_trials -------------------------------------------------------------------------------------------


class RunStarted(Fact, frozen=True, kw_only=True, tag="run.started"):
    """A closed loop began."""

    options: RunOptions


class RunEnded(Fact, frozen=True, kw_only=True, tag="run.ended"):
    """The closed loop ended, and why."""

    outcome: Literal[
        "finished", "timeout", "drained", "stopped", "halted", "failure_rate", "stuck", "exhausted", "interrupted"
    ]
    reason: str = ""


class FailureRateTripped(Fact, frozen=True, kw_only=True, tag="run.failure_rate_tripped"):
    """Too many trials failed: nothing new is started, what runs is finished."""

    failed: int
    total: int
    tolerated: float


# --- the course of a trial ------------------------------------------------------------------------------------------


class TrialCreated(Fact, frozen=True, kw_only=True, tag="trial.created"):
    """A trial exists: as a candidate of the closed loop, or (``asked``) as RUNNING in somebody else's hands.

    ``proposer`` is the actor who brought it in; empty for the generator of the closed loop.
    """

    trial: int
    parameters: Parameterization
    origin: Origin = "suggested"
    arm_name: str = ""
    asked: bool = False
    suggestion: Suggestion | None = None
    replicate_of: int | None = None
    proposer: str = ""


class TrialProposed(Fact, frozen=True, kw_only=True, tag="trial.proposed"):
    """A person must approve the trial before anything is done with it; ``rule`` says why."""

    trial: int
    rule: str
    approvers: tuple[str, ...] = ()


class TrialApproved(Fact, frozen=True, kw_only=True, tag="trial.approved"):
    """A person approved the trial; who stands in the envelope, ``rules`` are those that ask for it no more."""

    trial: int
    reason: str = ""
    rules: tuple[str, ...] = ()


class TrialRejected(Fact, frozen=True, kw_only=True, tag="trial.rejected"):
    """A person rejected the trial: it is not carried out, and its conditions are not suggested again."""

    trial: int
    reason: str


class TrialStale(Fact, frozen=True, kw_only=True, tag="trial.stale"):
    """The trial no longer fits the experiment; it waited, in nobody's hands and on no runner."""

    trial: int
    reason: str


class TrialStaged(Fact, frozen=True, kw_only=True, tag="trial.staged"):
    """The closed loop took the trial over: it waits for a free runner."""

    trial: int


class TrialSubmitting(Fact, frozen=True, kw_only=True, tag="trial.submitting"):
    """The intent: the trial is about to be submitted under this key.  Durable before the runner is called."""

    trial: int
    runner: str
    attempt: int
    key: str


class SubmissionRetried(Fact, frozen=True, kw_only=True, tag="trial.submission_retried"):
    """The call that submits failed without starting anything; it is made again with the same key."""

    trial: int
    attempt: int
    retry: int
    reason: str
    delay_seconds: float


class TrialRunning(Fact, frozen=True, kw_only=True, tag="trial.running"):
    """The runner accepted the trial."""

    trial: int
    attempt: int
    metadata: dict[str, Any] = {}


class TrialReattached(Fact, frozen=True, kw_only=True, tag="trial.reattached"):
    """After a restart the same attempt was found again."""

    trial: int
    attempt: int


class TrialRunFinished(Fact, frozen=True, kw_only=True, tag="trial.run_finished"):
    """The instrument is done and free; its data may still be on the way."""

    trial: int
    attempt: int
    awaiting: tuple[str, ...] = ()


class DataAttached(Fact, frozen=True, kw_only=True, tag="trial.data_attached"):
    """Observations of a trial."""

    trial: int
    observations: tuple[Observation, ...]


class ParametersExecuted(Fact, frozen=True, kw_only=True, tag="trial.executed"):
    """What was really carried out; the plan stands in ``trial.created``, and models learn from this."""

    trial: int
    parameters: Parameterization


class FetchFailed(Fact, frozen=True, kw_only=True, tag="trial.fetch_failed"):
    """A metric could not be fetched, after all its retries."""

    trial: int
    metric: str
    reason: str


class FetchRequested(Fact, frozen=True, kw_only=True, tag="trial.fetch_requested"):
    """The data of a finished trial are fetched again."""

    trial: int
    metrics: tuple[str, ...]


class TrialCompleted(Fact, frozen=True, kw_only=True, tag="trial.completed"):
    """The trial is over; metrics in ``missing`` have no usable value."""

    trial: int
    missing: tuple[str, ...] = ()
    reason: str | None = None


class TrialFailed(Fact, frozen=True, kw_only=True, tag="trial.failed"):
    """The trial failed; its conditions may be suggested again.

    Attributes:
        informative: Whether that says something of the conditions: who carried them out says that they failed.
    """

    trial: int
    reason: str
    informative: bool = False


class TrialAbandoned(Fact, frozen=True, kw_only=True, tag="trial.abandoned"):
    """The trial was given up; its conditions are not suggested again.

    Attributes:
        informative: Whether that says something of the conditions: the runner gave them up.
    """

    trial: int
    reason: str
    informative: bool = False


class TrialEarlyStopped(Fact, frozen=True, kw_only=True, tag="trial.early_stopped"):
    """The trial was stopped before its end; its data so far count."""

    trial: int
    reason: str = ""


class StopRequested(Fact, frozen=True, kw_only=True, tag="trial.stop_requested"):
    """The intent to stop a running trial.  Durable before the runner is told."""

    trial: int
    cause: Literal["stop", "ttl", "early"]
    reason: str


class TrialLost(Fact, frozen=True, kw_only=True, tag="trial.lost"):
    """Contact was lost: the trial may have run.  It is never submitted again by itself."""

    trial: int
    reason: str


class TrialRequeued(Fact, frozen=True, kw_only=True, tag="trial.requeued"):
    """The trial goes back to the queue as a new attempt: by the runner's declared policy or a person's word."""

    trial: int
    reason: str


class TrialResolved(Fact, frozen=True, kw_only=True, tag="trial.resolved"):
    """A person (or the runner's policy) said what became of an UNKNOWN trial."""

    trial: int
    outcome: Literal["running", "completed", "failed", "abandoned", "rerun"]
    reason: str


# --- results withdrawn and corrected, words of people ---------------------------------------------------------------


class ResultVoided(Fact, frozen=True, kw_only=True, tag="trial.voided"):
    """A finished result was withdrawn: kept in the history, forgotten by the models."""

    trial: int
    reason: str


class ResultUnvoided(Fact, frozen=True, kw_only=True, tag="trial.unvoided"):
    """A withdrawn result counts again."""

    trial: int
    reason: str


class ResultCorrected(Fact, frozen=True, kw_only=True, tag="trial.corrected"):
    """Observations of a finished trial were replaced, metric by metric; ``before`` are those that stood there."""

    trial: int
    observations: tuple[Observation, ...]
    before: tuple[Observation, ...]
    reason: str


class NoteAdded(Fact, frozen=True, kw_only=True, tag="note.added"):
    """Somebody's words, on a trial or on the experiment."""

    text: str
    trial: int | None = None


class ComparisonAttached(Fact, frozen=True, kw_only=True, tag="comparison.attached"):
    """Somebody compared two finished trials; comparisons are numbered from 0 in the order of these events.

    Attributes:
        better: The trial that is preferred; of a tie, the one that was named first.
        worse: The other one.
        tie: Whether neither is preferred.
        judge: Who compared, where a name was given; who told it stands in the envelope.
        note: Words on it.
    """

    better: int
    worse: int
    tie: bool = False
    judge: str = ""
    note: str = ""


class ComparisonWithdrawn(Fact, frozen=True, kw_only=True, tag="comparison.withdrawn"):
    """A comparison counts no more; it stays in the history."""

    comparison: int
    reason: str


class HeadSigned(Fact, frozen=True, kw_only=True, tag="log.signed"):
    """A person put their name to everything up to a head of the log."""

    meaning: Literal["reviewed", "approved", "responsible"]
    seq: int
    hash: str


class CommandWasRefused(Fact, frozen=True, kw_only=True, tag="command.refused"):
    """A person or an agent asked for something that was not allowed."""

    command: str
    arguments: dict[str, Any] = {}
    why: str


# --- control and supervision ----------------------------------------------------------------------------------------


class ExperimentPaused(Fact, frozen=True, kw_only=True, tag="experiment.paused"):
    """No new trials are started."""


class ExperimentUnpaused(Fact, frozen=True, kw_only=True, tag="experiment.unpaused"):
    """New trials may be started again."""


class ExperimentDraining(Fact, frozen=True, kw_only=True, tag="experiment.draining"):
    """What runs is finished, nothing new is started, then the run ends."""


class ExperimentStopping(Fact, frozen=True, kw_only=True, tag="experiment.stopping"):
    """Running trials are stopped and the run ends."""


class ExperimentHalted(Fact, frozen=True, kw_only=True, tag="experiment.halted"):
    """Safe state everywhere, latched until a person resets it.  Written after the act, which waits for nothing."""

    reached: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class ExperimentReset(Fact, frozen=True, kw_only=True, tag="experiment.reset"):
    """The latch of a halt was released by a person; nothing is started by it."""


class ActorRestarted(Fact, frozen=True, kw_only=True, tag="actor.restarted"):
    """An actor failed and was started anew."""

    name: str
    reason: str
    restarts: int


class RunnerQuarantined(Fact, frozen=True, kw_only=True, tag="runner.quarantined"):
    """A runner gets no more trials until a person restores it."""

    name: str
    reason: str


class RunnerRestored(Fact, frozen=True, kw_only=True, tag="runner.restored"):
    """A quarantined runner may be used again."""

    name: str


class GenerationFailed(Fact, frozen=True, kw_only=True, tag="generation.failed"):
    """A request for suggestions failed, and what was done instead."""

    node: str
    reason: str
    fallback: str = ""


class GenerationExhausted(Fact, frozen=True, kw_only=True, tag="generation.exhausted"):
    """No new trial can be made: a finite space is used up, or nothing feasible is found."""

    reason: str


Event = (
    SessionOpened
    | SessionClosed
    | ExperimentConfigured
    | ExperimentDefined
    | CandidatesKept
    | OptimizationConfigured
    | StrategyConfigured
    | MetricsConfigured
    | TrackingMetricsConfigured
    | RunnersConfigured
    | SpaceChanged
    | ApprovalConfigured
    | LogDerived
    | PastLearned
    | RunStarted
    | RunEnded
    | FailureRateTripped
    | TrialCreated
    | TrialProposed
    | TrialApproved
    | TrialRejected
    | TrialStale
    | TrialStaged
    | TrialSubmitting
    | SubmissionRetried
    | TrialRunning
    | TrialReattached
    | TrialRunFinished
    | DataAttached
    | ParametersExecuted
    | FetchFailed
    | FetchRequested
    | TrialCompleted
    | TrialFailed
    | TrialAbandoned
    | TrialEarlyStopped
    | StopRequested
    | TrialLost
    | TrialRequeued
    | TrialResolved
    | ResultVoided
    | ResultUnvoided
    | ResultCorrected
    | NoteAdded
    | ComparisonAttached
    | ComparisonWithdrawn
    | HeadSigned
    | CommandWasRefused
    | ExperimentPaused
    | ExperimentUnpaused
    | ExperimentDraining
    | ExperimentStopping
    | ExperimentHalted
    | ExperimentReset
    | ActorRestarted
    | RunnerQuarantined
    | RunnerRestored
    | GenerationFailed
    | GenerationExhausted
)
"""Every event there is."""
