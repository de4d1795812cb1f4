"""What people and agents did to an experiment: who, in which role, when, why, and what it was before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from titrant.log.base import Record
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.replay.diff import Change, changes, plain
from titrant.replay.moment import When, history
from titrant.rules.state import State


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a person or an agent brought about.

    Attributes:
        seq: Its sequence number.
        at: When it was recorded, microseconds since 1970 UTC.
        actor: ``"user:NAME"`` or ``"agent:NAME"``.
        role: In which role, where it was said.
        reason: Why, in their words.
        what: What was done, in words.
        trial: To which trial.
        refused: Whether it was not allowed, and nothing came of it.
        old: What it changed, as it was: path (see ``diff.Change``) to value.
        new: The same as it is since; what is only said (a note, a signature, a refused wish) stands here alone.
        changes: The changes in words.
        correlation: What several events of one request have in common.
    """

    seq: int
    at: int
    actor: str
    role: str | None
    reason: str | None
    what: str
    trial: int | None
    refused: bool
    old: dict[str, Any]
    new: dict[str, Any]
    changes: tuple[str, ...] = ()
    correlation: str | None = None

    def __str__(self) -> str:
        role = f" ({self.role})" if self.role else ""
        told = f"; {'; '.join(self.changes)}" if self.changes else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.actor}{role} {self.what}{why}{told}"


def acts(path: str | Path, until: When = None) -> Iterator[Act]:
    """Yield what people and agents did, in order; what followed from it by itself is left out.

    Args:
        path: The log.
        until: The last moment to look at.

    Raises:
        ConfigurationError: *until* cannot be read, or lies outside the log.
        LogError: The log is missing, damaged, or too new.
    """
    return among(history(path, until))


def among(told: Iterable[tuple[Record, State]]) -> Iterator[Act]:
    """The acts among events, each with the state after it, the first of a log first."""
    before = State()
    for record, after in told:
        if is_act(record):
            yield act(record, before, after)
        before = after


def is_act(record: Record) -> bool:
    """Whether an event is somebody's act, and not the engine's work or what followed from an act by itself."""
    by_somebody = record.actor.startswith(("user:", "agent:"))
    return by_somebody and (record.part == 0 or type(record.event) not in _FOLLOWING)


def act(record: Record, before: State, after: State) -> Act:
    """An event that is somebody's act, with the states before and after it."""
    event, trial = record.event, record.trial
    found: list[Change] = changes(before, after, () if trial is None else (trial,))
    return Act(
        seq=record.seq,
        at=record.recorded_at,
        actor=record.actor,
        role=record.role,
        reason=record.reason or getattr(event, "reason", None) or None,
        what=done(event),
        trial=trial,
        refused=isinstance(event, e.CommandWasRefused),
        old={change.path: change.old for change in found},
        new={change.path: change.new for change in found} or _said(event),
        changes=tuple(map(str, found)),
        correlation=record.correlation,
    )


def _said(event: Event) -> dict[str, Any]:
    """What an event says that changes nothing."""
    fields = plain(event)
    return {name: value for name, value in fields.items() if name not in ("type", "trial", "reason")}


def done(event: Event) -> str:
    """What somebody did, in the past tense, to be read after their name."""
    match event:
        case e.TrialCreated(origin="suggested"):
            return f"asked for trial {event.trial}"
        case e.TrialCreated():
            return f"added trial {event.trial} ({event.origin})"
        case e.TrialResolved():
            return f"settled trial {event.trial} as {event.outcome}"
        case e.HeadSigned():
            return f"signed everything up to event {event.seq} as {event.meaning}"
        case e.CommandWasRefused():
            return f"was refused {event.command}: {event.why}"
        case e.ComparisonAttached(tie=True):
            return f"found trials {event.better} and {event.worse} equally good"
        case e.ComparisonAttached():
            return f"preferred trial {event.better} to trial {event.worse}"
        case e.ComparisonWithdrawn():
            return f"withdrew comparison {event.comparison}"
        case e.NoteAdded(trial=None):
            return f"noted: {event.text}"
        case e.NoteAdded():
            return f"noted on trial {event.trial}: {event.text}"
        case e.RunnerQuarantined() | e.RunnerRestored():
            verb = "quarantined" if isinstance(event, e.RunnerQuarantined) else "restored"
            return f"{verb} runner {event.name}"
        case _:
            said = _DONE.get(type(event), str(type(event).__struct_config__.tag))
            return said.format(trial=getattr(event, "trial", ""))


_FOLLOWING = (
    e.CandidatesKept,
    e.TrialStaged,
    e.TrialProposed,
    e.TrialSubmitting,
    e.TrialRequeued,
    e.TrialStale,
    e.StopRequested,
    e.RunEnded,
    e.FailureRateTripped,
    e.GenerationExhausted,
)
"""What follows from an act by itself, unless it comes first."""

_DONE: dict[type, str] = {
    e.SessionOpened: "opened the log",
    e.SessionClosed: "closed the log",
    e.ExperimentConfigured: "set the search space",
    e.ExperimentDefined: "gave an experiment file",
    e.CandidatesKept: "kept candidates",
    e.OptimizationConfigured: "set what is sought",
    e.StrategyConfigured: "set how trials are made",
    e.MetricsConfigured: "set the metrics",
    e.TrackingMetricsConfigured: "set metrics that are only recorded",
    e.RunnersConfigured: "set the runners",
    e.SpaceChanged: "changed the search space",
    e.ApprovalConfigured: "set which trials a person must approve",
    e.LogDerived: "derived the log from another one",
    e.PastLearned: "let it learn from a past experiment",
    e.RunStarted: "started a run",
    e.RunEnded: "ended the run",
    e.TrialProposed: "held trial {trial} back",
    e.TrialApproved: "approved trial {trial}",
    e.TrialRejected: "rejected trial {trial}",
    e.TrialStaged: "gave trial {trial} to the closed loop",
    e.TrialRequeued: "had trial {trial} carried out again",
    e.TrialStale: "dropped trial {trial}",
    e.DataAttached: "gave data of trial {trial}",
    e.ParametersExecuted: "said what was executed in trial {trial}",
    e.FetchRequested: "had the data of trial {trial} fetched again",
    e.TrialCompleted: "completed trial {trial}",
    e.TrialFailed: "marked trial {trial} as failed",
    e.TrialAbandoned: "gave trial {trial} up",
    e.TrialEarlyStopped: "ended trial {trial} early",
    e.StopRequested: "stopped trial {trial}",
    e.ResultVoided: "withdrew the result of trial {trial}",
    e.ResultUnvoided: "restored the result of trial {trial}",
    e.ResultCorrected: "corrected the result of trial {trial}",
    e.ExperimentPaused: "paused",
    e.ExperimentUnpaused: "unpaused",
    e.ExperimentDraining: "drained the run",
    e.ExperimentStopping: "stopped the run",
    e.ExperimentHalted: "halted the experiment",
    e.ExperimentReset: "reset it after a halt",
}
