"""Setting an experiment up: what may be configured when."""

from __future__ import annotations

import math

from msgspec.structs import replace

from titrant.errors import CommandRefused, ConfigurationError, SearchSpaceError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.candidates import apart
from titrant.model.experiment import Definition
from titrant.model.factorial import flaw
from titrant.model.fidelity import flaw as flaw_of_cost
from titrant.model.objective import OptimizationConfig
from titrant.model.space import SearchSpace
from titrant.model.strategy import GenerationStrategy
from titrant.model.strategy import flaw as flaw_of_nodes
from titrant.rules import learning
from titrant.rules.state import State


def open_session(state: State, command: c.OpenSession, _at: int) -> tuple[Event, ...]:
    """A process took the log over; the log's identity and seed never change after the first session.

    A run that another process left under way ends here; its trials stay open and the next run takes them up.
    """
    opened = (
        e.SessionOpened(
            engine=command.engine,
            log_id=state.log_id or command.log_id,
            seed=state.seed if state.log_id else command.seed,
            host=command.host,
            pid=command.pid,
            timezone=command.timezone,
            versions=command.versions,
        ),
    )
    if state.run is None:
        return opened
    return (*opened, e.RunEnded(outcome="interrupted", reason="the process that ran it ended without a word"))


def close_session(_state: State, _command: c.CloseSession, _at: int) -> tuple[Event, ...]:
    """The process lets the log go."""
    return (e.SessionClosed(),)


def configure_experiment(state: State, command: c.ConfigureExperiment, _at: int) -> tuple[Event, ...]:
    """The search space is set once; trials refer to it.  The same again changes nothing."""
    defined = () if command.definition is None else _defined(state, command.definition)
    if state.experiment == command.experiment:
        return defined
    if state.next_index:
        raise CommandRefused(
            f"the search space cannot be replaced once trials exist ({state.next_index} do): "
            "change_search_space goes on with them in another one"
        )
    if state.run is not None:
        raise CommandRefused(
            "the experiment cannot be configured anew while run_trials is under way: use change_search_space"
        )
    if why := command.experiment.space.no_target():
        raise SearchSpaceError(why)
    state.approval.check(command.experiment.space)
    space, parts = apart(command.experiment.space)
    configured = e.ExperimentConfigured(experiment=replace(command.experiment, space=space))
    return (configured, *kept(space, parts), *defined)


def kept(space: SearchSpace, parts: tuple[str, ...]) -> tuple[e.CandidatesKept, ...]:
    """The events of what has no place in that of the search space."""
    digest = space.candidates.digest if space.candidates else ""
    return tuple(e.CandidatesKept(digest=digest, text=part) for part in parts)


def keep_definition(state: State, command: c.DefineExperiment, _at: int) -> tuple[Event, ...]:
    """What a file says is kept as it is; it decides nothing by itself."""
    return _defined(state, command.definition)


def configure_optimization(state: State, command: c.ConfigureOptimization, _at: int) -> tuple[Event, ...]:
    """The objective may change: old data stay and are read anew.

    While a run is under way, every metric of the new one must be measured already.
    """
    _need_space(state, "configure_optimization")
    if state.optimization == command.optimization:
        return ()
    if state.run is not None and (unknown := _unknown_metrics(state, command.optimization)):
        raise CommandRefused(
            f"the objective cannot change to one of {unknown[0]!r} while run_trials is under way: no trial has it; "
            "drain the run first, or name a metric that is measured already"
        )
    known = (*command.optimization.metric_names, *state.tracking)
    return (e.OptimizationConfigured(optimization=command.optimization), *_tracked(state, state.metrics, known))


def configure_strategy(state: State, command: c.ConfigureStrategy, _at: int) -> tuple[Event, ...]:
    """The generation strategy may be replaced at any time; the next suggestion follows it."""
    _need_space(state, "configure_generation_strategy")
    if state.experiment is not None and (wrong := strategy_flaw(command.strategy, state.experiment.space)) is not None:
        raise CommandRefused(wrong)
    if state.past and (wrong := learning.flaw_of_method(replace(state, strategy=command.strategy))) is not None:
        raise CommandRefused(wrong)
    return () if state.strategy == command.strategy else (e.StrategyConfigured(strategy=command.strategy),)


def configure_metrics(state: State, command: c.ConfigureMetrics, _at: int) -> tuple[Event, ...]:
    """Which metrics can be fetched; those that are neither objective nor constraint are tracked."""
    _unique("metric", command.names)
    changed = () if state.metrics == command.names else (e.MetricsConfigured(names=command.names),)
    if state.optimization is None:
        return changed
    return (*changed, *_tracked(state, command.names, (*state.optimization.metric_names, *state.tracking)))


