"""What runners and metrics found out."""

from __future__ import annotations

from typing import Any, Literal

from titrant.messages.commands.base import Wish
from titrant.model.observation import Observation
from titrant.model.trial import Parameterization


class ReportRetry(Wish, frozen=True, kw_only=True):
    """The submitting call failed without starting anything and will be made again."""

    trial: int
    attempt: int
    retry: int
    reason: str
    delay_seconds: float


class ReportRunning(Wish, frozen=True, kw_only=True):
    """The runner accepted the trial."""

    trial: int
    attempt: int
    metadata: dict[str, Any] = {}


class ReportReattached(Wish, frozen=True, kw_only=True):
    """The attempt was found again after a restart."""

    trial: int
    attempt: int


class ReportFinished(Wish, frozen=True, kw_only=True):
    """The instrument is done; pushed runners bring the observations along, some say what they executed.

    Attributes:
        informative: Whether a failure tells of the conditions, and not of the laboratory alone.
    """

    trial: int
    attempt: int
    status: Literal["completed", "failed", "abandoned", "early_stopped"]
    reason: str | None = None
    observations: tuple[Observation, ...] = ()
    executed: Parameterization = {}
    informative: bool = True


class ReportStopped(Wish, frozen=True, kw_only=True):
    """The runner was told to stop the trial, and what came of it."""

    trial: int
    attempt: int
    reason: str = ""


class ReportLost(Wish, frozen=True, kw_only=True):
    """Contact was lost: the trial may have run."""

    trial: int
    attempt: int
    reason: str


class ReportNeverStarted(Wish, frozen=True, kw_only=True):
    """The submission failed for good and certainly started nothing."""

    trial: int
    attempt: int
    reason: str


class RecordFetch(Wish, frozen=True, kw_only=True):
    """A metric was fetched."""

    trial: int
    metric: str
    observations: tuple[Observation, ...]


class RecordFetchFailure(Wish, frozen=True, kw_only=True):
    """A metric could not be fetched."""

    trial: int
    metric: str
    reason: str


Report = (
    ReportRetry
    | ReportRunning
    | ReportReattached
    | ReportFinished
    | ReportStopped
    | ReportLost
    | ReportNeverStarted
    | RecordFetch
    | RecordFetchFailure
)
"""Every command that runners and metrics give."""
