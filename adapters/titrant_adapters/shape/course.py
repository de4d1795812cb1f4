"""One attempt on its way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio

from titrant.errors import OutcomeUnknown, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Record, Report
from titrant_adapters.shape.outcomes import Start


class Course:
    """One attempt on its way: where it stands, and what of it goes into the log.

    Attributes:
        attempt: What is carried out.
        start: Whether what starts it was sent.
        names: What names it on the instrument, as far as it is known.
        over: Set when nobody here awaits its end any more.
        lost: Whether it was not seen to its end then.
    """

    def __init__(self, attempt: Attempt, record: Record | None = None, report: Report | None = None) -> None:
        self.attempt = attempt
        self.start = Start(sent=record is None)
        self.names = dict(attempt.metadata or {})
        self.over, self.lost = anyio.Event(), False
        self._record, self._report = record, report

    async def begin(self, metadata: Mapping[str, Any] | None = None) -> None:
        """Say that the next thing sent starts it; with what names it on the instrument in the log first."""
        if metadata and self._record is not None:
            await self._record(metadata)
        self.names |= metadata or {}
        self.start.sent = True

    async def named(self, metadata: Mapping[str, Any]) -> None:
        """Record what the instrument called it when it confirmed the start, for protocols without names of our own.

        Raises:
            OutcomeUnknown: It was not to be started any more, and has been.
        """
        self.names |= metadata
        if self._record is not None:
            try:
                await self._record(metadata)
            except SubmissionRefused as exc:
                raise OutcomeUnknown(f"it was started already: {exc}") from exc

    async def report(self, data: Any, progression: float | None = None) -> None:
        """Record intermediate data."""
        if self._report is not None:
            await self._report(data, progression)
