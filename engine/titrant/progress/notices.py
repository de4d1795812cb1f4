"""Which events are worth a person's attention, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from titrant.log.base import Record
from titrant.messages import events as e
from titrant.progress import words

Level = Literal["info", "warning", "error"]


class Notice(msgspec.Struct, frozen=True):
    """A sentence about an event; ``at`` in microseconds since 1970 UTC."""

    at: int
    level: Level
    text: str


def notice(record: Record) -> Notice | None:
    """What to say of an event; None for the ordinary course of things."""
    say = _SAY.get(type(record.event))
    told = None if say is None else say(record.event)
    if told is None:
        return None
    level, text = told
    return Notice(record.recorded_at, level, f"{text} ({record.reason})" if record.reason else text)


Told = tuple[Level, str] | None


def _retried(event: e.SubmissionRetried) -> Told:
    wait = words.duration(event.delay_seconds)
    return "warning", f"trial {event.trial}: submitting failed ({event.reason}); again in {wait}, retry {event.retry}"


def _completed(event: e.TrialCompleted) -> Told:
    if not event.missing:
        return None
    return "warning", f"trial {event.trial} completed without {', '.join(event.missing)}: {event.reason}"


def _proposed(event: e.TrialProposed) -> Told:
    who = " or ".join(event.approvers) or "any person"
    return "warning", f"trial {event.trial} awaits approval ({event.rule}): {who} may approve or reject it"


def _space(event: e.SpaceChanged) -> Told:
    return "info", f"the search space changed: {', '.join(event.space.names)} from now on"


def _lost(event: e.TrialLost) -> Told:
    what = f"look at the instrument, then call resolve({event.trial}, ...)"
    return "error", f"trial {event.trial} is UNKNOWN: {event.reason}; {what}"


def _quarantined(event: e.RunnerQuarantined) -> Told:
    what = f"see to it, then call restore_runner({event.name!r})"
    return "error", f"runner {event.name!r} gets no more trials: {event.reason}; {what}"


def _generation(event: e.GenerationFailed) -> Told:
    instead = f"; {event.fallback} stood in" if event.fallback else ""
    return "warning", f"node {event.node!r} made no suggestion: {event.reason}{instead}"


def _halted(event: e.ExperimentHalted) -> Told:
    failed = f"; NOT in a safe state: {', '.join(event.failed)}" if event.failed else ""
    reached = f"in a safe state: {', '.join(event.reached)}" if event.reached else "no runner has a safe state"
    return "error", f"halted: {reached}{failed}; make the lab safe, then call reset(reason=...)"


def _ended(event: e.RunEnded) -> Told:
    if event.outcome == "finished":
        return ("warning", event.reason) if event.reason else None
    return "warning", f"the run ended ({event.outcome})" + (f": {event.reason}" if event.reason else "")


def _tripped(event: e.FailureRateTripped) -> Told:
    share = f"{event.failed} of {event.total} trials failed, more than the tolerated {event.tolerated:g}"
    return "error", f"{share}: nothing new is started"


_SAY: dict[type, Callable[[Any], Told]] = {
    e.SubmissionRetried: _retried,
    e.TrialReattached: lambda event: ("info", f"trial {event.trial} was found again"),
    e.FetchFailed: lambda event: ("warning", f"trial {event.trial}: no {event.metric}: {event.reason}"),
    e.TrialCompleted: _completed,
    e.TrialFailed: lambda event: ("warning", f"trial {event.trial} failed: {event.reason}"),
    e.TrialAbandoned: lambda event: ("warning", f"trial {event.trial} was abandoned: {event.reason}"),
    e.TrialEarlyStopped: lambda event: ("info", f"trial {event.trial} was stopped early: {event.reason}"),
    e.TrialProposed: _proposed,
    e.TrialApproved: lambda event: ("info", f"trial {event.trial} was approved"),
    e.TrialRejected: lambda event: ("info", f"trial {event.trial} was rejected: {event.reason}"),
    e.TrialStale: lambda event: ("info", f"trial {event.trial} is not carried out: {event.reason}"),
    e.SpaceChanged: _space,
    e.TrialLost: _lost,
    e.TrialRequeued: lambda event: ("info", f"trial {event.trial} is carried out again: {event.reason}"),
    e.TrialResolved: lambda event: ("info", f"trial {event.trial} was resolved as {event.outcome}: {event.reason}"),
    e.ExperimentPaused: lambda _event: ("info", "paused: nothing new is started"),
    e.ExperimentUnpaused: lambda _event: ("info", "unpaused"),
    e.ExperimentDraining: lambda _event: ("info", "draining: what runs is finished, nothing new is started"),
    e.ExperimentStopping: lambda _event: ("warning", "stopping what runs"),
    e.ExperimentHalted: _halted,
    e.ExperimentReset: lambda _event: ("info", "reset after a halt"),
    e.ActorRestarted: lambda event: (
        "warning",
        f"{event.name} was started anew ({words.count(event.restarts, 'restart')}): {event.reason}",
    ),
    e.RunnerQuarantined: _quarantined,
    e.RunnerRestored: lambda event: ("info", f"runner {event.name!r} is used again"),
    e.GenerationFailed: _generation,
    e.GenerationExhausted: lambda event: ("warning", f"no new trials: {event.reason}"),
    e.FailureRateTripped: _tripped,
    e.RunEnded: _ended,
}
