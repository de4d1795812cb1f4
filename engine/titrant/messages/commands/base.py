"""What all commands have in common, and who asks."""

from __future__ import annotations

import msgspec


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all commands."""


class Personal(Wish, frozen=True, kw_only=True):
    """A command on which it matters who asks: the supervisor fills that in, so that no way in can claim a name."""

    actor: str = "engine"
    role: str | None = None


class By(msgspec.Struct, frozen=True):
    """Who asks, in which role, and why; ``correlation`` names the call, on every event that follows from it."""

    actor: str = "engine"
    role: str | None = None
    reason: str | None = None
    correlation: str | None = None
