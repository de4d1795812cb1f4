"""Supervision: one level, one_for_one; too many restarts in a short time escalate (as in Erlang/OTP).

A child's mailbox outlives its restarts: a message it has not taken out yet is not lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio
import msgspec

from titrant.runtime.diagnostics import Logger

log = Logger(__name__)


class Intensity(msgspec.Struct, frozen=True):
    """More than ``restarts`` within ``seconds`` is too many."""

    restarts: int = 5
    seconds: float = 30.0


class Child(Protocol):
    """An actor under supervision."""

    name: str

    async def run(self) -> None:
        """Work until cancelled; every exception out of it is a failure and leads to a restart."""


async def supervise(
    child: Child,
    *,
    intensity: Intensity = Intensity(),
    restarted: Callable[[str, str, int], Awaitable[None]],
    escalate: Callable[[str, str], Awaitable[None]],
) -> None:
    """Run *child* and start it anew when it fails, until it ends by itself or fails too often.

    Args:
        child: The actor; ``run`` must be callable again after it failed.
        intensity: When to give up.
        restarted: Told name, reason and number of each restart, before the child runs again.
        escalate: Told name and reason once it failed too often; the child is not run any more.
    """
    failures: deque[float] = deque()
    count = 0
    while True:
        try:
            await child.run()
        except Exception as exc:  # the one place where any failure of an actor is met
            reason = describe(exc)
            now = anyio.current_time()
            failures.append(now)
            while failures and now - failures[0] > intensity.seconds:
                failures.popleft()
            log.warning("actor.failed", actor=child.name, reason=reason, exc_info=exc)
            if len(failures) > intensity.restarts:
                await escalate(child.name, f"failed {len(failures)} times in {intensity.seconds:g} s, last: {reason}")
                return
            count += 1
            await restarted(child.name, reason, count)
        else:
            return


LONGEST = 500
"""Characters kept of an exception's message: some drivers put whole responses into theirs."""


def describe(exc: BaseException) -> str:
    """An exception in one line that any log can hold, groups opened."""
    if isinstance(exc, BaseExceptionGroup):
        return "; ".join(describe(inner) for inner in exc.exceptions)
    lines = str(exc).strip().splitlines()
    text = f"{type(exc).__name__}: {lines[0]}" if lines else type(exc).__name__
    readable = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return readable if len(readable) <= LONGEST else readable[:LONGEST] + " …"
