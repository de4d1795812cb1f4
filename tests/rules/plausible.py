"""Commands as a busy, faulty and badly tempered lab would give them: mostly what comes next, sometimes anything."""

from __future__ import annotations

from random import Random
from typing import Any

from msgspec.structs import replace

from titrant.messages import commands as c
from titrant.messages.commands import Command
from titrant.model.approval import ApprovalPolicy, ApprovalRule
from titrant.model.experiment import Definition, GenerationStrategy, RunnerSpec, RunOptions
from titrant.model.objective import PREFERENCE, optimization_config
from titrant.model.observation import Observation
from titrant.model.past import Past
from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, RangeParameterConfig, search_space
from titrant.model.trial import Parameterization, Suggestion, Trial, TrialStatus
from titrant.rules.running import wanted
from titrant.rules.state import State

from .world import LOG, SPACE

OUTCOMES = ("running", "completed", "failed", "abandoned", "rerun")
ENDS = ("completed", "completed", "completed", "failed", "abandoned", "early_stopped")

PAST = Past(
    name="old",
    file="old.titrant",
    log_id="b" * 32,
    seq=1,
    hash="cd" * 32,
    found=3,
    parameters={"x": (0.1, 0.5, 0.9)},
    metrics={"y": (1.0, 2.0, 3.0)},
)


def command(state: State, draw: Random) -> Command:
    """The next command in this state."""
    if state.experiment is None or state.optimization is None or not state.runners:
        return _setting_up(state, draw)
    chance = draw.random()
    if chance < 0.7:
        return _progress(state, draw)
    if chance < 0.76:
        return _approval(state, draw)
    return _person(state, draw) if chance < 0.84 else _anything(state, draw)


def ending(state: State) -> Command:
    """A command that brings the run under way nearer to its end, as a lab does in which nothing is kept secret."""
    if state.paused is not None:
        return c.Unpause()
    busy = [trial for trial in state.open.values() if trial.runner is not None and trial.status is not UNKNOWN]
    for trial in busy:
        if trial.run_done:
            return c.RecordFetchFailure(trial=trial.index, metric=trial.awaiting[0], reason="off")
        return c.ReportFinished(trial=trial.index, attempt=trial.attempt, status="completed")
    if state.proposed:
        trial = state.open[state.proposed[0]]
        if trial.proposer == "user:ada":
            return c.Reject(trial=trial.index, reason="enough", actor="user:ada", role="chemist")
        return c.Approve(trial=trial.index, actor="user:ada", role="chemist")
    return c.ExhaustRun(reason="used up")


UNKNOWN = TrialStatus.UNKNOWN


def _setting_up(state: State, draw: Random) -> Command:
    return draw.choice(
        [
            c.OpenSession(engine="t", log_id=LOG, seed=1),
            c.ConfigureExperiment(experiment=SPACE),
            c.ConfigureOptimization(optimization=optimization_config("y")),
            c.ConfigureRunners(runners=_runners(draw)),
            c.ConfigureMetrics(names=_metrics(draw)),
        ]
    )


def _progress(state: State, draw: Random) -> Command:
    if state.run is None and draw.random() < 0.5:
        return _start(state, draw)
    if wanted(state) and draw.random() < 0.5:
        return _suggestions(state, draw, draw.randint(1, wanted(state) + 1))
    if state.proposed and draw.random() < 0.3:
        return _decision(state, draw)
    open_trials = [state.open[index] for index in sorted(state.open) if state.open[index].status not in WAITING]
    return _report(state, draw.choice(open_trials), draw) if open_trials else _start(state, draw)


WAITING = (TrialStatus.CANDIDATE, TrialStatus.STAGED, TrialStatus.PROPOSED, TrialStatus.APPROVED)


