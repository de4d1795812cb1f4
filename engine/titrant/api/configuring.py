"""Setting an experiment up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from titrant.api.base import OnEngine, by
from titrant.api.spaces import offering, refuse_empty
from titrant.errors import ConfigurationError
from titrant.messages import commands as c
from titrant.model.experiment import Definition, Experiment, GenerationStrategy, Initialization, Method
from titrant.model.factorial import USUAL
from titrant.model.fidelity import AffineCost, Cost
from titrant.model.given import listed
from titrant.model.objective import optimization_config
from titrant.model.space import search_space
from titrant.model.strategy import EITHER, GenerationNode, Policy, checked_seed
from titrant.ports import FunctionRunner, Metric


class Configuring(OnEngine):
    """Search space, objective, strategy, runners, metrics."""

    async def configure_experiment(
        self,
        parameters: Sequence[Any],
        parameter_constraints: Sequence[Any] | None = None,
        name: str | None = None,
        description: str | None = None,
        experiment_type: str | None = None,
        owner: str | None = None,
        *,
        candidates: Iterable[Mapping[str, Any]] | None = None,
        definition: Definition | None = None,
    ) -> None:
        """Set the search space.

        Args:
            parameters: ``RangeParameterConfig``, ``ChoiceParameterConfig`` and ``FixedParameterConfig`` (Ax's own
                configs are read as well).
            parameter_constraints: Texts in the parameters' own units, ``"x1 + 2*x2 <= 3"``, ``"a + b == 1"``,
                ``"a*b <= 3"``, ``"at most 2 of a, b, c"``, or functions that can be imported (docs/search-spaces.md).
            name: The experiment's name.
            description: What it is about.
            experiment_type: A word to sort experiments by.
            owner: Whose it is.
            candidates: The only points that may be suggested, 100,000 at most: a catalogue, what stands in a rack.
            definition: What an experiment file says, to be kept in the log with it (see ``titrant.definition``).

        Raises:
            SearchSpaceError: A parameter or constraint is ill-defined, or the space is empty.
            CommandRefused: Trials exist already.
        """
        space = search_space(parameters, parameter_constraints or ())
        if candidates is not None:
            space = await offering(self.engine, space, candidates)
        experiment = Experiment(
            space=space,
            name=name or "experiment",
            description=description or "",
            owner=owner or "",
            experiment_type=experiment_type or "",
        )
        await refuse_empty(self.engine, experiment.space)
        await self.engine.do(c.ConfigureExperiment(experiment=experiment, definition=definition), by())
        self.engine.warm(model=False)

    async def keep_definition(self, definition: Definition) -> None:
        """Keep what an experiment file says in the log; nothing else changes by it."""
        await self.engine.do(c.DefineExperiment(definition=definition), by())

    async def configure_optimization(
        self,
        objective: str,
        outcome_constraints: Sequence[str] | None = None,
        *,
        objective_thresholds: Sequence[str] | None = None,
    ) -> None:
        """Set what is sought.

        Args:
            objective: ``"yield"`` is made large, ``"-cost"`` small; ``"yield - 0.1*cost"`` weighs, ``"yield, -cost"``
                seeks a Pareto front.
            outcome_constraints: ``"impurity <= 0.05"``, ``"qps >= 0.95*baseline"``.
            objective_thresholds: Of several objectives, from where on one counts: ``"yield >= 0.6"``.  As in Ax, such
                a text among the outcome constraints means the same.

        Raises:
            ObjectiveError: A text cannot be read, a threshold is none, or a metric is called as a parameter is.
        """
        optimization = optimization_config(objective, outcome_constraints, objective_thresholds)
        if self.state.experiment is not None:  # not in the rules: logs of before have such objectives
            optimization.require_measured(self.state.experiment.space.names)
        await self.engine.do(c.ConfigureOptimization(optimization=optimization), by())

    async def configure_generation_strategy(
        self,
        method: Method = "fast",
        initialization_budget: int | None = None,
        initialization_random_seed: int | None = None,
        initialize_with_center: bool = True,
        use_existing_trials_for_initialization: bool = True,
        min_observed_initialization_trials: int | None = None,
        suggestion_deadline_seconds: float = 120.0,
        initialization: Initialization = "sobol",
        grid_levels: int | dict[str, int] = USUAL,
        nodes: Sequence[GenerationNode | Mapping[str, Any]] = (),
        policy: Policy = "auto",
        suggestion_wait_seconds: float = 30.0,
        learn_from_failures: bool = True,
        cost: AffineCost | Mapping[str, Any] | str | None = None,
    ) -> None:
        """Set how trials are made: the centre, an initial design, then Bayesian optimization.

        Args:
            method: Which model suggests: ``"fast"``; ``"quality"`` averages over its hyperparameters; ``"thompson"``
                draws functions at random; ``"turbo"`` keeps to a trust region, for many dimensions; ``"botorch"`` is
                BoTorch's. ``"random_search"`` stays with the initial design.
            initialization_budget: Trials before the model takes over, the centre among them; where None 5, and of a
                grid all of it.
            initialization_random_seed: Seed of the initial design; the experiment's where None.
            initialize_with_center: Whether the first trial is the centre of the search space.
            use_existing_trials_for_initialization: Whether attached trials count towards the budget.
            min_observed_initialization_trials: Completed trials the model needs; ``max(1, budget // 2)`` where None.
            suggestion_deadline_seconds: After this a Sobol point stands in for a suggestion that takes too long.
            initialization: The initial design: ``"sobol"``, ``"latin_hypercube"`` (of as many points as the budget has
                beside the centre), ``"random"``, or ``"grid"``: a full factorial in random order.
            grid_levels: Levels of a grid's ranges, for all or by name (3 where a name is missing), from bound to bound;
                choices have all their values.
            learn_from_failures: Whether a model learns where trials fail, and keeps away from there.  Only failures
                that the runner, or whoever carried the trial out, reports count.
            nodes: The strategy as a graph instead, its first node first: ``titrant.model.strategy.GenerationNode``, or
                mappings of its fields.  Then *method* is that of models without one of their own, and nothing else may
                be said of the initial design but its seed.
            policy: What a slot takes that a model fills in the closed loop.  ``"fresh"``: a suggestion that has seen
                the newest results; the slot waits for those that are on their way, too.  ``"ready"``: one that was made
                ahead, at once.  ``"auto"``: a fresh one where that takes less than 1 % of a trial's time, else a ready
                one.
            suggestion_wait_seconds: How long a slot waits at most under ``"fresh"``; then it takes what there is.
            cost: What a trial costs at a fidelity: ``{"fixed_cost": 5, "fidelity_weights": {"minutes": 1.5}}`` (as
                BoTorch's ``AffineFidelityCostModel``, in the parameters' own units), or the name of a metric that
                measures it, of which a model is made.  Where None, a trial at the target costs 1 and others the less
                the farther they are from it, down to 0.05.

        Raises:
            ConfigurationError: A node cannot be read, both *nodes* and the initial design are given, or the seed is
                below 0.
            CommandRefused: There is no search space yet, the nodes are no graph that could be followed, or a grid has
                no points, or far too many.
        """
        given = (initialization_budget, initialize_with_center, use_existing_trials_for_initialization)
        said = (*given, min_observed_initialization_trials, initialization, grid_levels)
        graph = _nodes(nodes)
        if graph and said != (None, True, True, None, "sobol", USUAL):
            raise ConfigurationError(EITHER)
        strategy = GenerationStrategy(
            method=method if not graph or any(node.is_model for node in graph) else "random_search",
            initialization_budget=initialization_budget,
            min_observed=min_observed_initialization_trials,
            initialize_with_center=initialize_with_center,
            use_existing_trials=use_existing_trials_for_initialization,
            seed=checked_seed("initialization_random_seed", initialization_random_seed),
            deadline_seconds=suggestion_deadline_seconds,
            initialization=initialization,
            grid_levels=grid_levels,
            nodes=graph,
            policy=policy,
            wait_seconds=suggestion_wait_seconds,
            learn_from_failures=learn_from_failures,
            cost=_cost(cost),
        )
        await self.engine.do(c.ConfigureStrategy(strategy=strategy), by())

    async def configure_runner(self, runner: Any) -> None:
        """Set who carries trials out: a ``Runner``, a ``PushedRunner``, a class written for Ax, or a plain function.

        Raises:
            ConfigurationError: It is none of these.
        """
        await self.configure_runners([runner])

    async def configure_runners(self, runners: Sequence[Any]) -> None:
        """Set several runners; a trial goes to one that has room.  Each is told apart by its ``name``."""
        await self.engine.lab.use_runners([_runner(runner) for runner in runners], by())

    async def configure_metrics(self, metrics: Sequence[Metric]) -> None:
        """Set who fetches data: objects with ``name`` and ``fetch``, as in Ax."""
        await self.engine.lab.use_metrics(metrics, by())

    async def configure_tracking_metrics(self, metric_names: Sequence[str]) -> None:
        """Name metrics that are recorded and not optimized.

        Raises:
            ConfigurationError: It is a single text.
        """
        names = tuple(listed("metric_names", metric_names, "texts"))
        await self.engine.do(c.ConfigureTrackingMetrics(names=names), by())


def _nodes(nodes: Sequence[GenerationNode | Mapping[str, Any]]) -> tuple[GenerationNode, ...]:
    """Nodes of a strategy, checked.

    Raises:
        ConfigurationError: One cannot be read; the message names the field.
    """
    plain = [msgspec.to_builtins(node) if isinstance(node, GenerationNode) else node for node in nodes]
    try:
        return msgspec.convert(plain, tuple[GenerationNode, ...])
    except msgspec.ValidationError as exc:
        raise ConfigurationError(f"a node of the generation strategy cannot be read: {exc}") from exc


def _cost(cost: AffineCost | Mapping[str, Any] | str | None) -> Cost | None:
    """What is said of costs, checked.

    Raises:
        ConfigurationError: It cannot be read; the message names the field.
    """
    plain = msgspec.to_builtins(cost) if isinstance(cost, AffineCost) else cost
    try:
        return msgspec.convert(plain, Cost | None)  # type: ignore[no-any-return]  # a union is no type
    except msgspec.ValidationError as exc:
        told = '{"fixed_cost": 5, "fidelity_weights": {"minutes": 1.5}}'
        raise ConfigurationError(f"the cost cannot be read: {exc}; give {told} or a metric's name") from exc


def _runner(runner: Any) -> Any:
    """A plain function becomes a runner; everything else is looked at by its methods."""
    is_function = callable(runner) and not hasattr(runner, "run_trial") and not hasattr(runner, "run")
    return FunctionRunner(runner) if is_function else runner
