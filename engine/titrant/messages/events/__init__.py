"""Events: what happened, in the past tense; each is a promise to every later version of titrant.

A tag is never renamed.  A field may be added with a default; anything else is a new schema number and an upcaster in
``messages/codec.py``.  An event carries only its own facts: who, when and why stand in the envelope (``log/base.py``).

A new event goes into the file of its subject, into the union at that file's end, and into the names here.
"""

# ruff: noqa: I001 (the names of one file stay together)

from __future__ import annotations

from titrant.messages.events.base import Fact as Fact
from titrant.messages.events.experiment import (
    ApprovalConfigured as ApprovalConfigured,
    CandidatesKept as CandidatesKept,
    ExperimentConfigured as ExperimentConfigured,
    ExperimentDefined as ExperimentDefined,
    ExperimentEvent as ExperimentEvent,
    LogDerived as LogDerived,
    MetricsConfigured as MetricsConfigured,
    OptimizationConfigured as OptimizationConfigured,
    PastLearned as PastLearned,
    RunnersConfigured as RunnersConfigured,
    SessionClosed as SessionClosed,
    SessionOpened as SessionOpened,
    SpaceChanged as SpaceChanged,
    StrategyConfigured as StrategyConfigured,
    TrackingMetricsConfigured as TrackingMetricsConfigured,
)
from titrant.messages.events.people import (
    CommandWasRefused as CommandWasRefused,
    ComparisonAttached as ComparisonAttached,
    ComparisonWithdrawn as ComparisonWithdrawn,
    HeadSigned as HeadSigned,
    NoteAdded as NoteAdded,
    PersonEvent as PersonEvent,
    ResultCorrected as ResultCorrected,
    ResultUnvoided as ResultUnvoided,
    ResultVoided as ResultVoided,
)
from titrant.messages.events.running import (
    ActorRestarted as ActorRestarted,
    ExperimentDraining as ExperimentDraining,
    ExperimentHalted as ExperimentHalted,
    ExperimentPaused as ExperimentPaused,
    ExperimentReset as ExperimentReset,
    ExperimentStopping as ExperimentStopping,
    ExperimentUnpaused as ExperimentUnpaused,
    FailureRateTripped as FailureRateTripped,
    GenerationExhausted as GenerationExhausted,
    GenerationFailed as GenerationFailed,
    RunEnded as RunEnded,
    RunnerQuarantined as RunnerQuarantined,
    RunnerRestored as RunnerRestored,
    RunningEvent as RunningEvent,
    RunStarted as RunStarted,
)
from titrant.messages.events.trials import (
    DataAttached as DataAttached,
    FetchFailed as FetchFailed,
    FetchRequested as FetchRequested,
    ParametersExecuted as ParametersExecuted,
    StopRequested as StopRequested,
    SubmissionRetried as SubmissionRetried,
    TrialAbandoned as TrialAbandoned,
    TrialApproved as TrialApproved,
    TrialCompleted as TrialCompleted,
    TrialCreated as TrialCreated,
    TrialEarlyStopped as TrialEarlyStopped,
    TrialEvent as TrialEvent,
    TrialFailed as TrialFailed,
    TrialLost as TrialLost,
    TrialProposed as TrialProposed,
    TrialReattached as TrialReattached,
    TrialRejected as TrialRejected,
    TrialRequeued as TrialRequeued,
    TrialResolved as TrialResolved,
    TrialRunFinished as TrialRunFinished,
    TrialRunning as TrialRunning,
    TrialStaged as TrialStaged,
    TrialStale as TrialStale,
    TrialSubmitting as TrialSubmitting,
)

Event = ExperimentEvent | RunningEvent | TrialEvent | PersonEvent
"""Every event there is."""