def _report(state: State, trial: Trial, draw: Random) -> Command:
    """What becomes of a trial next."""
    this: dict[str, Any] = {"trial": trial.index, "attempt": trial.attempt}
    if trial.asked and draw.random() < 0.2:
        return c.MarkFailed(trial=trial.index)
    if trial.asked:
        return c.CompleteTrial(trial=trial.index, observations=_data(draw))
    if trial.status is UNKNOWN:
        return _resolve(trial.index, draw)
    if trial.run_done:
        metric = draw.choice(trial.awaiting)
        if draw.random() < 0.2:
            return c.RecordFetchFailure(trial=trial.index, metric=metric, reason="busy")
        return c.RecordFetch(trial=trial.index, metric=metric, observations=(_value(metric, draw),))
    if trial.stop_requested and draw.random() < 0.5:
        return c.ReportStopped(**this, reason=draw.choice(("", "it may still be running")))
    if trial.status is TrialStatus.SUBMITTING and draw.random() < 0.8:
        return draw.choice(
            [
                *[c.ReportRunning(**this, metadata={"job": trial.index})] * 6,
                c.ReportNeverStarted(**this, reason="refused"),
                c.ReportRetry(**this, retry=1, reason="busy", delay_seconds=0.5),
            ]
        )
    chance = draw.random()
    if chance < 0.08:
        return c.ReportLost(**this, reason="unplugged")
    if chance < 0.12:
        return c.ExpireTrial(**this)
    executed = draw.choice([{}, {}, {"x": 1.2}, {"x": "much"}])
    return c.ReportFinished(**this, status=draw.choice(ENDS), observations=_data(draw), executed=executed)


def _anything(state: State, draw: Random) -> Command:
    """Any command, on any trial, whether it fits or not."""
    index = draw.choice(sorted(state.open)) if state.open and draw.random() < 0.7 else draw.randint(0, state.next_index)
    attempt = state.open[index].attempt if index in state.open else draw.randint(0, 2)
    this: dict[str, Any] = {"trial": index, "attempt": attempt}
    name = draw.choice(["lab", "other", "third"])
    alive = frozenset(i for i in state.open if draw.random() < 0.5)
    make = draw.choice(
        [
            lambda: c.OpenSession(engine="t", log_id=LOG, seed=2),
            c.CloseSession,
            lambda: c.ConfigureExperiment(experiment=replace(SPACE, owner=draw.choice(["", "ada"]))),
            lambda: c.DefineExperiment(definition=Definition(file=draw.choice(["a.toml", "b.toml"]))),
            lambda: c.ConfigureOptimization(optimization=optimization_config(draw.choice(["y", "-y", "y, t"]))),
            lambda: _approval(state, draw),
            lambda: c.ConfigureStrategy(strategy=GenerationStrategy(seed=draw.randint(0, 2))),
            lambda: c.ConfigureMetrics(names=_metrics(draw)),
            lambda: c.ConfigureTrackingMetrics(names=draw.choice([("t",), ("y", "u")])),
            lambda: c.ConfigureRunners(runners=_runners(draw)),
            lambda: _suggestions(state, draw, draw.randint(0, 3), asked=draw.random() < 0.7),
            lambda: c.AttachTrial(
                parameters=_conditions(state, draw), baseline=draw.random() < 0.3, actor=draw.choice(WHO)
            ),
            lambda: c.CompleteTrial(trial=index, observations=_data(draw), executed=draw.choice([{}, {"x": 0.51}])),
            lambda: c.AttachData(trial=index, observations=_data(draw)),
            lambda: c.MarkFailed(trial=index),
            lambda: c.MarkAbandoned(trial=index),
            lambda: c.MarkEarlyStopped(trial=index),
            lambda: c.RefetchData(trial=index, metrics=draw.choice([(), ("y",), ("q",)])),
            lambda: _resolve(index, draw),
            lambda: _start(state, draw),
            lambda: c.ExpireRun(run=0 if state.run is None else state.run.started_at),
            lambda: c.ExhaustRun(reason="used up"),
            lambda: c.ExpireTrial(**this),
            c.Pause,
            c.Unpause,
            c.Unpause,
            c.Drain,
            c.Stop,
            lambda: c.RecordHalt() if draw.random() < 0.3 else c.Reset(),
            c.Reset,
            lambda: c.ReportRetry(**this, retry=1, reason="busy", delay_seconds=0.5),
            lambda: c.ReportRunning(**this, metadata={"job": draw.randint(0, 1)}),
            lambda: c.ReportReattached(**this),
            lambda: c.ReportFinished(**this, status=draw.choice(ENDS), observations=_data(draw)),
            lambda: c.ReportStopped(**this, reason=draw.choice(("", "it may still be running"))),
            lambda: c.ReportLost(**this, reason="unplugged"),
            lambda: c.ReportNeverStarted(**this, reason="refused"),
            lambda: c.RecordFetch(trial=index, metric="y", observations=_data(draw)),
            lambda: c.RecordFetchFailure(trial=index, metric="y", reason="off"),
            lambda: c.RecordRestart(name=f"runner:{name}", reason="bug", restarts=1, alive=alive),
            lambda: c.QuarantineRunner(name=name, reason="leak", lost=draw.random() < 0.5),
            lambda: c.RestoreRunner(name=name),
            lambda: c.RecordGenerationFailure(node="bo", reason="not PSD", fallback="sobol"),
        ]
    )
    return make()


