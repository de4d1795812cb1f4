"""What every part of the client stands on: an engine, its state, and who asks."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from titrant.actors.refusals import attempt, told
from titrant.actors.supervisor import REFUSED
from titrant.engine import Engine
from titrant.errors import ConfigurationError, ObservationError
from titrant.messages import commands as c
from titrant.model.given import mapped
from titrant.model.observation import Observation
from titrant.rules.state import State
from titrant.runtime.diagnostics import Logger

log = Logger(__name__)

Observations = tuple[Observation, ...]

_correlation: ContextVar[str | None] = ContextVar("titrant correlation", default=None)


_acting: ContextVar[c.By | None] = ContextVar("titrant actor", default=None)


class OnEngine:
    """A part of the client: calls on one engine."""

    engine: Engine

    @property
    def state(self) -> State:
        """The newest durable state; immutable."""
        return self.engine.state

    async def observed(
        self, call: str, who: c.By, trial: int, raw_data: Any, progression: float | None = None
    ) -> Observations:
        """What somebody tells of a trial, read; data that cannot be read are a refused attempt of *call*.

        Raises:
            ObservationError: They cannot be read.
        """
        try:
            return self.engine.read_data(raw_data, progression)
        except ObservationError as exc:
            await self.refused(call, {"trial": trial, "raw_data": raw_data, "progression": progression}, who, exc)
            raise

    async def refused(self, call: str, arguments: Mapping[str, Any], who: c.By, why: Exception) -> None:
        """Record what a person or an agent attempted and was refused before it became a command."""
        if not told(who.actor):
            return
        try:
            await self.engine.do(attempt(call, arguments, why), who)
        except REFUSED as exc:  # the refusal itself matters more than its record
            log.error("refusal.not_recorded", command=call, by=who.actor, why=str(exc))

    @staticmethod
    def acting_as(actor: str, role: str | None = None, reason: str | None = None) -> AbstractContextManager[None]:
        """Have every call inside the ``with`` made by this actor; see ``titrant.api.base.acting_as``."""
        return acting_as(actor, role, reason)


def by(actor: str | None = None, reason: str = "") -> c.By:
    """Who asks: the named actor, the one of ``acting_as``, or the person at this machine.

    Raises:
        ConfigurationError: Actor or reason is no text: the log could not keep it.
    """
    _need_texts(actor=actor, reason=reason)
    acting = _acting.get()
    if acting is not None and actor in (None, acting.actor):
        return c.By(acting.actor, acting.role, reason or acting.reason, _correlation.get())
    if actor is None:
        try:
            actor = f"user:{getpass.getuser()}"
        except (OSError, KeyError):  # a container without a user database
            actor = "user:unknown"
    return c.By(actor, None, reason or (acting and acting.reason) or None, _correlation.get())


def by_name(argument: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Values of parameters as an argument gives them; None gives none.

    Raises:
        ConfigurationError: It is no mapping.
    """
    return {} if values is None else mapped(argument, values, "parameter names to values")


def _need_texts(**said: object) -> None:
    for name, value in said.items():
        if not isinstance(value, str | None):
            raise ConfigurationError(f"{name}={value!r} is a {type(value).__name__}: say it as text")


@contextmanager
def acting_as(actor: str, role: str | None = None, reason: str | None = None) -> Iterator[None]:
    """Have every call inside made by this actor, in this role, for this reason.

    Args:
        actor: A person (``"user:kim"``, or ``"kim"`` for short) or an agent (``"agent:planner"``).
        role: In which role (``"chemist"``), where that matters for an approval.
        reason: Why; a ``reason=`` of a call wins over it.

    Raises:
        ConfigurationError: The name is empty, or that of a part of the engine; or one of the three is no text.
    """
    _need_texts(actor=actor, role=role, reason=reason)
    kind, colon, name = actor.partition(":")
    if not colon:
        kind, name = "user", actor
    if kind not in ("user", "agent") or not name.strip():
        raise ConfigurationError(f"nobody can act as {actor!r}: name a person, user:NAME, or an agent, agent:NAME")
    before = _acting.set(c.By(f"{kind}:{name}", role, reason or None))
    try:
        yield
    finally:
        _acting.reset(before)


@contextmanager
def correlated(correlation: str) -> Iterator[None]:
    """Every call inside writes events that bear this correlation."""
    before = _correlation.set(correlation)
    try:
        yield
    finally:
        _correlation.reset(before)
