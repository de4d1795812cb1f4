"""Would this file run?  Types, bounds, feasibility, names, and a dry run; nothing is written and no lab is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from titrant.actors.instrument import Instrument
from titrant.client import Client
from titrant.definition import connecting, meaning
from titrant.definition.applying import apply
from titrant.definition.connecting import Connected
from titrant.definition.file import Strategy
from titrant.definition.problems import Path as Place
from titrant.definition.problems import Problem
from titrant.definition.reading import Loaded, read
from titrant.errors import ConfigurationError, TitrantError
from titrant.generators import dispatch
from titrant.generators.base import Reply, Request
from titrant.model.factorial import flaw
from titrant.model.fidelity import flaw as flaw_of_cost
from titrant.model.objective import OptimizationConfig
from titrant.model.observation import Readings
from titrant.model.space import SearchSpace
from titrant.model.strategy import EITHER, OF_A_DESIGN, GenerationStrategy
from titrant.model.trial import Parameterization, TrialStatus
from titrant.rules.setup import strategy_flaw
from titrant.runtime.clock import RealClock
from titrant.simulation.behaviour import FAILURE

TRIALS = 8
"""Suggestions of the dry run."""


REHEARSED = 3
"""Trials of a simulated lab; more than one, as it may be said to fail now and then."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found.

    Attributes:
        file: The file.
        problems: All faults, warnings among them.
        name: The experiment's name.
        parameters: How many there are.
        points: How many distinct points the space has; None where infinitely many.
        runners: Names of the runners that could be made.
        suggested: What the dry run suggested first: the centre and Sobol points.
        measured: What one virtual-time trial of a simulated lab gave, metric to mean.
    """

    file: str
    problems: tuple[Problem, ...] = ()
    name: str = ""
    parameters: int = 0
    points: int | None = None
    runners: tuple[str, ...] = ()
    suggested: tuple[Parameterization, ...] = ()
    measured: dict[str, float] = {}

    @property
    def passed(self) -> bool:
        """Whether nothing keeps the experiment from running."""
        return all(problem.level != "error" for problem in self.problems)


class _Designs:
    """The generator of the dry run: designs only, in this process."""

    def suggest(self, request: Request) -> Reply:
        """Make points of the design."""
        return dispatch.suggest(request)


def check(path: Path, trials: int = TRIALS) -> Report:
    """Check an experiment file.

    Args:
        path: The file.
        trials: Suggestions of the dry run.

    Raises:
        OSError: There is no such file, or it cannot be read.
    """
    loaded, problems = read(path)
    if loaded is None:
        return Report(file=str(path), problems=problems)
    connected, unconnected = connecting.attempt(loaded)
    problems += unconnected
    problems += _roles(loaded, connected, complete=not unconnected)
    report = Report(
        file=str(path),
        name=loaded.name,
        parameters=len(loaded.file.parameters),
        runners=tuple(_name(one) for one in connected.runners),
    )
    if any(problem.level == "error" for problem in problems):
        return msgspec.structs.replace(report, problems=problems)
    report = msgspec.structs.replace(report, problems=problems, points=loaded.experiment.space.size())
    return _dry_run(report, loaded, connected, trials)


# --- who gives which metric -----------------------------------------------------------------------------------------


def _roles(loaded: Loaded, connected: Connected, *, complete: bool) -> tuple[Problem, ...]:
    """Runners that have no shape or one name between them, and metrics that nobody gives."""
    found: list[Problem] = []
    names = [_name(one) for one in connected.runners]
    shapes: list[Instrument] = []
    space = _space(loaded)
    for at, runner in enumerate(connected.runners):
        try:
            shapes.append(Instrument(runner, clock=RealClock(), read_data=lambda _data, _progression: Readings()))
            if space is not None:
                shapes[-1].check_space(space)
        except ConfigurationError as exc:
            found.append(loaded.problem(("runners", at), str(exc)))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        said = f"more than one runner is called {', '.join(map(repr, twice))}: give each a `name`"
        found.append(loaded.problem(("runners",), said))
    if not loaded.file.runners:
        said = "there is no runner: trials are asked for and told (`titrant ask`, `titrant tell`)"
        found.append(loaded.problem((), said, "warning"))
    optimization = _optimization(loaded)
    if optimization is None:
        if not loaded.file.objective and not any(one.where == "objective" for one in found):
            said = "there is no objective: trials are made, and none is better than another"
            found.append(loaded.problem((), said, "warning"))
    elif complete and shapes and not any(one.pushed for one in shapes):
        fetched = {one.name for one in connected.metrics}
        missing = [name for name in optimization.metric_names if name not in fetched]
        if missing:
            said = (
                f"nobody fetches {', '.join(map(repr, missing))}, which the objective needs: a polled runner gives no "
                "data by itself, so name a metric for each under [[metrics]]"
            )
            found.append(loaded.problem(("metrics",), said))
    return tuple(found)


def _space(loaded: Loaded) -> SearchSpace | None:
    try:
        return loaded.experiment.space
    except ConfigurationError:  # told already, with its place
        return None


def _optimization(loaded: Loaded) -> OptimizationConfig | None:
    try:
        return meaning.optimization(loaded.file)
    except ConfigurationError:  # told already, with its place
        return None


def _name(runner: object) -> str:
    return str(getattr(runner, "name", "") or type(runner).__name__)


# --- the dry run ----------------------------------------------------------------------------------------------------


def _flaw(strategy: Strategy, space: SearchSpace) -> str | None:
    """What is wrong with a strategy in that space, beside what its types say."""
    if (wrong := flaw_of_cost(space, strategy.cost)) is not None:
        return wrong
    if not strategy.node:
        return flaw(space, strategy.grid_levels) if strategy.initialization == "grid" else None
    usual = Strategy()
    if any(getattr(strategy, field) != getattr(usual, field) for field in OF_A_DESIGN):
        return EITHER
    return strategy_flaw(GenerationStrategy(method=strategy.method, nodes=tuple(strategy.node)), space)


def _dry_run(report: Report, loaded: Loaded, connected: Connected, trials: int) -> Report:
    """Suggest points, all of which must fit; and where all labs are simulated, carry one out in virtual time."""
    space = loaded.experiment.space
    strategy = loaded.file.strategy
    if strategy is not None and (wrong := _flaw(strategy, space)) is not None:
        return _with(report, loaded.problem(("strategy",), wrong))
    if loaded.file.runners and (unknown := space.no_context(loaded.file.run.context)):
        report = _with(report, loaded.problem(("run",), unknown.replace("the context is", "its context is"), "warning"))
    wanted = trials if report.points is None else min(trials, report.points)
    designs = msgspec.structs.replace(connected, runners=(), metrics=(), generator=None)
    plain = msgspec.structs.replace(loaded.file, strategy=None, approval=[])
    dry = msgspec.structs.replace(loaded, file=plain)
    try:
        with Client(random_seed=plain.seed or 0, generator=_Designs()) as client:
            apply(client, dry, designs)
            client.configure_generation_strategy(method="random_search")
            suggested = tuple(client.get_next_trials(wanted, context=_context(space, loaded)).values())
    except TitrantError as exc:
        said = f"no trial can be suggested: {exc}"
        return _with(report, loaded.problem(("constraints",) if plain.constraints else (), said))
    for point in suggested:
        for violation in space.violations(point):
            report = _with(report, loaded.problem((), f"the dry run suggested what does not fit: {violation}"))
    report = msgspec.structs.replace(report, suggested=suggested)
    if len(suggested) < wanted:
        said = f"the space has room for {len(suggested)} trials only"
        report = _with(report, loaded.problem((), said, "warning"))
    return _rehearse(report, dry, connected) if connected.virtual_time and not connected.metrics else report


def _context(space: SearchSpace, loaded: Loaded) -> Parameterization:
    """The context of the file's run; the middle of what it does not say."""
    middle = {name: space.parameter(name).centre() for name in space.having("context")}
    return {**middle, **loaded.file.run.context}


