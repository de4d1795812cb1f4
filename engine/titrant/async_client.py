"""``AsyncClient``: the whole of titrant for a program with an event loop of its own."""

from __future__ import annotations

import getpass
import sys
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import anyio
import msgspec

from titrant.actors.generator import Worker
from titrant.analysis import results
from titrant.analysis.table import Table
from titrant.engine import Engine
from titrant.errors import CommandRefused, FailureRateExceeded, GenerationError, TitrantError
from titrant.generators.base import Generator
from titrant.generators.process import InProcess
from titrant.log.base import Record
from titrant.messages import commands as c
from titrant.model.experiment import Experiment, GenerationStrategy, RunOptions
from titrant.model.objective import optimization_config
from titrant.model.space import search_space
from titrant.model.trial import Parameterization, TrialStatus
from titrant.ports import FunctionRunner, Metric
from titrant.rules.running import waiting_for
from titrant.rules.state import State

Prediction = dict[str, tuple[float, float | None]]
"""Metric name to (mean, SEM) in the metric's own unit."""


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a call of ``run_trials`` ended.

    Attributes:
        outcome: ``"finished"``, ``"timeout"``, ``"drained"``, ``"stopped"``, ``"halted"``, ``"exhausted"`` (no new
            trial could be made) or ``"stuck"`` (a person must act first).
        reason: The same in a sentence; empty when all went as asked.
        trials_created: New trials of this call.
        failures: Index and reason of the trials that failed or were abandoned.
    """

    outcome: str
    reason: str
    trials_created: int
    failures: tuple[tuple[int, str], ...]


class AsyncClient:
    """An experiment, asked and told, or run as a closed loop; use it as an async context manager.

    Args:
        path: Where the durable log is to be made; None keeps the experiment in memory.
        random_seed: Seed of everything random; drawn and recorded where None.
        generator: A generator of one's own in place of titrant's.

    Raises:
        LogExists: There is a log at *path* already: use ``AsyncClient.open``.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        random_seed: int | None = None,
        *,
        generator: Generator | None = None,
        _create: bool = True,
    ) -> None:
        make_worker: Callable[[], Worker] | None = None
        if generator is not None:
            make_worker = lambda: InProcess(generator)  # noqa: E731
        self.engine = Engine(
            None if path is None else Path(path), create=_create, seed=random_seed, make_worker=make_worker
        )

    @classmethod
    def open(cls, path: str | Path, *, generator: Generator | None = None) -> Self:
        """Go on with the experiment whose log is at *path*.

        Raises (on entering):
            LogMissing: There is none.
            LogInUse: Another process holds it.
            LogCorrupt: It is damaged.
        """
        return cls(path, generator=generator, _create=False)

    async def __aenter__(self) -> Self:
        await self.engine.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.engine.__aexit__(exc_type, exc, trace)

    @property
    def state(self) -> State:
        """The newest durable state; immutable."""
        return self.engine.state

    # --- configuration ----------------------------------------------------------------------------------------------

    async def configure_experiment(
        self,
        parameters: Sequence[Any],
        parameter_constraints: Sequence[str] | None = None,
        name: str | None = None,
        description: str | None = None,
        experiment_type: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Set the search space.

        Args:
            parameters: ``RangeParameterConfig``, ``ChoiceParameterConfig`` and ``FixedParameterConfig`` (Ax's own
                configs are read as well).
            parameter_constraints: Linear, as text in the parameters' own units: ``"x1 + 2*x2 <= 3"``, ``"a + b == 1"``.
            name: The experiment's name.
            description: What it is about.
            experiment_type: A word to sort experiments by.
            owner: Whose it is.

        Raises:
            SearchSpaceError: A parameter or constraint is ill-defined, or the space is empty.
            CommandRefused: Trials exist already.
        """
        experiment = Experiment(
            space=search_space(parameters, parameter_constraints or ()),
            name=name or "experiment",
            description=description or "",
            owner=owner or "",
            experiment_type=experiment_type or "",
        )
        await self.engine.do(c.ConfigureExperiment(experiment=experiment), _by())
        self.engine.warm(model=False)

    async def configure_optimization(self, objective: str, outcome_constraints: Sequence[str] | None = None) -> None:
        """Set what is sought.

        Args:
            objective: ``"yield"`` is made large, ``"-cost"`` small; ``"yield - 0.1*cost"`` weighs, ``"yield, -cost"``
                seeks a Pareto front.
            outcome_constraints: ``"impurity <= 0.05"``, ``"qps >= 0.95*baseline"``.

        Raises:
            ObjectiveError: The text cannot be read.
        """
        optimization = optimization_config(objective, outcome_constraints)
        await self.engine.do(c.ConfigureOptimization(optimization=optimization), _by())

    async def configure_generation_strategy(
        self,
        method: Literal["fast", "quality", "random_search"] = "fast",
        initialization_budget: int | None = None,
        initialization_random_seed: int | None = None,
        initialize_with_center: bool = True,
        use_existing_trials_for_initialization: bool = True,
        min_observed_initialization_trials: int | None = None,
        suggestion_deadline_seconds: float = 120.0,
    ) -> None:
        """Set how trials are made: the centre, Sobol points, then Bayesian optimization.

        Args:
            method: ``"random_search"`` stays with Sobol points.
            initialization_budget: Trials before the model takes over (5), the centre among them.
            initialization_random_seed: Seed of the Sobol sequence; the experiment's where None.
            initialize_with_center: Whether the first trial is the centre of the search space.
            use_existing_trials_for_initialization: Whether attached trials count towards the budget.
            min_observed_initialization_trials: Completed trials the model needs; ``max(1, budget // 2)`` where None.
            suggestion_deadline_seconds: After this a Sobol point stands in for a suggestion that takes too long.
        """
        strategy = GenerationStrategy(
            method=method,
            initialization_budget=initialization_budget,
            min_observed=min_observed_initialization_trials,
            initialize_with_center=initialize_with_center,
            use_existing_trials=use_existing_trials_for_initialization,
            seed=initialization_random_seed,
            deadline_seconds=suggestion_deadline_seconds,
        )
        await self.engine.do(c.ConfigureStrategy(strategy=strategy), _by())

    async def configure_runner(self, runner: Any) -> None:
        """Set who carries trials out: a ``Runner``, a ``PushedRunner``, a class written for Ax, or a plain function.

        Raises:
            ConfigurationError: It is none of these.
        """
        await self.configure_runners([runner])

    async def configure_runners(self, runners: Sequence[Any]) -> None:
        """Set several runners; a trial goes to one that has room.  Each is told apart by its ``name``."""
        await self.engine.use_runners([_runner(runner) for runner in runners], _by())

    async def configure_metrics(self, metrics: Sequence[Metric]) -> None:
        """Set who fetches data: objects with ``name`` and ``fetch``, as in Ax."""
        await self.engine.use_metrics(metrics, _by())

    async def configure_tracking_metrics(self, metric_names: Sequence[str]) -> None:
        """Name metrics that are recorded and not optimized."""
        await self.engine.do(c.ConfigureTrackingMetrics(names=tuple(metric_names)), _by())

    # --- ask and tell -----------------------------------------------------------------------------------------------

    async def get_next_trials(
        self, max_trials: int = 1, fixed_parameters: Parameterization | None = None
    ) -> dict[int, Parameterization]:
        """Make trials to carry out oneself; they are RUNNING from here on, and durable before this returns.

        Returns:
            Trial index to conditions; fewer than asked only when a finite search space is used up.

        Raises:
            GenerationError: Nothing could be suggested.
        """
        made = await self.engine.ask_trials(max_trials, dict(fixed_parameters or {}), _by())
        return {index: dict(self.state.trial(index).parameters) for index in made}

    async def complete_trial(
        self, trial_index: int, raw_data: Any = None, progression: float | None = None
    ) -> TrialStatus:
        """Tell a trial's result: a number, ``(mean, sem)``, or a mapping of metric names to these."""
        data = self.engine.read_data(raw_data, progression)
        state = await self.engine.do(c.CompleteTrial(trial=trial_index, observations=data), _by())
        return state.trial(trial_index).status

    async def attach_data(self, trial_index: int, raw_data: Any, progression: float | None = None) -> None:
        """Add data to a trial without ending it; a late result is always recorded."""
        data = self.engine.read_data(raw_data, progression)
        await self.engine.do(c.AttachData(trial=trial_index, observations=data), _by())

    async def attach_trial(self, parameters: Parameterization, arm_name: str | None = None) -> int:
        """Add a trial with conditions of one's own; returns its index."""
        return await self._attach(c.AttachTrial(parameters=dict(parameters), arm_name=arm_name))

    async def attach_baseline(self, parameters: Parameterization, arm_name: str | None = None) -> int:
        """Add the trial that relative outcome constraints refer to; returns its index."""
        return await self._attach(c.AttachTrial(parameters=dict(parameters), arm_name=arm_name, baseline=True))

    async def _attach(self, command: c.AttachTrial) -> int:
        return (await self.engine.do(command, _by())).next_index - 1

    async def mark_trial_failed(self, trial_index: int, failed_reason: str | None = None) -> None:
        """The trial failed; its conditions may be suggested again."""
        await self.engine.do(c.MarkFailed(trial=trial_index, reason=failed_reason or "marked as failed"), _by())

    async def mark_trial_abandoned(self, trial_index: int, reason: str | None = None) -> None:
        """The trial is given up; its conditions are not suggested again."""
        await self.engine.do(c.MarkAbandoned(trial=trial_index, reason=reason or "marked as abandoned"), _by())

    async def mark_trial_early_stopped(self, trial_index: int, reason: str | None = None) -> None:
        """The trial was stopped before its end; its data count."""
        await self.engine.do(c.MarkEarlyStopped(trial=trial_index, reason=reason or "marked as stopped early"), _by())

    async def fetch_data(self, trial_index: int, metric_names: Sequence[str] = ()) -> None:
        """Fetch the metrics of a finished trial again; those that are missing where none is named."""
        await self.engine.do(c.RefetchData(trial=trial_index, metrics=tuple(metric_names)), _by())

    # --- the closed loop --------------------------------------------------------------------------------------------

    async def run_trials(
        self,
        max_trials: int,
        parallelism: int = 1,
        tolerated_trial_failure_rate: float = 0.5,
        initial_seconds_between_polls: float = 1,
        timeout_seconds: float | None = None,
        trial_ttl_seconds: float | None = None,
        min_failed_trials_for_failure_rate_check: int = 5,
        progress: bool | None = None,
    ) -> RunReport:
        """Run a closed loop until *max_trials* new trials are over.

        Trials that were asked for and left, and trials an earlier process left running, are seen to their end as well.

        Args:
            max_trials: New trials of this call.
            parallelism: Trials under way at once, over all runners.
            tolerated_trial_failure_rate: Share of failed trials above which the loop drains and raises.
            initial_seconds_between_polls: How often polled runners are asked; never so seldom that a trial's end is
                noticed more than 2 % of its duration late.
            timeout_seconds: The call returns after this time; trials that run go on and are recorded.
            trial_ttl_seconds: A trial that runs longer is stopped and FAILED.
            min_failed_trials_for_failure_rate_check: Failures before the rate is looked at.
            progress: True shows a live view (plain lines where there is no terminal), False shows nothing; None
                shows it in a terminal only.

        Raises:
            FailureRateExceeded: Too many trials failed; what ran was finished first.
            CommandRefused: Something is not configured, or the experiment is halted.
            LogError: The log failed; nothing new was started from then on.
        """
        options = RunOptions(
            max_trials=max_trials,
            parallelism=parallelism,
            tolerated_trial_failure_rate=tolerated_trial_failure_rate,
            min_failed_trials_for_failure_rate_check=min_failed_trials_for_failure_rate_check,
            initial_seconds_between_polls=float(initial_seconds_between_polls),
            timeout_seconds=timeout_seconds,
            trial_ttl_seconds=trial_ttl_seconds,
        )
        self._check_ready()
        failure: TitrantError | None = None
        async with anyio.create_task_group() as tasks:
            if progress or (progress is None and sys.stderr.isatty()):
                from titrant.progress import follow  # noqa: PLC0415  # rich, only where somebody looks

                await tasks.start(follow, self.engine)
            try:
                await self.engine.do(c.StartRun(options=options), _by())
                state = await self.engine.await_run()
            except TitrantError as exc:  # kept, or the task group would wrap it
                failure = exc
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return _report(state)

    async def resume(self, progress: bool | None = None) -> RunReport:
        """Finish the run that was interrupted, with its own options and the trials it had left to make."""
        last = self.state.last_run
        if last is None:
            raise CommandRefused("there is no earlier run to resume: call run_trials")
        options = last.options
        return await self.run_trials(
            max_trials=max(0, options.max_trials - last.created),
            parallelism=options.parallelism,
            tolerated_trial_failure_rate=options.tolerated_trial_failure_rate,
            initial_seconds_between_polls=options.initial_seconds_between_polls,
            timeout_seconds=options.timeout_seconds,
            trial_ttl_seconds=options.trial_ttl_seconds,
            min_failed_trials_for_failure_rate_check=options.min_failed_trials_for_failure_rate_check,
            progress=progress,
        )

    def _check_ready(self) -> None:
        """Every metric that is needed must come from somewhere: a metric that fetches it, or a pushed runner."""
        state = self.state
        unconnected = [spec.name for spec in state.runners if spec.name not in self.engine.instruments]
        if unconnected:
            raise CommandRefused(
                f"runner {unconnected[0]!r} is in the log but not connected: call configure_runner "
                "(and configure_metrics) after opening a log"
            )
        silent = [name for name in state.metrics if name not in self.engine.metric_names]
        if silent:
            raise CommandRefused(f"metric {silent[0]!r} is in the log but not connected: call configure_metrics")
        pushed = any(instrument.pushed for instrument in self.engine.instruments.values())
        if state.optimization is not None and not pushed:
            missing = [name for name in state.optimization.metric_names if name not in state.metrics]
            if missing and self.engine.instruments:
                raise CommandRefused(
                    f"no metric fetches {', '.join(map(repr, missing))}, which the objective needs: give "
                    f"configure_metrics a metric of that name (it has {', '.join(map(repr, state.metrics)) or 'none'})"
                )

    async def pause(self, reason: str = "", actor: str | None = None) -> None:
        """Start no new trials; what runs goes on."""
        await self.engine.do(c.Pause(), _by(actor, reason))

    async def unpause(self, reason: str = "", actor: str | None = None) -> None:
        """Start new trials again."""
        await self.engine.do(c.Unpause(), _by(actor, reason))

    async def drain(self, reason: str = "", actor: str | None = None) -> None:
        """Finish what runs, start nothing new; ``run_trials`` then returns."""
        await self.engine.do(c.Drain(), _by(actor, reason))

    async def stop(self, reason: str = "", actor: str | None = None) -> None:
        """Stop what runs, then bring every instrument that can into its safe state; ``run_trials`` returns."""
        await self.engine.do(c.Stop(), _by(actor, reason))
        await self.engine.await_run()
        await self.engine.safe_states()

    async def halt(self, reason: str = "", actor: str | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Safe state everywhere at once, past queues and log; latched until ``reset``.  Not an emergency stop.

        Returns:
            Names of the runners that reached their safe state, and of those that failed to.
        """
        return await self.engine.halt(_by(actor, reason))

    async def reset(self, reason: str, actor: str | None = None) -> None:
        """Release the latch of a halt; starts nothing."""
        if not reason.strip():
            raise CommandRefused("reset needs a reason: say how you know that the lab is safe")
        await self.engine.do(c.Reset(), _by(actor, reason))
        self.engine.release_halt()

    async def resolve(
        self,
        trial_index: int,
        outcome: Literal["running", "completed", "failed", "abandoned", "rerun"],
        reason: str,
        raw_data: Any = None,
        actor: str | None = None,
    ) -> None:
        """Say what became of an UNKNOWN trial; the reason says how you know."""
        data = self.engine.read_data(raw_data, None)
        command = c.Resolve(trial=trial_index, outcome=outcome, reason=reason, observations=data)
        await self.engine.do(command, _by(actor, reason))

    async def restore_runner(self, name: str, reason: str = "", actor: str | None = None) -> None:
        """Use a quarantined runner again."""
        await self.engine.do(c.RestoreRunner(name=name), _by(actor, reason))

    async def subscribe(self) -> AsyncIterator[Record]:
        """Yield every event as soon as it is durable, until the client is closed."""
        async with aclosing(self.engine.hub.listen()) as published:
            async for record, _state in published:
                yield record

    # --- answers ----------------------------------------------------------------------------------------------------

    async def get_best_parameterization(
        self, use_model_predictions: bool = True
    ) -> tuple[Parameterization, Prediction, int, str]:
        """The best trial so far: conditions, metric values as (mean, SEM), trial index, arm name.

        Args:
            use_model_predictions: Rank the trials by a model's predictions, which see through noise; by what was
                observed where False, or where there are too few data for a model.

        Raises:
            CommandRefused: No trial with usable data keeps the constraints, or there are several objectives.
        """
        state = self.state
        best = results.best_observed(state)
        if best is None:
            raise CommandRefused("there is no finished trial that has data and keeps the outcome constraints yet")
        trial, values = best.trial, dict(results.outcome(best.trial))
        if use_model_predictions and state.strategy.method != "random_search":
            candidates = results.eligible(state)
            try:
                reply = await self.engine.predict([one.parameters for one in candidates])
            except GenerationError:
                return dict(trial.parameters), values, trial.index, trial.arm_name
            optimization = results.configured(state)
            top = -float("inf")
            for one, predicted in zip(candidates, reply.predictions, strict=True):
                expected = {name: mean for name, (mean, _) in predicted.items()}
                if not results.feasible(state, expected) or not results.feasible(state, _means(results.outcome(one))):
                    continue
                utility = optimization.utilities(expected)[0]
                if utility > top:
                    top, trial, values = utility, one, dict(predicted)
        return dict(trial.parameters), values, trial.index, trial.arm_name

    async def get_pareto_frontier(self) -> list[tuple[Parameterization, Prediction, int, str]]:
        """The trials that no other beats in every objective, by what was observed."""
        return [
            (dict(trial.parameters), dict(results.outcome(trial)), trial.index, trial.arm_name)
            for trial in results.pareto_observed(self.state)
        ]

    async def predict(self, points: Sequence[Parameterization]) -> list[Prediction]:
        """A model's prediction of every metric at *points*, as (mean, SEM of the mean) in the metric's own unit.

        Raises:
            GenerationError: There are too few data.
        """
        state = self.state
        if state.experiment is None:
            raise CommandRefused("there is no search space yet: call configure_experiment first")
        checked = [state.experiment.space.check(point) for point in points]
        reply = await self.engine.predict(checked)
        return [dict(prediction) for prediction in reply.predictions]

    async def summarize(
        self, trial_indices: Iterable[int] | None = None, trial_statuses: Collection[str] | None = None
    ) -> Table:
        """One row a trial: status, reason, node, times, metrics, parameters; ``.to_pandas()`` gives a data frame."""
        return results.summary(self.state, trial_indices, trial_statuses)

    async def waiting_for(self) -> str:
        """What the closed loop waits for, as a sentence."""
        return waiting_for(self.state)


def _report(state: State) -> RunReport:
    last = state.last_run
    assert last is not None
    if last.outcome == "failure_rate":
        raise FailureRateExceeded(
            len(last.failures), max(last.taken, 1), last.options.tolerated_trial_failure_rate, last.failures
        )
    return RunReport(outcome=last.outcome, reason=last.reason, trials_created=last.created, failures=last.failures)


def _runner(runner: Any) -> Any:
    """A plain function becomes a runner; everything else is looked at by its methods."""
    is_function = callable(runner) and not hasattr(runner, "run_trial") and not hasattr(runner, "run")
    return FunctionRunner(runner) if is_function else runner


def _means(values: Mapping[str, tuple[float, float | None]]) -> dict[str, float]:
    return {name: mean for name, (mean, _) in values.items()}


def _by(actor: str | None = None, reason: str = "") -> c.By:
    """Who asks: the named actor, or the person at this machine."""
    if actor is None:
        try:
            actor = f"user:{getpass.getuser()}"
        except (OSError, KeyError):  # a container without a user database
            actor = "user:unknown"
    return c.By(actor, None, reason or None)