def _person(state: State, draw: Random) -> Command:
    """What people do about results, their own or anybody's; mostly on trials that are over."""
    over = sorted(set(range(state.next_index)) - set(state.open))
    index = draw.choice(over) if over and draw.random() < 0.8 else draw.randint(0, state.next_index)
    withdrawn = [one for one in over if state.trial(one).status is TrialStatus.VOIDED]
    reason = draw.choice(["the probe was dirty"] * 4 + [" "])
    actor = draw.choice(["user:ada", "agent:planner", "engine"])
    if state.comparisons and draw.random() < 0.2:
        return c.WithdrawComparison(comparison=draw.randint(-1, len(state.comparisons)), reason=reason)
    make = draw.choice(
        [
            lambda: c.VoidResult(trial=index, reason=reason),
            lambda: c.VoidResult(trial=index, reason=reason),
            lambda: c.UnvoidResult(trial=index, reason=reason),
            lambda: c.UnvoidResult(trial=draw.choice(withdrawn or [index]), reason=reason),
            lambda: c.CorrectResult(trial=index, observations=_data(draw), reason=reason),
            lambda: c.RecordExecuted(
                trial=index, parameters=draw.choice([{"x": 0.7}, {"x": 3}, {"x": "much"}, {"q": 1}])
            ),
            lambda: c.Replicate(trial=index, count=draw.randint(0, 2), asked=draw.random() < 0.3, actor=actor),
            lambda: c.LearnFrom(pasts=(replace(PAST, seq=draw.randint(1, 3)),)),
            lambda: c.AddNote(text=draw.choice(["blue", ""]), trial=draw.choice([None, index])),
            lambda: c.ConfigureOptimization(optimization=draw.choice([PREFERENCE, optimization_config("y")])),
            lambda: c.AttachComparison(better=index, worse=draw.randint(0, state.next_index), tie=draw.random() < 0.3),
            lambda: c.AttachComparison(better=index, worse=draw.choice(over or [0]), judge="ada"),
            lambda: c.Sign(meaning="reviewed", seq=draw.randint(0, 9), hash="ab" * 32, actor=actor),
            lambda: c.RecordRefusal(command="Reset", arguments={"why": None}, why="not halted"),
            lambda: c.DeriveLog(log_id=LOG, seq=3, hash="cd" * 32, purpose=draw.choice(["two slots", ""])),
        ]
    )
    return make()


WHO = ("user:ada", "user:kim", "agent:planner", "engine")

POLICIES = (
    ApprovalPolicy(),
    ApprovalPolicy((ApprovalRule(when="x > 0.45"),)),
    ApprovalPolicy((ApprovalRule(first=3, approvers=("user:ada",)), ApprovalRule(when="x > 0.45"))),
    ApprovalPolicy((ApprovalRule(proposed_by="agent:*"), ApprovalRule(when="x < 0.4", approvers=("role:chemist",)))),
    ApprovalPolicy((ApprovalRule(proposed_by="generator", first=9),)),
)

_X = RangeParameterConfig("x", (0.0, 1.0))
_Z = RangeParameterConfig("z", (1, 4), parameter_type="int")
SPACES = (
    search_space([_X]),
    search_space([RangeParameterConfig("x", (0.3, 0.6))]),
    search_space([FixedParameterConfig("x", 0.5)]),
    search_space([_X, _Z]),
    search_space([_X, _Z], ["x + 0.1*z <= 0.8"]),
    search_space([_X, ChoiceParameterConfig("k", ("a", "b"))]),
    search_space([_X, ChoiceParameterConfig("k", ("b", "c"))]),
    search_space([_Z, _X]),
    search_space([_Z]),
)
BACKFILLS: tuple[Parameterization, ...] = ({}, {"z": 2}, {"k": "b"}, {"z": 2, "x": 0.5})


