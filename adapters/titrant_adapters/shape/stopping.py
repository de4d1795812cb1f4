"""Stopping one run on its instrument, and no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, ClassVar

import anyio
import msgspec

from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant_adapters.shape.course import Course
from titrant_adapters.shape.outcomes import Errors, Start

AGAIN_SECONDS = 0.2
"""After which an instrument that did not take a stop is told again."""


class Stopping:
    """What stopping has in common; a runner whose protocol has a word for it calls ``stop_run`` in its ``stop``."""

    errors: ClassVar[Errors]
    can_report_status: bool
    _here: dict[str, Course]

    async def collect(self, attempt: Attempt, course: Course) -> Any:
        """See ``AdapterRunner``."""
        raise NotImplementedError(f"{type(self).__name__} has no collect")

    async def stop_run(self, attempt: Attempt, tell: Callable[[Course], Awaitable[object]], seconds: float) -> None:
        """Tell the instrument to stop a run, and await its end.

        What ended it, the stop or its own end, is told by whoever awaits the run; here it is only made sure that it is
        over.  A stop that was refused or not answered is sent again: it names its run, so that twice does no harm.

        Args:
            attempt: Which.
            tell: Sends the stop, if the run is under way; raises ``SubmissionRefused`` where it is not.
            seconds: How long that may take in all.

        Raises:
            OutcomeUnknown: It is not known to be over by then.
            RunnerError: The instrument does not stop it.
        """
        course = self._here.get(attempt.key) or Course(attempt)
        what, start = f"stopping trial {attempt.trial}", Start(sent=True)
        with self.errors.translated(start, what), start.within(seconds, what):
            while True:
                try:
                    with self.errors.translated(start, what):
                        await tell(course)
                    await self._end_of(course)
                except (SubmissionRefused, OutcomeUnknown) as exc:
                    start.trouble = str(exc)
                else:
                    return
                with anyio.move_on_after(AGAIN_SECONDS):
                    with suppress(OutcomeUnknown):
                        await self._end_of(course)
                        return
                    await anyio.sleep_forever()  # until it is told again

    async def _end_of(self, course: Course) -> None:
        """Await the end of a run; by whoever awaits it here, else by asking the instrument."""
        if course.over.is_set() or self._here.get(course.attempt.key) is course:
            await course.over.wait()
            if not course.lost:
                return
        if not course.names:
            if self.can_report_status:
                return  # it was never begun: its start is recorded first
            raise OutcomeUnknown("it is not awaited here, and nothing names it on the instrument")
        attempt = msgspec.structs.replace(course.attempt, metadata=course.names)
        try:
            await self.collect(attempt, Course(attempt))
        except OutcomeUnknown:
            raise
        except (RunnerError, NeverSeen):
            pass  # it is over, and did not end well
