"""Optuna's samplers as a generator: ``Client(generator=OptunaGenerator())``, or ``use = "optuna"`` in a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators import dispatch
from titrant.generators.base import Point, Reply, Request
from titrant.generators.external import settled
from titrant.generators.gp.asked import mixed
from titrant.model.objective import OptimizationConfig, OutcomeConstraint
from titrant.model.observation import means
from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, ParameterConfig
from titrant.model.trial import Parameterization

# Wishes for each suggestion: some cannot be mended, or were tried before.
_WISHES = 4


class OptunaGenerator:
    """Optuna in the place of the model; centre and initial design stay titrant's.

    A study is made anew from each request, so nothing is lost with a process.  Optuna knows no linear constraints: what
    it wishes for is moved to the nearest point that keeps them.

    Args:
        sampler: ``"tpe"``, or ``"gp"``, which loads torch into the engine's process.

    Raises:
        ConfigurationError: Optuna is not installed.
    """

    def __init__(self, sampler: Literal["tpe", "gp"] = "tpe") -> None:
        try:
            import optuna  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as exc:
            raise ConfigurationError("Optuna is not installed: pip install 'titrant[optuna]'") from exc
        if sampler not in ("tpe", "gp"):
            raise ConfigurationError(f"sampler is {sampler!r}, and must be 'tpe' or 'gp'")
        self._optuna: Any = optuna
        self._sampler = sampler

    def suggest(self, request: Request) -> Reply:
        """Make ``request.count`` suggestions.

        Raises:
            GenerationError: Nothing is sought yet, or nothing keeps the constraints.
        """
        if request.node != "bo":
            return dispatch.suggest(request)
        if request.optimization is None:
            raise GenerationError("Optuna needs an objective: configure the optimization first")
        if request.optimization.is_preference:
            raise GenerationError("Optuna knows no comparisons: a preference is sought by titrant's own model")
        wishes = self._wishes(request, request.optimization)
        return settled(request, wishes, f"Optuna {self._sampler.upper()}", {"optuna": self._optuna.__version__})

    def _wishes(self, request: Request, sought: OptimizationConfig) -> Iterator[Parameterization]:
        optuna = self._optuna
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = mixed(request.seed, len(request.observed), len(request.pending))
        kind = optuna.samplers.TPESampler if self._sampler == "tpe" else optuna.samplers.GPSampler
        # The initial design was titrant's: Optuna's own random start would throw its data away.
        sampler = kind(seed=seed, n_startup_trials=1)
        study = optuna.create_study(sampler=sampler, directions=["maximize"] * len(sought.objectives))
        axes = {
            config.name: self._distribution(config)
            for config in request.space.parameters
            if config.name not in request.fixed and not isinstance(config, FixedParameterConfig)
        }
        state = optuna.trial.TrialState
        for point in request.observed:
            measured = means(point.observations)
            if all(name in measured for name in sought.metric_names):
                kept = {one.text: _excess(one, measured) for one in sought.constraints if not one.relative}
                values = list(sought.utilities(measured))
                self._add(study, request, point, axes, state=state.COMPLETE, values=values, constraints=kept or None)
        for point in request.pending:
            self._add(study, request, point, axes, state=state.RUNNING)
        for _ in range(_WISHES * request.count if axes else 0):
            yield dict(study.ask(axes).params)

    def _add(self, study: Any, request: Request, point: Point, axes: dict[str, Any], **said: Any) -> None:
        """Tell the study of a trial, at the nearest place that the space has."""
        try:
            place = request.space.filled(request.space.round(point.parameters))
        except ConfigurationError:
            return  # a choice that there is no more
        params = {name: place[name] for name in axes}
        study.add_trial(self._optuna.trial.create_trial(params=params, distributions=axes, **said))

    def _distribution(self, config: ParameterConfig) -> Any:
        kinds = self._optuna.distributions
        if isinstance(config, ChoiceParameterConfig):
            return kinds.CategoricalDistribution(config.allowed)
        assert not isinstance(config, FixedParameterConfig)
        low, high = config.interval
        log = config.scaling == "log"
        # Optuna has no steps on a logarithmic scale: the nearest step is taken afterwards.
        if config.parameter_type == "int":
            return kinds.IntDistribution(int(low), int(high), log=log, step=1 if log else int(config.step_size or 1))
        return kinds.FloatDistribution(low, high, log=log, step=None if log else config.step_size)


def _excess(constraint: OutcomeConstraint, measured: dict[str, float]) -> float:
    """How far a constraint is missed, negative where it is kept with room."""
    over = sum(weight * measured[name] for name, weight in constraint.terms) - constraint.bound
    return over if constraint.relation == "<=" else -over
