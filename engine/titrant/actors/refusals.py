"""Attempts of people and agents that were refused, as commands that record them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from titrant.errors import EventRejected
from titrant.messages import commands as c
from titrant.messages.codec import encode_checked
from titrant.messages.commands import Command
from titrant.messages.events import CommandWasRefused

LARGEST = 4_096
"""Bytes of arguments, as JSON, that are kept of a refused attempt."""

LONGEST = 2_000
"""Characters that are kept of why it was refused."""

_FILLED_IN = ("actor", "role")  # of ``Personal``: who asked stands in the envelope
_UNTELLABLE = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError, EventRejected)


def told(actor: str) -> bool:
    """Whether refusals of that actor are recorded: those of people and agents are."""
    return actor.startswith(("user:", "agent:"))


def refusal(command: Command, why: Exception) -> c.RecordRefusal:
    """What there is to record of a refused command."""
    fields = {
        name: getattr(command, name)
        for name in command.__struct_fields__
        if not (isinstance(command, c.Personal) and name in _FILLED_IN)
    }
    return attempt(type(command).__name__, fields, why)


def attempt(name: str, arguments: Mapping[str, Any], why: Exception) -> c.RecordRefusal:
    """What there is to record of any refused attempt; arguments that JSON cannot hold, or too large ones, are named."""
    return c.RecordRefusal(command=name, arguments=_plain(arguments), why=_text(str(why))[:LONGEST])


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    room = LARGEST
    for name, value in arguments.items():
        try:
            text = msgspec.json.encode(value, enc_hook=repr)
            plain = msgspec.json.decode(text)
            # What the log could not hold (too large a number, too deep a nesting) must not cost the rest.
            encode_checked(CommandWasRefused(command="", arguments={name: plain}, why=""))
        except _UNTELLABLE:
            plain, text = f"a {type(value).__name__} that cannot be written down", b""
        cost = len(text) + len(name) + 4
        if cost > room:
            plain, cost = f"left out: {len(text)} bytes", len(name) + 32
        if cost <= room:
            kept[name] = plain
            room -= cost
    return kept


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
