"""A small world for given/when/then: events to fold, commands to carry out, and the names that tests use."""

from __future__ import annotations

from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.commands import Command
from titrant.messages.events import Event
from titrant.model.experiment import Experiment, RunnerSpec, RunOptions
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space
from titrant.model.trial import Suggestion
from titrant.rules.decide import decide, step
from titrant.rules.evolve import evolve
from titrant.rules.state import State

NOON = 1_767_268_800_000_000
LOG = "ab" * 16
SPACE = Experiment(space=search_space([RangeParameterConfig("x", (0.0, 1.0))]))
LAB = RunnerSpec(name="lab")
Y1 = Observation("y", 1.0)
NAN = Observation("y", None, status="nan")

SETUP: tuple[Event, ...] = (
    e.SessionOpened(engine="test", log_id=LOG, seed=1),
    e.ExperimentConfigured(experiment=SPACE),
    e.OptimizationConfigured(optimization=optimization_config("y")),
)


def fold(*events: Event, state: State | None = None, at: int = NOON) -> State:
    """The state after these events."""
    state = State() if state is None else state
    for event in events:
        state = evolve(state, event, at)
    return state


def then(state: State, command: Command, at: int = NOON) -> tuple[Event, ...]:
    """What is decided."""
    return decide(state, command, at)


def after(state: State, *commands: Command, at: int = NOON) -> State:
    """The state once these commands, and all that follows from them, are carried out."""
    for command in commands:
        state = step(state, command, at)[1]
    return state


def lab(*runners: RunnerSpec, metrics: tuple[str, ...] = ()) -> State:
    """An experiment that is set up, without trials."""
    state = fold(*SETUP, e.RunnersConfigured(runners=runners or (LAB,)))
    return fold(e.MetricsConfigured(names=metrics), state=state) if metrics else state


def start(max_trials: int = 10, parallelism: int = 1, **options: float | None) -> c.StartRun:
    """Begin a run."""
    return c.StartRun(options=RunOptions(max_trials=max_trials, parallelism=parallelism, **options))


def suggested(count: int = 1, *, asked: bool = False, x: float = 0.5) -> c.AddTrials:
    """Suggestions that have just been made."""
    one = Suggestion(parameters={"x": x}, node="sobol", generator="Sobol")
    return c.AddTrials(suggestions=(one,) * count, asked=asked)


def submitted(*runners: RunnerSpec, metrics: tuple[str, ...] = (), trials: int = 1, **options: float | None) -> State:
    """A run with trials that are SUBMITTING."""
    begin = start(**{"parallelism": trials, **options})
    return after(lab(*runners, metrics=metrics), begin, suggested(trials))


def running(*runners: RunnerSpec, metrics: tuple[str, ...] = (), trials: int = 1, **options: float | None) -> State:
    """A run with trials that are RUNNING."""
    state = submitted(*runners, metrics=metrics, trials=trials, **options)
    return after(state, *(c.ReportRunning(trial=i, attempt=1, metadata={"job": i}) for i in range(trials)))


def asked(count: int = 1) -> State:
    """Trials in somebody's hands."""
    return after(lab(), suggested(count, asked=True))


def unknown(spec: RunnerSpec = LAB, **options: float | None) -> State:
    """A run whose only trial is UNKNOWN."""
    return after(running(spec, **options), lost())


def finished(
    trial: int = 0, *observations: Observation, status: str = "completed", **fields: object
) -> c.ReportFinished:
    """The instrument is done."""
    return c.ReportFinished(trial=trial, attempt=1, status=status, observations=observations, **fields)


def lost(trial: int = 0, attempt: int = 1) -> c.ReportLost:
    """Contact was lost."""
    return c.ReportLost(trial=trial, attempt=attempt, reason="unplugged")


def status(state: State, trial: int = 0) -> str:
    """A trial's status by name."""
    return state.trial(trial).status.name
