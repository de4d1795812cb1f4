"""The course of a trial, from its making to its end."""

from __future__ import annotations

from typing import Any, Literal

from titrant.messages.events.base import Fact
from titrant.model.observation import Observation
from titrant.model.trial import Origin, Parameterization, Suggestion


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


TrialEvent = (
    TrialCreated
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
)
"""Every event in the course of a trial."""
