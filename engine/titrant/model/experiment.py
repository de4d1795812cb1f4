"""An experiment: its search space, its purpose, how trials are made and who carries them out."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from titrant.model.factorial import USUAL, Levels
from titrant.model.space import SearchSpace

OnUnknown = Literal["ask", "abandon", "rerun"]
Method = Literal["fast", "quality", "random_search"]
Initialization = Literal["sobol", "latin_hypercube", "random", "grid"]
Node = Literal["centre", "sobol", "latin_hypercube", "random", "grid", "bo"]
"""Who makes a suggestion: the centre, an initial design, or a model."""


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


class GenerationStrategy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How trials are made: centre, then an initial design, then Bayesian optimization, with Ax's defaults.

    Attributes:
        method: ``"fast"`` and ``"quality"`` end in Bayesian optimization, ``"random_search"`` stays with the design.
        initialization_budget: Trials before the model takes over, the centre among them; where None 5, and of a grid
            all of it.
        min_observed: Of these, how many must be completed; ``max(1, budget // 2)`` where None.
        initialize_with_center: Whether the first trial is the centre of the search space.
        use_existing_trials: Whether attached trials count towards the budget.
        seed: The seed of the initial design; from the experiment's seed where None.
        deadline_seconds: How long one request for suggestions may take before Sobol stands in.
        initialization: The initial design.
        grid_levels: Levels of a grid's ranges, for all or by name (3 where a name is missing); choices have all theirs.
    """

    method: Method = "fast"
    initialization_budget: int | None = None
    min_observed: int | None = None
    initialize_with_center: bool = True
    use_existing_trials: bool = True
    seed: int | None = None
    deadline_seconds: float = 120.0
    initialization: Initialization = "sobol"
    grid_levels: Levels = USUAL

    @property
    def budget(self) -> int:
        """Trials of the initial design, the centre among them; of a whole grid see ``rules.strategy.budget``."""
        return 5 if self.initialization_budget is None else self.initialization_budget

    @property
    def observed(self) -> int:
        """Completed trials needed before the model takes over."""
        return max(1, self.budget // 2) if self.min_observed is None else self.min_observed


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
    """The arguments of one call of ``run_trials``."""

    max_trials: int
    parallelism: int = 1
    tolerated_trial_failure_rate: float = 0.5
    min_failed_trials_for_failure_rate_check: int = 5
    initial_seconds_between_polls: float = 1.0
    timeout_seconds: float | None = None
    trial_ttl_seconds: float | None = None
