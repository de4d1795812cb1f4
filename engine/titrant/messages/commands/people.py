"""Trials made, told and corrected by people and programs."""

from __future__ import annotations

from typing import Any, Literal

from titrant.messages.commands.base import Personal, Wish
from titrant.model.observation import Observation
from titrant.model.trial import Parameterization, Suggestion


class AddTrials(Personal, frozen=True, kw_only=True):
    """Make trials of suggestions: for the closed loop, or ``asked`` for somebody else to carry out."""

    suggestions: tuple[Suggestion, ...]
    asked: bool = False


class AttachTrial(Personal, frozen=True, kw_only=True):
    """Add a trial with conditions of one's own."""

    parameters: Parameterization
    arm_name: str | None = None
    baseline: bool = False


class Replicate(Personal, frozen=True, kw_only=True):
    """Carry a trial's conditions out again, ``count`` times."""

    trial: int
    count: int = 1
    asked: bool = False


class Approve(Personal, frozen=True, kw_only=True):
    """Let a PROPOSED trial go ahead."""

    trial: int
    reason: str = ""


class Reject(Personal, frozen=True, kw_only=True):
    """Do not carry a PROPOSED trial out."""

    trial: int
    reason: str


class Hold(Personal, frozen=True, kw_only=True):
    """Keep a waiting trial back until a person approves it."""

    trial: int
    reason: str


class Retry(Wish, frozen=True, kw_only=True):
    """Carry a FAILED or UNKNOWN trial out as a new attempt."""

    trial: int
    reason: str


class VoidResult(Wish, frozen=True, kw_only=True):
    """Withdraw a finished result."""

    trial: int
    reason: str


class UnvoidResult(Wish, frozen=True, kw_only=True):
    """Let a withdrawn result count again."""

    trial: int
    reason: str


class CorrectResult(Wish, frozen=True, kw_only=True):
    """Replace observations of a finished trial, metric by metric."""

    trial: int
    observations: tuple[Observation, ...]
    reason: str


class AddNote(Wish, frozen=True, kw_only=True):
    """Add words, to a trial or to the experiment."""

    text: str
    trial: int | None = None


class AttachComparison(Wish, frozen=True, kw_only=True):
    """Say which of two finished trials is preferred, or that neither is."""

    better: int
    worse: int
    tie: bool = False
    judge: str = ""
    note: str = ""


class WithdrawComparison(Wish, frozen=True, kw_only=True):
    """Let a comparison count no more; they are numbered from 0 in the order in which they were told."""

    comparison: int
    reason: str


class RecordExecuted(Wish, frozen=True, kw_only=True):
    """Say what was really carried out; parameters that are left out were carried out as planned."""

    trial: int
    parameters: Parameterization


class Sign(Personal, frozen=True, kw_only=True):
    """Put one's name to everything up to a head of the log."""

    meaning: Literal["reviewed", "approved", "responsible"]
    seq: int
    hash: str


class RecordRefusal(Wish, frozen=True, kw_only=True):
    """A person or an agent asked for something that was refused."""

    command: str
    arguments: dict[str, Any] = {}
    why: str


class CompleteTrial(Wish, frozen=True, kw_only=True):
    """Tell the result of a trial, and what was executed where that differs from the plan."""

    trial: int
    observations: tuple[Observation, ...] = ()
    executed: Parameterization = {}


class AttachData(Wish, frozen=True, kw_only=True):
    """Add observations to a trial without ending it."""

    trial: int
    observations: tuple[Observation, ...]


class MarkFailed(Wish, frozen=True, kw_only=True):
    """The trial failed."""

    trial: int
    reason: str = "marked as failed"


class MarkAbandoned(Wish, frozen=True, kw_only=True):
    """The trial is given up and its conditions kept away from."""

    trial: int
    reason: str = "marked as abandoned"


class MarkEarlyStopped(Wish, frozen=True, kw_only=True):
    """The trial was stopped before its end; its data count."""

    trial: int
    reason: str = "marked as stopped early"


class RefetchData(Wish, frozen=True, kw_only=True):
    """Fetch the metrics of a finished trial again; all that are missing where none is named."""

    trial: int
    metrics: tuple[str, ...] = ()


class Resolve(Wish, frozen=True, kw_only=True):
    """Say what became of an UNKNOWN trial."""

    trial: int
    outcome: Literal["running", "completed", "failed", "abandoned", "rerun"]
    reason: str
    observations: tuple[Observation, ...] = ()


PersonCommand = (
    AddTrials
    | AttachTrial
    | Replicate
    | Approve
    | Reject
    | Hold
    | Retry
    | VoidResult
    | UnvoidResult
    | CorrectResult
    | AddNote
    | AttachComparison
    | WithdrawComparison
    | RecordExecuted
    | Sign
    | RecordRefusal
    | CompleteTrial
    | AttachData
    | MarkFailed
    | MarkAbandoned
    | MarkEarlyStopped
    | RefetchData
    | Resolve
)
"""Every command by which people and programs make trials, tell results and judge them."""
