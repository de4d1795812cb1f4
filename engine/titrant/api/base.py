"""What every part of the client stands on: an engine, its state, and who asks."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from titrant.engine import Engine
from titrant.messages import commands as c
from titrant.rules.state import State

_correlation: ContextVar[str | None] = ContextVar("titrant correlation", default=None)


class OnEngine:
    """A part of the client: calls on one engine."""

    engine: Engine

    @property
    def state(self) -> State:
        """The newest durable state; immutable."""
        return self.engine.state


def by(actor: str | None = None, reason: str = "") -> c.By:
    """Who asks: the named actor, or the person at this machine."""
    if actor is None:
        try:
            actor = f"user:{getpass.getuser()}"
        except (OSError, KeyError):  # a container without a user database
            actor = "user:unknown"
    return c.By(actor, None, reason or None, _correlation.get())


@contextmanager
def correlated(correlation: str) -> Iterator[None]:
    """Every call inside writes events that bear this correlation."""
    before = _correlation.set(correlation)
    try:
        yield
    finally:
        _correlation.reset(before)