def _rehearse(report: Report, loaded: Loaded, connected: Connected) -> Report:
    """Trials of the simulated lab, in virtual time and in memory, until one gives data."""
    optimization = _optimization(loaded)
    try:
        with Client(random_seed=loaded.file.seed or 0, generator=_Designs(), virtual_time=True) as client:
            apply(client, loaded, connected)
            client.configure_generation_strategy(method="random_search")
            context = _context(loaded.experiment.space, loaded)
            client.run_trials(
                REHEARSED,
                tolerated_trial_failure_rate=1.0,
                trial_ttl_seconds=1e6,
                progress=False,
                context=context,
            )
            trials = client.state.trials()
    except TitrantError as exc:
        return _with(report, loaded.problem(("runners",), f"the simulated lab could not run a trial: {exc}"))
    done = [trial for trial in trials if trial.status is TrialStatus.COMPLETED]
    if not done:
        by_chance = all(trial.reason == FAILURE for trial in trials)
        said = f"no trial of the simulated lab was completed: {trials[0].reason if trials else 'none was made'}"
        return _with(report, loaded.problem(("runners",), said, "warning" if by_chance else "error"))
    measured = {one.metric: one.mean for one in done[0].observations if one.mean is not None}
    for path, what, names in _needing(optimization):
        if missing := [name for name in names if name not in measured]:
            needs = ", ".join(map(repr, missing))
            said = f"the {what} needs {needs}; the lab measures {', '.join(measured) or 'nothing'}"
            report = _with(report, loaded.problem(path, said))
    return msgspec.structs.replace(report, measured=measured)


def _needing(optimization: OptimizationConfig | None) -> Iterator[tuple[Place, str, tuple[str, ...]]]:
    """Whatever in a file needs metrics: its place, what it is, the metrics."""
    if optimization is not None:
        yield ("objective",), "objective", optimization.objective_metrics
        for at, one in enumerate(optimization.constraints):
            yield ("outcome_constraints", at), "outcome constraint", one.metric_names


def _with(report: Report, problem: Problem) -> Report:
    return msgspec.structs.replace(report, problems=(*report.problems, problem))