def _approval(state: State, draw: Random) -> Command:
    """What people do about trials that have not begun, about failed ones, and about the search space."""
    index = draw.randint(0, state.next_index)
    failed = [trial.index for trial in state.closed.values() if trial.status is TrialStatus.FAILED]
    again = draw.choice([*state.unknown[:1], *sorted(failed), index])
    waits = draw.choice([*state.queue, index])
    reason = draw.choice(["look first"] * 4 + [""])
    make = draw.choice(
        [
            lambda: c.ConfigureApproval(policy=draw.choice(POLICIES)),
            lambda: c.ConfigureApproval(policy=draw.choice(POLICIES)),
            lambda: c.ChangeSpace(space=draw.choice(SPACES), backfill=draw.choice(BACKFILLS)),
            lambda: c.ChangeSpace(space=draw.choice(SPACES), backfill=draw.choice(BACKFILLS)),
            lambda: c.Hold(trial=waits, reason=reason, actor=draw.choice(WHO)),
            lambda: c.Retry(trial=again, reason=reason),
            lambda: _decision(state, draw),
        ]
    )
    return make()


def _decision(state: State, draw: Random) -> Command:
    """Somebody decides on a trial, most often one that awaits it."""
    who: dict[str, Any] = {"actor": draw.choice(WHO), "role": draw.choice(["chemist", "visitor", None])}
    trial = draw.choice([*state.proposed, *state.proposed, draw.randint(0, state.next_index)])
    if draw.random() < 0.6:
        return c.Approve(trial=trial, **who)
    return c.Reject(trial=trial, reason=draw.choice(["too hot", "too hot", ""]), **who)


def _start(state: State, draw: Random) -> c.StartRun:
    options = RunOptions(
        max_trials=draw.randint(0, 9),
        parallelism=draw.randint(0, 4) or 5,
        tolerated_trial_failure_rate=draw.choice([0.5, 0.5, 0.2, 1.0, 2.0]),
        min_failed_trials_for_failure_rate_check=draw.choice([5, 2, 0]),
        timeout_seconds=draw.choice([None, 60.0, 0.0]),
    )
    return c.StartRun(options=options, alive=frozenset(index for index in state.open if draw.random() < 0.7))


def _suggestions(state: State, draw: Random, count: int, *, asked: bool = False) -> c.AddTrials:
    actor = draw.choice(WHO) if asked else "generator"
    parameters = _conditions(state, draw)
    one = Suggestion(parameters=parameters, node="sobol", generator="Sobol", position=draw.randint(0, 50))
    return c.AddTrials(suggestions=(one,) * count, asked=asked, actor=actor)


def _conditions(state: State, draw: Random) -> Parameterization:
    """Conditions that fit the search space, most often."""
    if state.experiment is None or draw.random() < 0.1:
        return {"x": draw.choice([0.5, 2.0])}
    middle = state.experiment.space.centre()
    other = {**middle, "x": draw.choice([0.35, 0.55])} if "x" in middle else middle
    return other if state.experiment.space.contains(other) else middle


def _resolve(index: int, draw: Random) -> c.Resolve:
    reason = draw.choice(["I looked", "I looked", ""])
    return c.Resolve(trial=index, outcome=draw.choice(OUTCOMES), reason=reason, observations=_data(draw))


def _runners(draw: Random) -> tuple[RunnerSpec, ...]:
    return tuple(
        RunnerSpec(
            name=name,
            capacity=draw.choice([None, 1, 2, 0] if draw.random() < 0.1 else [None, 1, 2]),
            honours_keys=draw.random() < 0.3,
            can_report_status=draw.random() < 0.4,
            rerun_safe=draw.random() < 0.4,
            can_stop=draw.random() < 0.5,
            absence_is_proof=draw.random() < 0.3,
            on_unknown=draw.choice(["ask", "ask", "abandon", "rerun"]),
        )
        for name in draw.choice([["lab"], ["lab", "other"], ["lab", "other", "third"]])
    )


def _metrics(draw: Random) -> tuple[str, ...]:
    return draw.choice([(), ("y",), ("y", "t"), ("t",)])


def _data(draw: Random) -> tuple[Observation, ...]:
    names = draw.choice([(), ("y",), ("y",), ("t",), ("y", "t")])
    return tuple(_value(name, draw) for name in names)


def _value(metric: str, draw: Random) -> Observation:
    return Observation(metric, None, status="nan") if draw.random() < 0.15 else Observation(metric, 1.5, 0.1)
