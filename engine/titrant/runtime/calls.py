"""Calls into foreign code: sync or async, always under a deadline, never blocking the event loop."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import msgspec

from titrant.errors import DeadlineExceeded
from titrant.runtime.clock import Clock
from titrant.runtime.threads import run_in_thread


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a flaky call is made again: exponential back-off with jitter, by exception class.

    Attributes:
        attempts: Calls in all, the first included.
        initial_seconds: Wait before the second call.
        factor: Each wait is this many times the one before.
        max_seconds: No wait is longer.
        jitter: Each wait is shortened by up to this share, so that many callers do not come back at once.
        never: Exception classes that mean a mistake in the code: calling again would not help.
    """

    attempts: int = 6
    initial_seconds: float = 0.2
    factor: float = 2.0
    max_seconds: float = 30.0
    jitter: float = 0.25
    never: tuple[type[BaseException], ...] = (TypeError, AttributeError, NameError, NotImplementedError, ImportError)

    def delay(self, retry: int, key: str) -> float:
        """Seconds to wait before the *retry*-th repetition; the jitter is drawn from *key*, so replays agree."""
        full = min(self.initial_seconds * self.factor ** (retry - 1), self.max_seconds)
        drawn = int.from_bytes(hashlib.sha256(f"{key}/{retry}".encode()).digest()[:4], "big") / 2**32
        return full * (1 - self.jitter * drawn)

    def again(self, made: int, error: Exception) -> bool:
        """Whether to call again after *made* calls, the last of which raised *error*."""
        return made < self.attempts and not isinstance(error, self.never)


async def call(
    function: Callable[..., Any], *args: Any, clock: Clock, deadline_s: float | None, what: str, **kwargs: Any
) -> Any:
    """Call *function*, sync (in a thread) or async, and await its result.

    Raises:
        DeadlineExceeded: It took longer than *deadline_s* seconds.  A thread goes on by itself: whoever called must
            treat what it talked to as being in an unknown state.
        Exception: Whatever *function* raises.
    """
    with anyio.move_on_after(deadline_s) as scope:
        if is_async(function):
            return await function(*args, **kwargs)
        result = await clock.outside(lambda: run_in_thread(lambda: function(*args, **kwargs)))
        return await result if inspect.isawaitable(result) else result
    assert scope.cancelled_caught
    raise DeadlineExceeded(f"{what} took longer than its deadline of {deadline_s:g} s")


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


async def retrying(
    attempt: Callable[[], Awaitable[Any]],
    *,
    policy: RetryPolicy,
    key: str,
    failed: Callable[[int, Exception, float], Awaitable[None]] | None = None,
) -> Any:
    """Make a call that may be repeated without harm until it succeeds or the policy gives up.

    Raises:
        Exception: What the last call raised.
    """
    made = 0
    while True:
        try:
            return await attempt()
        except Exception as exc:
            made += 1
            if not policy.again(made, exc):
                raise
            delay = policy.delay(made, key)
            if failed is not None:
                await failed(made, exc, delay)
            await anyio.sleep(delay)
