"""Waits that end, and say what they were for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio


@contextmanager
def bounded(seconds: float, what: str) -> Iterator[None]:
    """Bound a wait, and say for what it was.

    Raises:
        TimeoutError: It took longer.
    """
    with anyio.move_on_after(seconds) as waiting:
        yield
    if waiting.cancelled_caught:
        raise TimeoutError(f"{what} took longer than {seconds:g} s")