def configure_tracking_metrics(state: State, command: c.ConfigureTrackingMetrics, _at: int) -> tuple[Event, ...]:
    """Name metrics that are recorded; those already known are skipped, as in Ax."""
    needed = state.optimization.metric_names if state.optimization else ()
    return _tracked(state, command.names, (*needed, *state.tracking))


def configure_runners(state: State, command: c.ConfigureRunners, _at: int) -> tuple[Event, ...]:
    """Who carries trials out."""
    _unique("runner", tuple(spec.name for spec in command.runners))
    if not command.runners:
        raise ConfigurationError("configure_runners was given no runner: give at least one")
    for spec in command.runners:
        if spec.capacity is not None and spec.capacity < 1:
            raise ConfigurationError(f"runner {spec.name!r} has capacity {spec.capacity}: it must be at least 1")
        # A rerun is a new attempt with a new key: keys that are honoured do not make it safe.
        if spec.on_unknown == "rerun" and not spec.rerun_safe:
            raise ConfigurationError(
                f"runner {spec.name!r} asks for on_unknown='rerun' without declaring rerun_safe=True: "
                "declare it if carrying a trial out twice does no harm"
            )
    if state.run is not None:
        raise CommandRefused("runners cannot change while run_trials is under way: drain it first")
    given = {spec.name for spec in command.runners}
    for index in sorted(state.open):
        trial = state.open[index]
        if trial.runner is not None and not trial.run_done and trial.runner not in given:
            raise CommandRefused(
                f"trial {index} is on runner {trial.runner!r}, which is not among {sorted(given)}: "
                "configure a runner with that name so that the trial can be found again"
            )
    return () if state.runners == command.runners else (e.RunnersConfigured(runners=command.runners),)


def strategy_flaw(strategy: GenerationStrategy, space: SearchSpace) -> str | None:
    """What is wrong with a strategy in that space; None where nothing is."""
    if not (strategy.wait_seconds >= 0 and math.isfinite(strategy.wait_seconds)):
        return f"a slot cannot wait {strategy.wait_seconds!r} s for a fresh suggestion: give 0 or more seconds"
    if not (strategy.deadline_seconds > 0 and math.isfinite(strategy.deadline_seconds)):
        return (
            f"no suggestion can be made within {strategy.deadline_seconds!r} s: "
            "give suggestion_deadline_seconds a number of seconds above 0, such as 120"
        )
    counts = {
        "initialization_budget": strategy.initialization_budget,
        "min_observed_initialization_trials": strategy.min_observed,
    }
    for name, count in counts.items():
        if count is not None and count < 0:
            return f"{name}={count}: give a number of trials, 0 or more, or None"
    if (wrong := flaw_of_cost(space, strategy.cost)) is not None:
        return wrong
    if space.having("fidelity") and "botorch" in (strategy.method, *(node.method for node in strategy.nodes)):
        return "method='botorch' knows no fidelities: give another method, or fix the fidelity at its target"
    if not strategy.nodes:
        return flaw(space, strategy.grid_levels) if strategy.initialization == "grid" else None
    if (wrong := flaw_of_nodes(strategy.nodes)) is not None:
        return wrong
    if strategy.method == "random_search" and any(node.is_model and node.method is None for node in strategy.nodes):
        return "method='random_search' is none of a model's, and there is a node of a model: give the node a method"
    grids = (node for node in strategy.nodes if node.generator == "grid")
    return next((wrong for node in grids if (wrong := flaw(space, node.grid_levels)) is not None), None)


def _defined(state: State, definition: Definition) -> tuple[Event, ...]:
    return () if state.definition == definition else (e.ExperimentDefined(definition=definition),)


def _tracked(state: State, names: tuple[str, ...], known: tuple[str, ...]) -> tuple[Event, ...]:
    """Those of *names* that are not known yet are tracked from now on."""
    new = tuple(dict.fromkeys(name for name in names if name not in known))
    return (e.TrackingMetricsConfigured(names=(*state.tracking, *new)),) if new else ()


def _unknown_metrics(state: State, optimization: OptimizationConfig) -> list[str]:
    """Metrics of an objective that the run under way does not measure."""
    known = {*(state.optimization.metric_names if state.optimization else ()), *state.metrics, *state.tracking}
    return [name for name in optimization.metric_names if name not in known]


def _need_space(state: State, call: str) -> None:
    if state.experiment is None:
        raise CommandRefused(f"{call} needs a search space: call configure_experiment first")


def _unique(what: str, names: tuple[str, ...]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"{what} names must be unique: {', '.join(map(repr, twice))} given more than once")
