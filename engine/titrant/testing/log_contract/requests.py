"""Requests to a log, in the words of its tests."""

from __future__ import annotations

from typing import Any

from titrant.log.base import Append, Draft, EventLog, Outcome, Record
from titrant.messages.codec import encode
from titrant.messages.events import Event, TrialCompleted


def draft(event: Event | int, at: int = 1_000, **envelope: Any) -> Draft:
    """Give a draft of an event; a number stands for the completion of that trial."""
    return Draft(event=TrialCompleted(trial=event) if isinstance(event, int) else event, recorded_at=at, **envelope)


def append(*events: Event | int, expected: int | None = None, **envelope: Any) -> Append:
    """Give a request to append these events."""
    return Append(drafts=tuple(draft(event, **envelope) for event in events), expected=expected)


def envelope_of(record: Record) -> tuple[Any, ...]:
    """Give a record's columns as the chain covers them (``chain.COLUMNS`` up to the epoch)."""
    tag, schema, _ = encode(record.event)
    return (
        *(record.seq, record.part, tag, schema, record.trial, record.recorded_at, record.observed_at, record.actor),
        *(record.role, record.reason, record.cause, record.correlation, record.key, record.epoch),
    )


async def commit_one(log: EventLog, request: Append) -> Outcome:
    """Commit one request by itself and give its outcome."""
    return (await log.commit([request]))[0]
