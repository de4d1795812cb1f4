"""Commands: what is asked of the supervisor, in the imperative; ``rules`` says what follows from each."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from titrant.model.approval import ApprovalPolicy
from titrant.model.experiment import Definition, Experiment, GenerationStrategy, RunnerSpec, RunOptions
from titrant.model.objective import OptimizationConfig
from titrant.model.observation import Observation
from titrant.model.past import Past
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization, Suggestion


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all commands."""


class Personal(Wish, frozen=True, kw_only=True):
    """A command on which it matters who asks: the supervisor fills that in, so that no way in can claim a name."""

    actor: str = "engine"
    role: str | None = None


class By(msgspec.Struct, frozen=True):
    """Who asks, in which role, and why; ``correlation`` names the call, on every event that follows from it."""

    actor: str = "engine"
    role: str | None = None
    reason: str | None = None
    correlation: str | None = None


# --- the experiment -------------------------------------------------------------------------------------------------


class OpenSession(Wish, frozen=True, kw_only=True):
    """A process took the log over."""

    engine: str
    log_id: str
    seed: int
    host: str = ""
    pid: int = 0
    timezone: str = ""
    versions: dict[str, str] = {}


class CloseSession(Wish, frozen=True, kw_only=True):
    """The process lets the log go."""


class ConfigureExperiment(Wish, frozen=True, kw_only=True):
    """Set the search space and the name; where a file says them, what else it says is kept with them."""

    experiment: Experiment
    definition: Definition | None = None


class DefineExperiment(Wish, frozen=True, kw_only=True):
    """Keep what an experiment file says."""

    definition: Definition


class ConfigureOptimization(Wish, frozen=True, kw_only=True):
    """Set objectives and outcome constraints."""

    optimization: OptimizationConfig


class ConfigureStrategy(Wish, frozen=True, kw_only=True):
    """Set how trials are made."""

    strategy: GenerationStrategy


class ConfigureMetrics(Wish, frozen=True, kw_only=True):
    """Set which metrics can be fetched."""

    names: tuple[str, ...]


class ConfigureTrackingMetrics(Wish, frozen=True, kw_only=True):
    """Name metrics to record without optimizing them."""

    names: tuple[str, ...]


class ConfigureRunners(Wish, frozen=True, kw_only=True):
    """Set the runners."""

    runners: tuple[RunnerSpec, ...]


class ChangeSpace(Wish, frozen=True, kw_only=True):
    """Go on in another search space; ``backfill`` gives old trials the parameters they lack."""

    space: SearchSpace
    backfill: Parameterization = {}


class ConfigureApproval(Wish, frozen=True, kw_only=True):
    """Set which trials a person must approve."""

    policy: ApprovalPolicy


class DeriveLog(Wish, frozen=True, kw_only=True):
    """Say of which log this one is a variation."""

    log_id: str
    seq: int
    hash: str
    purpose: str
    changes: dict[str, Any] = {}


class LearnFrom(Wish, frozen=True, kw_only=True):
    """Keep data of past experiments, as ``rules.past_logs.past_of`` reads them."""

    pasts: tuple[Past, ...]


# --- trials made, told and corrected by people and programs ---------------------------------------------------------


class AddTrials(Personal, frozen=True, kw_only=True):
    """Make trials of suggestions: for the closed loop, or ``asked`` for somebody else to carry out."""

    suggestions: tuple[Suggestion, ...]
    asked: bool = False


class AttachTrial(Personal, frozen=True, kw_only=True):
    """Add a trial with conditions of one's own."""

    parameters: Parameterization
    arm_name: str | None = None
    baseline: bool = False


class Replicate(Personal, frozen=True, kw_only=True):
    """Carry a trial's conditions out again, ``count`` times."""

    trial: int
    count: int = 1
    asked: bool = False


class Approve(Personal, frozen=True, kw_only=True):
    """Let a PROPOSED trial go ahead."""

    trial: int
    reason: str = ""


class Reject(Personal, frozen=True, kw_only=True):
    """Do not carry a PROPOSED trial out."""

    trial: int
    reason: str


class Hold(Personal, frozen=True, kw_only=True):
    """Keep a waiting trial back until a person approves it."""

    trial: int
    reason: str


