"""Commands: what is asked of the supervisor, in the imperative; ``rules`` says what follows from each.

A new command goes into the file of its subject, into the union at that file's end, and into the names here.
"""

# ruff: noqa: I001 (the names of one file stay together)

from __future__ import annotations

from titrant.messages.commands.base import By as By, Personal as Personal, Wish as Wish
from titrant.messages.commands.experiment import (
    ChangeSpace as ChangeSpace,
    CloseSession as CloseSession,
    ConfigureApproval as ConfigureApproval,
    ConfigureExperiment as ConfigureExperiment,
    ConfigureMetrics as ConfigureMetrics,
    ConfigureOptimization as ConfigureOptimization,
    ConfigureRunners as ConfigureRunners,
    ConfigureStrategy as ConfigureStrategy,
    ConfigureTrackingMetrics as ConfigureTrackingMetrics,
    DefineExperiment as DefineExperiment,
    DeriveLog as DeriveLog,
    ExperimentCommand as ExperimentCommand,
    LearnFrom as LearnFrom,
    OpenSession as OpenSession,
)
from titrant.messages.commands.people import (
    AddNote as AddNote,
    AddTrials as AddTrials,
    Approve as Approve,
    AttachComparison as AttachComparison,
    AttachData as AttachData,
    AttachTrial as AttachTrial,
    CompleteTrial as CompleteTrial,
    CorrectResult as CorrectResult,
    Hold as Hold,
    MarkAbandoned as MarkAbandoned,
    MarkEarlyStopped as MarkEarlyStopped,
    MarkFailed as MarkFailed,
    PersonCommand as PersonCommand,
    RecordExecuted as RecordExecuted,
    RecordRefusal as RecordRefusal,
    RefetchData as RefetchData,
    Reject as Reject,
    Replicate as Replicate,
    Resolve as Resolve,
    Retry as Retry,
    Sign as Sign,
    UnvoidResult as UnvoidResult,
    VoidResult as VoidResult,
    WithdrawComparison as WithdrawComparison,
)
from titrant.messages.commands.reports import (
    RecordFetch as RecordFetch,
    RecordFetchFailure as RecordFetchFailure,
    Report as Report,
    ReportFinished as ReportFinished,
    ReportLost as ReportLost,
    ReportNeverStarted as ReportNeverStarted,
    ReportReattached as ReportReattached,
    ReportRetry as ReportRetry,
    ReportRunning as ReportRunning,
    ReportStopped as ReportStopped,
)
from titrant.messages.commands.running import (
    Drain as Drain,
    ExhaustRun as ExhaustRun,
    ExpireRun as ExpireRun,
    ExpireTrial as ExpireTrial,
    Pause as Pause,
    QuarantineRunner as QuarantineRunner,
    RecordGenerationFailure as RecordGenerationFailure,
    RecordHalt as RecordHalt,
    RecordRestart as RecordRestart,
    Reset as Reset,
    RestoreRunner as RestoreRunner,
    RunningCommand as RunningCommand,
    StartRun as StartRun,
    Stop as Stop,
    Unpause as Unpause,
)

Command = ExperimentCommand | PersonCommand | RunningCommand | Report
"""Every command there is."""
