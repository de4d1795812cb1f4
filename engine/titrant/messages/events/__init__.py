"""Events: what happened, in the past tense; each is a promise to every later version of titrant.

A tag is never renamed.  A field may be added with a default; anything else is a new schema number and an upcaster in
``messages/codec.py``.  An event carries only its own facts: who, when and why stand in the envelope (``log/base.py``).

A new event goes into the file of its subject, into the union at that file's end, and into the names here.
"""

from __future__ import annotations

from titrant.messages.events.base import Fact as Fact
from titrant.messages.events.experiment import (
    ApprovalConfigured as ApprovalConfigured,
)
from titrant.messages.events.experiment import (
    CandidatesKept as CandidatesKept,
)
from titrant.messages.events.experiment import (
    ExperimentConfigured as ExperimentConfigured,
)
from titrant.messages.events.experiment import (
    ExperimentDefined as ExperimentDefined,
)
from titrant.messages.events.experiment import (
    ExperimentEvent as ExperimentEvent,
)
from titrant.messages.events.experiment import (
    LogDerived as LogDerived,
)
from titrant.messages.events.experiment import (
    MetricsConfigured as MetricsConfigured,
)
from titrant.messages.events.experiment import (
    OptimizationConfigured as OptimizationConfigured,
)
from titrant.messages.events.experiment import (
    PastLearned as PastLearned,
)
from titrant.messages.events.experiment import (
    RunnersConfigured as RunnersConfigured,
)
from titrant.messages.events.experiment import (
    SessionClosed as SessionClosed,
)
from titrant.messages.events.experiment import (
    SessionOpened as SessionOpened,
)
from titrant.messages.events.experiment import (
    SpaceChanged as SpaceChanged,
)
from titrant.messages.events.experiment import (
    StrategyConfigured as StrategyConfigured,
)
from titrant.messages.events.experiment import (
    TrackingMetricsConfigured as TrackingMetricsConfigured,
)
from titrant.messages.events.people import (
    CommandWasRefused as CommandWasRefused,
)
from titrant.messages.events.people import (
    ComparisonAttached as ComparisonAttached,
)
from titrant.messages.events.people import (
    ComparisonWithdrawn as ComparisonWithdrawn,
)
from titrant.messages.events.people import (
    HeadSigned as HeadSigned,
)
from titrant.messages.events.people import (
    NoteAdded as NoteAdded,
)
from titrant.messages.events.people import (
    PersonEvent as PersonEvent,
)
from titrant.messages.events.people import (
    ResultCorrected as ResultCorrected,
)
from titrant.messages.events.people import (
    ResultUnvoided as ResultUnvoided,
)
from titrant.messages.events.people import (
    ResultVoided as ResultVoided,
)
from titrant.messages.events.running import (
    ActorRestarted as ActorRestarted,
)
from titrant.messages.events.running import (
    ExperimentDraining as ExperimentDraining,
)
from titrant.messages.events.running import (
    ExperimentHalted as ExperimentHalted,
)
from titrant.messages.events.running import (
    ExperimentPaused as ExperimentPaused,
)
from titrant.messages.events.running import (
    ExperimentReset as ExperimentReset,
)
from titrant.messages.events.running import (
    ExperimentStopping as ExperimentStopping,
)
from titrant.messages.events.running import (
    ExperimentUnpaused as ExperimentUnpaused,
)
from titrant.messages.events.running import (
    FailureRateTripped as FailureRateTripped,
)
from titrant.messages.events.running import (
    GenerationExhausted as GenerationExhausted,
)
from titrant.messages.events.running import (
    GenerationFailed as GenerationFailed,
)
from titrant.messages.events.running import (
    RunEnded as RunEnded,
)
from titrant.messages.events.running import (
    RunnerQuarantined as RunnerQuarantined,
)
from titrant.messages.events.running import (
    RunnerRestored as RunnerRestored,
)
from titrant.messages.events.running import (
    RunningEvent as RunningEvent,
)
from titrant.messages.events.running import (
    RunStarted as RunStarted,
)
from titrant.messages.events.trials import (
    DataAttached as DataAttached,
)
from titrant.messages.events.trials import (
    FetchFailed as FetchFailed,
)
from titrant.messages.events.trials import (
    FetchRequested as FetchRequested,
)
from titrant.messages.events.trials import (
    ParametersExecuted as ParametersExecuted,
)
from titrant.messages.events.trials import (
    StopRequested as StopRequested,
)
from titrant.messages.events.trials import (
    SubmissionRetried as SubmissionRetried,
)
from titrant.messages.events.trials import (
    TrialAbandoned as TrialAbandoned,
)
from titrant.messages.events.trials import (
    TrialApproved as TrialApproved,
)
from titrant.messages.events.trials import (
    TrialCompleted as TrialCompleted,
)
from titrant.messages.events.trials import (
    TrialCreated as TrialCreated,
)
from titrant.messages.events.trials import (
    TrialEarlyStopped as TrialEarlyStopped,
)
from titrant.messages.events.trials import (
    TrialEvent as TrialEvent,
)
from titrant.messages.events.trials import (
    TrialFailed as TrialFailed,
)
from titrant.messages.events.trials import (
    TrialLost as TrialLost,
)
from titrant.messages.events.trials import (
    TrialProposed as TrialProposed,
)
from titrant.messages.events.trials import (
    TrialReattached as TrialReattached,
)
from titrant.messages.events.trials import (
    TrialRejected as TrialRejected,
)
from titrant.messages.events.trials import (
    TrialRequeued as TrialRequeued,
)
from titrant.messages.events.trials import (
    TrialResolved as TrialResolved,
)
from titrant.messages.events.trials import (
    TrialRunFinished as TrialRunFinished,
)
from titrant.messages.events.trials import (
    TrialRunning as TrialRunning,
)
from titrant.messages.events.trials import (
    TrialStaged as TrialStaged,
)
from titrant.messages.events.trials import (
    TrialStale as TrialStale,
)
from titrant.messages.events.trials import (
    TrialSubmitting as TrialSubmitting,
)

Event = ExperimentEvent | RunningEvent | TrialEvent | PersonEvent
"""Every event there is."""