class Retry(Wish, frozen=True, kw_only=True):
    """Carry a FAILED or UNKNOWN trial out as a new attempt."""

    trial: int
    reason: str


class VoidResult(Wish, frozen=True, kw_only=True):
    """Withdraw a finished result."""

    trial: int
    reason: str


class UnvoidResult(Wish, frozen=True, kw_only=True):
    """Let a withdrawn result count again."""

    trial: int
    reason: str


class CorrectResult(Wish, frozen=True, kw_only=True):
    """Replace observations of a finished trial, metric by metric."""

    trial: int
    observations: tuple[Observation, ...]
    reason: str


class AddNote(Wish, frozen=True, kw_only=True):
    """Add words, to a trial or to the experiment."""

    text: str
    trial: int | None = None


class AttachComparison(Wish, frozen=True, kw_only=True):
    """Say which of two finished trials is preferred, or that neither is."""

    better: int
    worse: int
    tie: bool = False
    judge: str = ""
    note: str = ""


class WithdrawComparison(Wish, frozen=True, kw_only=True):
    """Let a comparison count no more; they are numbered from 0 in the order in which they were told."""

    comparison: int
    reason: str


class RecordExecuted(Wish, frozen=True, kw_only=True):
    """Say what was really carried out; parameters that are left out were carried out as planned."""

    trial: int
    parameters: Parameterization


class Sign(Personal, frozen=True, kw_only=True):
    """Put one's name to everything up to a head of the log."""

    meaning: Literal["reviewed", "approved", "responsible"]
    seq: int
    hash: str


class RecordRefusal(Wish, frozen=True, kw_only=True):
    """A person or an agent asked for something that was refused."""

    command: str
    arguments: dict[str, Any] = {}
    why: str


class CompleteTrial(Wish, frozen=True, kw_only=True):
    """Tell the result of a trial, and what was executed where that differs from the plan."""

    trial: int
    observations: tuple[Observation, ...] = ()
    executed: Parameterization = {}


class AttachData(Wish, frozen=True, kw_only=True):
    """Add observations to a trial without ending it."""

    trial: int
    observations: tuple[Observation, ...]


class MarkFailed(Wish, frozen=True, kw_only=True):
    """The trial failed."""

    trial: int
    reason: str = "marked as failed"


class MarkAbandoned(Wish, frozen=True, kw_only=True):
    """The trial is given up and its conditions kept away from."""

    trial: int
    reason: str = "marked as abandoned"


class MarkEarlyStopped(Wish, frozen=True, kw_only=True):
    """The trial was stopped before its end; its data count."""

    trial: int
    reason: str = "marked as stopped early"


class RefetchData(Wish, frozen=True, kw_only=True):
    """Fetch the metrics of a finished trial again; all that are missing where none is named."""

    trial: int
    metrics: tuple[str, ...] = ()


class Resolve(Wish, frozen=True, kw_only=True):
    """Say what became of an UNKNOWN trial."""

    trial: int
    outcome: Literal["running", "completed", "failed", "abandoned", "rerun"]
    reason: str
    observations: tuple[Observation, ...] = ()


# --- the closed loop ------------------------------------------------------------------------------------------------


class StartRun(Wish, frozen=True, kw_only=True):
    """Begin a closed loop; ``alive`` are the trials this process already carries out."""

    options: RunOptions
    alive: frozenset[int] = frozenset()


class ExpireRun(Wish, frozen=True, kw_only=True):
    """The time of the run that began at ``run`` is up."""

    run: int


class ExhaustRun(Wish, frozen=True, kw_only=True):
    """No new trial can be made any more: finish what runs, then end."""

    reason: str


class ExpireTrial(Wish, frozen=True, kw_only=True):
    """The trial's time to live is up."""

    trial: int
    attempt: int


class Pause(Wish, frozen=True, kw_only=True):
    """Start no new trials."""


class Unpause(Wish, frozen=True, kw_only=True):
    """Start new trials again."""


class Drain(Wish, frozen=True, kw_only=True):
    """Finish what runs, start nothing new, end the run."""


class Stop(Wish, frozen=True, kw_only=True):
    """Stop what runs and end the run."""


