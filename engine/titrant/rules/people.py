"""Words and names of people: notes, signatures, attempts that were refused, and where a log of a what-if comes from."""

from __future__ import annotations

from titrant.errors import CommandRefused, ConfigurationError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.rules.state import State

MEANINGS = ("reviewed", "approved", "responsible")


def add_note(state: State, command: c.AddNote, _at: int) -> tuple[Event, ...]:
    """Add words, to a trial or to the experiment, at any time."""
    if not command.text.strip():
        raise ConfigurationError("a note needs words: give some text")
    if command.trial is not None:
        state.trial(command.trial)
    return (e.NoteAdded(text=command.text, trial=command.trial),)


def sign(_state: State, command: c.Sign, _at: int) -> tuple[Event, ...]:
    """Put one's name to everything up to a head of the log; what comes later is not covered."""
    if not is_person(command.actor):
        raise CommandRefused(f"{command.actor} cannot sign: only a person (user:NAME) can")
    if command.meaning not in MEANINGS:
        raise ConfigurationError(f"a signature cannot mean {command.meaning!r}: use {', '.join(MEANINGS)}")
    if command.seq < 1 or not command.hash:
        raise ConfigurationError("there is nothing to sign yet: the log is empty")
    return (e.HeadSigned(meaning=command.meaning, seq=command.seq, hash=command.hash),)


def record_refusal(_state: State, command: c.RecordRefusal, _at: int) -> tuple[Event, ...]:
    """Record that somebody asked for what was not allowed."""
    return (e.CommandWasRefused(command=command.command, arguments=command.arguments, why=command.why),)


def derive_log(state: State, command: c.DeriveLog, _at: int) -> tuple[Event, ...]:
    """Say of which log, up to which event, this one is a variation."""
    if not command.purpose.strip():
        raise ConfigurationError("a derived log needs a purpose: say what would have been otherwise")
    if state.run is not None:
        raise CommandRefused("a log cannot become another's variation while run_trials is under way: drain it first")
    return (
        e.LogDerived(
            log_id=command.log_id,
            seq=command.seq,
            hash=command.hash,
            purpose=command.purpose,
            changes=command.changes,
        ),
    )


def is_person(actor: str) -> bool:
    """Whether a person acts, not an agent or a part of the engine."""
    return actor.startswith("user:") and len(actor) > len("user:")
