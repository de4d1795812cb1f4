"""A connection that many runs use at once: answers bear names on it, but one that fell silent is of no more use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

import anyio

from titrant_adapters.shape.outcomes import Errors, Start

K = TypeVar("K")

CLOSE_SECONDS = 2.0


class Shared(Generic[K]):
    """Gives the connection there is, or a new one; whoever finds it broken drops it for all.

    Args:
        dial: Makes a connection and makes sure of who answers.
        close: Closes one.
        errors: The adapter's table.
        deadline_s: Seconds that making one may take.
        name: What is at the other end, for messages.
    """

    def __init__(
        self,
        dial: Callable[[], Awaitable[K]],
        close: Callable[[K], Awaitable[object]],
        *,
        errors: Errors,
        deadline_s: float,
        name: str,
    ) -> None:
        self._dial, self._close, self._errors = dial, close, errors
        self._deadline, self._name = deadline_s, name
        self._lock = anyio.Lock()
        self._connection: K | None = None

    async def ready(self, start: Start | None = None) -> K:
        """The connection.

        Raises:
            OutcomeUnknown: There is none, and what starts the attempt was sent on an earlier one.
            SubmissionRefused: There is none.
        """
        start, what = start or Start(), f"connecting to {self._name}"
        async with self._lock:
            if self._connection is None:
                with self._errors.translated(start, what), start.within(self._deadline, what):
                    self._connection = await self._dial()
            return self._connection

    async def drop(self, broken: K) -> None:
        """Close a connection on which something went wrong, unless another user did so before."""
        if self._connection is broken:
            await self.aclose()

    async def aclose(self) -> None:
        """Close it; the next who needs one gets another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                with suppress(Exception):  # it is broken, and what broke it is being raised
                    await self._close(connection)