class RecordHalt(Wish, frozen=True, kw_only=True):
    """Safe state was ordered everywhere (the act comes first here, the record after)."""

    reached: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Reset(Wish, frozen=True, kw_only=True):
    """Release the latch of a halt."""


# --- what runners and metrics found out -----------------------------------------------------------------------------


class ReportRetry(Wish, frozen=True, kw_only=True):
    """The submitting call failed without starting anything and will be made again."""

    trial: int
    attempt: int
    retry: int
    reason: str
    delay_seconds: float


class ReportRunning(Wish, frozen=True, kw_only=True):
    """The runner accepted the trial."""

    trial: int
    attempt: int
    metadata: dict[str, Any] = {}


class ReportReattached(Wish, frozen=True, kw_only=True):
    """The attempt was found again after a restart."""

    trial: int
    attempt: int


class ReportFinished(Wish, frozen=True, kw_only=True):
    """The instrument is done; pushed runners bring the observations along, some say what they executed."""

    trial: int
    attempt: int
    status: Literal["completed", "failed", "abandoned", "early_stopped"]
    reason: str | None = None
    observations: tuple[Observation, ...] = ()
    executed: Parameterization = {}


class ReportStopped(Wish, frozen=True, kw_only=True):
    """The runner was told to stop the trial, and what came of it."""

    trial: int
    attempt: int
    reason: str = ""


class ReportLost(Wish, frozen=True, kw_only=True):
    """Contact was lost: the trial may have run."""

    trial: int
    attempt: int
    reason: str


class ReportNeverStarted(Wish, frozen=True, kw_only=True):
    """The submission failed for good and certainly started nothing."""

    trial: int
    attempt: int
    reason: str


class RecordFetch(Wish, frozen=True, kw_only=True):
    """A metric was fetched."""

    trial: int
    metric: str
    observations: tuple[Observation, ...]


class RecordFetchFailure(Wish, frozen=True, kw_only=True):
    """A metric could not be fetched."""

    trial: int
    metric: str
    reason: str


# --- supervision ----------------------------------------------------------------------------------------------------


class RecordRestart(Wish, frozen=True, kw_only=True):
    """An actor was started anew; ``alive`` are the open trials its failure did not touch."""

    name: str
    reason: str
    restarts: int
    alive: frozenset[int] = frozenset()


class QuarantineRunner(Wish, frozen=True, kw_only=True):
    """Give a runner no more trials; ``lost`` says that nobody watches the trials on it any more."""

    name: str
    reason: str
    lost: bool = False


class RestoreRunner(Wish, frozen=True, kw_only=True):
    """Use a quarantined runner again."""

    name: str


class RecordGenerationFailure(Wish, frozen=True, kw_only=True):
    """A request for suggestions failed."""

    node: str
    reason: str
    fallback: str = ""


Command = (
    OpenSession
    | CloseSession
    | ConfigureExperiment
    | DefineExperiment
    | ConfigureOptimization
    | ConfigureStrategy
    | ConfigureMetrics
    | ConfigureTrackingMetrics
    | ConfigureRunners
    | ChangeSpace
    | ConfigureApproval
    | DeriveLog
    | LearnFrom
    | AddTrials
    | AttachTrial
    | Replicate
    | Approve
    | Reject
    | Hold
    | Retry
    | VoidResult
    | UnvoidResult
    | CorrectResult
    | AddNote
    | AttachComparison
    | WithdrawComparison
    | RecordExecuted
    | Sign
    | RecordRefusal
    | CompleteTrial
    | AttachData
    | MarkFailed
    | MarkAbandoned
    | MarkEarlyStopped
    | RefetchData
    | Resolve
    | StartRun
    | ExpireRun
    | ExhaustRun
    | ExpireTrial
    | Pause
    | Unpause
    | Drain
    | Stop
    | RecordHalt
    | Reset
    | ReportRetry
    | ReportRunning
    | ReportReattached
    | ReportFinished
    | ReportStopped
    | ReportLost
    | ReportNeverStarted
    | RecordFetch
    | RecordFetchFailure
    | RecordRestart
    | QuarantineRunner
    | RestoreRunner
    | RecordGenerationFailure
)
"""Every command there is."""
