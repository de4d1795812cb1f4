"""An experiment: its search space, its purpose, how trials are made and who carries them out."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from titrant.model.space import SearchSpace
from titrant.model.strategy import GenerationStrategy, Initialization, Method, Node, Policy
from titrant.model.trial import Parameterization

__all__ = [
    "Definition",
    "Experiment",
    "GenerationStrategy",
    "Initialization",
    "Method",
    "Node",
    "OnUnknown",
    "RunOptions",
    "RunnerSpec",
]

OnUnknown = Literal["ask", "abandon", "rerun"]


class Experiment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is varied, and in whose name."""

    space: SearchSpace
    name: str = "experiment"
    description: str = ""
    owner: str = ""
    experiment_type: str = ""


class Definition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an experiment file says, kept in the log, so that the experiment goes on from its log alone.

    Attributes:
        file: The file, relative to the log's folder, with forward slashes; modules beside it are found.
        content: What it says, as plain values.  Secrets stand in it by the names of their environment variables only.
    """

    file: str = ""
    content: dict[str, Any] = {}


class RunnerSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the engine must know of a runner to decide: never the runner itself.

    Attributes:
        name: Unique in the experiment.
        capacity: Trials it can carry out at once; None where only the run's parallelism bounds it.
        honours_keys: Submitting again with the same key is safe and gives the same trial.
        can_report_status: It can say what became of an attempt after the engine restarted.
        rerun_safe: Carrying a trial out twice does no harm.
        can_stop: It has a way to stop a trial.
        absence_is_proof: "never seen" from the instrument proves that nothing was started.
        on_unknown: What becomes of a trial whose fate is unknown.
    """

    name: str
    capacity: int | None = None
    honours_keys: bool = False
    can_report_status: bool = False
    rerun_safe: bool = False
    can_stop: bool = False
    absence_is_proof: bool = False
    on_unknown: OnUnknown = "ask"


class RunOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The arguments of one call of ``run_trials``; where ``policy`` is None the strategy's own counts.

    ``context`` is what is given of context parameters, as it was when the run began.
    """

    max_trials: int
    parallelism: int = 1
    tolerated_trial_failure_rate: float = 0.5
    min_failed_trials_for_failure_rate_check: int = 5
    initial_seconds_between_polls: float = 1.0
    timeout_seconds: float | None = None
    trial_ttl_seconds: float | None = None
    policy: Policy | None = None
    context: Parameterization = {}
