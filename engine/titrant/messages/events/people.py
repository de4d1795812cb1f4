"""Results withdrawn and corrected, and words of people."""

from __future__ import annotations

from typing import Any, Literal

from titrant.messages.events.base import Fact
from titrant.model.observation import Observation


class ResultVoided(Fact, frozen=True, kw_only=True, tag="trial.voided"):
    """A finished result was withdrawn: kept in the history, forgotten by the models."""

    trial: int
    reason: str


class ResultUnvoided(Fact, frozen=True, kw_only=True, tag="trial.unvoided"):
    """A withdrawn result counts again."""

    trial: int
    reason: str


class ResultCorrected(Fact, frozen=True, kw_only=True, tag="trial.corrected"):
    """Observations of a finished trial were replaced, metric by metric; ``before`` are those that stood there."""

    trial: int
    observations: tuple[Observation, ...]
    before: tuple[Observation, ...]
    reason: str


class NoteAdded(Fact, frozen=True, kw_only=True, tag="note.added"):
    """Somebody's words, on a trial or on the experiment."""

    text: str
    trial: int | None = None


class ComparisonAttached(Fact, frozen=True, kw_only=True, tag="comparison.attached"):
    """Somebody compared two finished trials; comparisons are numbered from 0 in the order of these events.

    Attributes:
        better: The trial that is preferred; of a tie, the one that was named first.
        worse: The other one.
        tie: Whether neither is preferred.
        judge: Who compared, where a name was given; who told it stands in the envelope.
        note: Words on it.
    """

    better: int
    worse: int
    tie: bool = False
    judge: str = ""
    note: str = ""


class ComparisonWithdrawn(Fact, frozen=True, kw_only=True, tag="comparison.withdrawn"):
    """A comparison counts no more; it stays in the history."""

    comparison: int
    reason: str


class HeadSigned(Fact, frozen=True, kw_only=True, tag="log.signed"):
    """A person put their name to everything up to a head of the log."""

    meaning: Literal["reviewed", "approved", "responsible"]
    seq: int
    hash: str


class CommandWasRefused(Fact, frozen=True, kw_only=True, tag="command.refused"):
    """A person or an agent asked for something that was not allowed."""

    command: str
    arguments: dict[str, Any] = {}
    why: str


PersonEvent = (
    ResultVoided
    | ResultUnvoided
    | ResultCorrected
    | NoteAdded
    | ComparisonAttached
    | ComparisonWithdrawn
    | HeadSigned
    | CommandWasRefused
)
"""Every event by which people judge results, or say something."""
