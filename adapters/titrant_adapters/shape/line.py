"""A connection whose answers bear no name."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

import anyio

CLOSE_SECONDS = 2.0


class Line(Protocol):
    """A connection: a socket, a serial port, or a blocking driver in its thread."""

    def stale(self) -> bool:
        """Whether something came that nobody asked for."""
        ...

    async def aclose(self) -> None:
        """Close it; safe to call twice."""
        ...


async def shut(line: Line) -> None:
    """Close, also while being cancelled; a line that cannot be closed is forgotten all the same."""
    with anyio.move_on_after(CLOSE_SECONDS, shield=True):
        with suppress(Exception):  # it is broken anyway, and what broke it is being raised
            await line.aclose()
