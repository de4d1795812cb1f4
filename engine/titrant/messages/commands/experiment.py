"""Sessions, and what the experiment is to be."""

from __future__ import annotations

from typing import Any

from titrant.messages.commands.base import Wish
from titrant.model.approval import ApprovalPolicy
from titrant.model.experiment import Definition, Experiment, GenerationStrategy, RunnerSpec
from titrant.model.objective import OptimizationConfig
from titrant.model.past import Past
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization


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


ExperimentCommand = (
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
)
"""Every command that says what the experiment is."""
