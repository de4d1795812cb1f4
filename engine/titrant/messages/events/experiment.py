"""Sessions, and what the experiment is."""

from __future__ import annotations

from typing import Any

from titrant.messages.events.base import Fact
from titrant.model.approval import ApprovalPolicy
from titrant.model.experiment import Definition, Experiment, GenerationStrategy, RunnerSpec
from titrant.model.objective import OptimizationConfig
from titrant.model.past import Past
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization


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


ExperimentEvent = (
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
)
"""Every event of what the experiment is."""
