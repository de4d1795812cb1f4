"""An event as one line: ``seq time type trial by: words``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from titrant.log.base import Record
from titrant.messages import events as e
from titrant.messages.codec import TAGS
from titrant.model.observation import Observation
from titrant.model.space import FixedParameterConfig, ParameterConfig, RangeParameterConfig
from titrant.model.strategy import GenerationNode, Policy
from titrant.progress import words


def event_line(record: Record, *, began: int | None = None, virtual: bool = False) -> str:
    """One line on an event that is in the log.

    Args:
        record: The event with its envelope.
        began: When the experiment began, microseconds since 1970 UTC; used for virtual times only.
        virtual: Whether its times are virtual: then what had passed since *began* is shown.
    """
    when = words.time_of_day(record.recorded_at, began, virtual=True) if virtual else local_time(record.recorded_at)
    trial = "-" if record.trial is None else str(record.trial)
    role = f" ({record.role})" if record.role else ""
    said = event_words(record.event)
    reason = record.reason if record.reason and record.reason not in said else None
    told = f"{said} ({reason})" if said and reason else said or reason or ""
    return f"{record.seq:>5}  {when}  {TAGS[type(record.event)]:<22} {trial:>4}  {record.actor}{role}: {told}".rstrip(
        ": "
    )


def local_time(at: int) -> str:
    """Date and time here, to the second; *at* in microseconds since 1970 UTC."""
    return datetime.fromtimestamp(at / 1e6, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def event_words(event: e.Event) -> str:
    """What an event says beside its type and trial; may be empty."""
    return _WORDS[type(event)](event)


def observed(observations: tuple[Observation, ...]) -> str:
    """``"yield = 81.3 ± 0.5, impurity = 2.1"``."""
    return ", ".join(map(_observed, observations))


def _observed(one: Observation) -> str:
    mean = "no value" if one.mean is None else words.value(one.mean)
    sem = "" if one.sem is None else f" ± {words.value(one.sem)}"
    at = "" if one.progression is None else f" at {words.value(one.progression)}"
    return f"{one.metric} = {mean}{sem}{at}"


def _also(text: str | None, before: str = "") -> str:
    return f"{before}{text}" if text else ""


def _session(event: e.SessionOpened) -> str:
    where = f" on {event.host}, process {event.pid}" if event.pid else " in virtual time"
    return f"{event.engine}{where}; seed {event.seed}"


def _experiment(event: e.ExperimentConfigured) -> str:
    space = event.experiment.space
    return f"{event.experiment.name}: {_space(space.names, len(space.every_constraint))}"


def _space(names: tuple[str, ...], constraints: int) -> str:
    return ", ".join(names) + (f" under {words.count(constraints, 'constraint')}" if constraints else "")


def _changed(event: e.SpaceChanged) -> str:
    """The whole space as it is now: the event alone does not know what it was before; ``titrant acts`` does."""
    now = ", ".join(map(_parameter, event.space.parameters))
    return now + "".join(f"; {one.text}" for one in event.space.every_constraint)


def _parameter(one: ParameterConfig) -> str:
    if isinstance(one, RangeParameterConfig):
        return f"{one.name} [{words.value(one.bounds[0])}, {words.value(one.bounds[1])}]"
    values = "|".join(map(words.value, one.allowed))
    return f"{one.name} = {values}" if isinstance(one, FixedParameterConfig) else f"{one.name} {values}"


def _strategy(event: e.StrategyConfigured) -> str:
    strategy = event.strategy
    if strategy.nodes:
        nodes = " → ".join(f"{node.name} ({_maker(node, strategy.method)})" for node in strategy.nodes)
        return nodes + _policy(strategy.policy)
    whole = strategy.initialization == "grid" and strategy.initialization_budget is None
    design = "" if strategy.initialization == "sobol" else f" ({strategy.initialization.replace('_', ' ')})"
    before = "a whole grid" if whole else f"{strategy.budget} trials{design}"
    return f"{strategy.method}, {before} before the model{_policy(strategy.policy)}"


def _policy(policy: Policy | None) -> str:
    return "" if policy in (None, "auto") else f", {policy} suggestions"


def _maker(node: GenerationNode, method: str) -> str:
    return f"{node.generator}, {node.method or method}" if node.is_model else node.generator


def _optimization(event: e.OptimizationConfigured) -> str:
    kept = ", ".join(constraint.text for constraint in event.optimization.constraints)
    return event.optimization.text + _also(kept, "; ")


def _run_started(event: e.RunStarted) -> str:
    options = event.options
    return f"{words.count(options.max_trials, 'new trial')}, {options.parallelism} at once{_policy(options.policy)}"


def _created(event: e.TrialCreated) -> str:
    if event.suggestion is not None:
        one = event.suggestion
        made = f"{one.strategy_node} ({one.node}): " if one.strategy_node else f"{one.node}: "
    else:
        made = "" if event.origin == "suggested" else f"{event.origin}: "
    return made + words.conditions(event.parameters)


def _resolved(event: e.TrialResolved) -> str:
    return f"as {event.outcome}: {event.reason}"


def _corrected(event: e.ResultCorrected) -> str:
    return f"{observed(event.before)} → {observed(event.observations)}: {event.reason}"


def _halted(event: e.ExperimentHalted) -> str:
    reached = f"in a safe state: {', '.join(event.reached)}" if event.reached else "no runner has a safe state"
    return reached + (f"; NOT in a safe state: {', '.join(event.failed)}" if event.failed else "")


def _tripped(event: e.FailureRateTripped) -> str:
    return f"{event.failed} of {event.total} trials failed, more than the tolerated {event.tolerated:g}"


def _compared(event: e.ComparisonAttached) -> str:
    said = f"trial {event.better} {'as good as' if event.tie else 'better than'} trial {event.worse}"
    return said + _also(event.judge, ", says ") + _also(event.note, ": ")


def _signed(event: e.HeadSigned) -> str:
    return f"{event.meaning}: everything up to event {event.seq} ({event.hash[:12]}…)"


def _refused(event: e.CommandWasRefused) -> str:
    given = "  ".join(f"{name}={value}" for name, value in event.arguments.items())
    return f"{event.command}{_also(given, ' ')}: {event.why}"


def _nothing(_event: Any) -> str:
    return ""


def _reason(event: Any) -> str:
    return event.reason or ""


_WORDS: dict[type, Callable[[Any], str]] = {
    e.SessionOpened: _session,
    e.SessionClosed: _nothing,
    e.ExperimentConfigured: _experiment,
    e.ExperimentDefined: lambda event: event.definition.file,
    e.CandidatesKept: lambda event: f"{len(event.text):,} characters of the candidates {event.digest[:12]}…",
    e.OptimizationConfigured: _optimization,
    e.StrategyConfigured: _strategy,
    e.MetricsConfigured: lambda event: ", ".join(event.names),
    e.TrackingMetricsConfigured: lambda event: ", ".join(event.names),
    e.RunnersConfigured: lambda event: ", ".join(spec.name for spec in event.runners),
    e.SpaceChanged: _changed,
    e.ApprovalConfigured: lambda event: words.count(len(event.policy.rules), "rule"),
    e.PastLearned: lambda event: str(event.past),
    e.LogDerived: lambda event: f"from event {event.seq} of log {event.log_id}: {event.purpose}",
    e.RunStarted: _run_started,
    e.RunEnded: lambda event: event.outcome + _also(event.reason, ": "),
    e.FailureRateTripped: _tripped,
    e.TrialCreated: _created,
    e.TrialProposed: lambda event: event.rule,
    e.TrialApproved: _reason,
    e.TrialRejected: _reason,
    e.TrialStale: _reason,
    e.TrialStaged: _nothing,
    e.TrialSubmitting: lambda event: f"to {event.runner}, attempt {event.attempt}",
    e.SubmissionRetried: lambda event: f"retry {event.retry}: {event.reason}",
    e.TrialRunning: lambda event: "  ".join(f"{name}={value}" for name, value in event.metadata.items()),
    e.TrialReattached: _nothing,
    e.TrialRunFinished: lambda event: _also(", ".join(event.awaiting), "awaiting "),
    e.DataAttached: lambda event: observed(event.observations),
    e.ParametersExecuted: lambda event: words.conditions(event.parameters),
    e.FetchFailed: lambda event: f"{event.metric}: {event.reason}",
    e.FetchRequested: lambda event: ", ".join(event.metrics),
    e.TrialCompleted: lambda event: _also(", ".join(event.missing), "without ") + _also(event.reason, ": "),
    e.TrialFailed: _reason,
    e.TrialAbandoned: _reason,
    e.TrialEarlyStopped: _reason,
    e.StopRequested: _reason,
    e.TrialLost: _reason,
    e.TrialRequeued: _reason,
    e.TrialResolved: _resolved,
    e.ResultVoided: _reason,
    e.ResultUnvoided: _reason,
    e.ResultCorrected: _corrected,
    e.NoteAdded: lambda event: event.text,
    e.ComparisonAttached: _compared,
    e.ComparisonWithdrawn: lambda event: f"comparison {event.comparison}: {event.reason}",
    e.HeadSigned: _signed,
    e.CommandWasRefused: _refused,
    e.ExperimentPaused: _nothing,
    e.ExperimentUnpaused: _nothing,
    e.ExperimentDraining: _nothing,
    e.ExperimentStopping: _nothing,
    e.ExperimentHalted: _halted,
    e.ExperimentReset: _nothing,
    e.ActorRestarted: lambda event: f"{event.name}: {event.reason}",
    e.RunnerQuarantined: lambda event: f"{event.name}: {event.reason}",
    e.RunnerRestored: lambda event: event.name,
    e.GenerationFailed: lambda event: f"{event.node}: {event.reason}" + _also(event.fallback, "; instead "),
    e.GenerationExhausted: _reason,
}
