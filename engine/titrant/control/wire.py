"""What an engine and a caller say to each other: frames of JSON, after each has shown that it knows the engine's token.

A frame is its length (4 bytes, big end first) and as many bytes of JSON.  One connection carries one request::

    caller                                      engine
    Greeting(nonce)                        →
                                           ←    Counter(nonce, proof)
    Proof(proof), Request(act, …)          →
                                           ←    Reply(events, value)  or  Failure(error, message)

The token itself is never sent: each side proves that it knows it, the engine first.  So a caller tells nothing to a
stranger who listens where an engine once did, and a stranger who calls cannot use what he hears a second time.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from titrant import errors
from titrant.errors import TitrantError
from titrant.log.base import Record
from titrant.messages.commands import By

VERSION = 1
"""The number of this protocol; an engine refuses callers of another."""

MAX_GREETING = 1024
"""Bytes of a frame of somebody who has not shown yet that they know the token."""

MAX_REQUEST = 2 << 20
"""Bytes of a request: twice the greatest event."""

MAX_REPLY = 64 << 20
"""Bytes of a reply."""

HEADER = 4
"""Bytes of a frame's length."""

M = TypeVar("M")
Nonce = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Malformed(Exception):
    """The peer said something that is no message of this protocol."""


class Frame(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all frames."""


class Greeting(Frame, frozen=True, kw_only=True):
    """The caller's first word."""

    version: int
    nonce: Nonce


class Counter(Frame, frozen=True, kw_only=True, tag="counter"):
    """The engine's answer to it, and its proof."""

    nonce: Nonce
    proof: Digest


class Proof(Frame, frozen=True, kw_only=True):
    """The caller's proof."""

    proof: Digest


class Request(Frame, frozen=True, kw_only=True):
    """An act; ``log`` is the path of the log it is meant for, as the caller sees it."""

    log: str
    act: str
    arguments: dict[str, Any]
    by: By


class Reply(Frame, frozen=True, kw_only=True, tag="reply"):
    """The act was done: the events it wrote, which are durable, and its answer."""

    events: tuple[Record, ...]
    value: Any = None


class Failure(Frame, frozen=True, kw_only=True, tag="failure"):
    """The act was not done, or not to its end: the error by its class's name, its message and its fields."""

    error: str
    message: str
    fields: dict[str, Any] = {}


Answer = Reply | Failure
Side = Literal["engine", "caller"]


def framed(message: Frame, limit: int) -> bytes:
    """The bytes of a message.

    Raises:
        Malformed: It is longer than *limit*.
    """
    payload = msgspec.json.encode(message)
    if len(payload) > limit:
        raise Malformed(f"the message has {len(payload)} bytes, more than {limit}")
    return len(payload).to_bytes(HEADER, "big") + payload


def length(header: bytes, limit: int) -> int:
    """The length that a frame's header announces.

    Raises:
        Malformed: It is more than *limit*.
    """
    announced = int.from_bytes(header, "big")
    if announced > limit:
        raise Malformed(f"a frame of {announced} bytes was announced, more than {limit}")
    return announced


def read(payload: bytes, kind: type[M]) -> M:
    """The message in a frame.

    Raises:
        Malformed: It is none of that kind.
    """
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise Malformed(f"the frame cannot be read: {exc}") from exc


def prove(token: str, side: Side, greeting: str, counter: str) -> str:
    """What only one who knows the token can say, on that side, to these two nonces."""
    said = "\n".join(("titrant control", str(VERSION), side, greeting, counter))
    return hmac.new(token.encode(), said.encode(), hashlib.sha256).hexdigest()


def proves(proof: str, token: str, side: Side, greeting: str, counter: str) -> bool:
    """Whether *proof* is right; takes the same time if it is not."""
    return hmac.compare_digest(proof.encode(), prove(token, side, greeting, counter).encode())


def failure(error: TitrantError) -> Failure:
    """An error on its way to the caller."""
    fields = {name: value for name, value in vars(error).items() if not name.startswith("_")}
    try:
        fields = msgspec.to_builtins(fields)
    except TypeError:  # what cannot be sent is left out: the message says it in words
        fields = {}
    return Failure(error=type(error).__name__, message=str(error), fields=fields)


def error_of(failure: Failure) -> TitrantError:
    """The error as the engine raised it; a plain ``TitrantError`` where its class is not known here."""
    kind = getattr(errors, failure.error, None)
    if not (isinstance(kind, type) and issubclass(kind, TitrantError)):
        kind = TitrantError
    error = kind.__new__(kind, failure.message)  # not __init__, which makes the message of other arguments
    vars(error).update(failure.fields)
    return error


def sendable(value: Any) -> Any:
    """*value* with NaN and infinity as texts, which JSON has no numbers for."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(name): sendable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [sendable(one) for one in value]
    return value
