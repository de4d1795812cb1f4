"""Events to JSON and back: checked before they are stored, read for ever.

The payload of an event is the JSON text of its Struct, its ``type`` tag included.  Every tag has a schema number; when
the shape of an event changes in a way msgspec's defaults cannot bridge, its number in ``SCHEMAS`` goes up by one and
an upcaster from the old number is added to ``UPCASTERS``.  Neither is ever taken away again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import msgspec

from titrant.errors import EventRejected, LogCorrupt, LogTooNew
from titrant.messages.events import Event, Fact

MAX_PAYLOAD = 1 << 20
"""Bytes of one payload; larger data belongs in a file that the event names."""

MAX_DEPTH = 32
"""Levels of arrays and objects in one payload."""

RAISED: dict[str, int] = {}
"""Tags whose schema number is no longer 1."""

TAGS: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in get_args(Event)}
SCHEMAS: dict[str, int] = {tag: RAISED.get(tag, 1) for tag in TAGS.values()}
"""The current schema number of every tag."""

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: dict[tuple[str, int], Upcaster] = {}
"""From (tag, old schema) to a pure function that gives the next schema's object."""

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec may raise on hostile bytes; the last two are no ``MsgspecError`` (measured)."""

_UNWRITABLE = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)

decode_current: Callable[[bytes | str], Event] = msgspec.json.Decoder(Event).decode
"""Decode a payload of a current schema: one call, for the hot loops; they check the tag and translate errors."""

_encode = msgspec.json.Encoder().encode
# JSON from msgspec has integers of any size; msgpack knows 64 bits and refuses others, faster than any search would.
_refuse_large_integers = msgspec.msgpack.Encoder().encode
_LOWEST, _HIGHEST = -(1 << 63), (1 << 64) - 1


def encode(event: Event) -> tuple[str, int, str]:
    """Give an event's tag, schema number and payload, unchecked.

    Raises:
        EventRejected: JSON cannot hold the event; the message names the field.
    """
    tag = TAGS.get(type(event))
    if tag is None:
        raise EventRejected(f"{type(event).__name__} is not an event: list it in messages/events")
    try:
        return tag, SCHEMAS[tag], _encode(event).decode()
    except _UNWRITABLE as exc:
        raise EventRejected(f"{tag}: {_fault(event, '$', 1) or exc}") from exc


def encode_checked(event: Event) -> tuple[str, int, str]:
    """Encode an event and make sure that it would be read back equal, so that no poison enters the log.

    Raises:
        EventRejected: It would not be; the message names the field.
    """
    tag, schema, payload = encode(event)
    if len(payload) * 4 > MAX_PAYLOAD and (size := len(payload.encode())) > MAX_PAYLOAD:
        raise EventRejected(f"{tag}: the payload has {size} bytes, more than {MAX_PAYLOAD}: store the data in a file")
    # Brackets bound the depth from above, so that hardly any event pays for the walk.
    if payload.count("{") + payload.count("[") > MAX_DEPTH and (fault := _fault(event, "$", 1)):
        raise EventRejected(f"{tag}: {fault}")
    try:
        _refuse_large_integers(event)
        again = decode_current(payload)
    except (*UNREADABLE, OverflowError) as exc:
        raise EventRejected(f"{tag}: {_fault(event, '$', 1) or exc}") from exc
    if again != event:
        raise EventRejected(f"{tag}: {_fault(event, '$', 1) or _difference(event, again, '$')}")
    return tag, schema, payload


def decode(tag: str, schema: int, payload: bytes | str, *, seq: int = 0) -> Event:
    """Read a stored payload of any schema there ever was.

    Args:
        tag: The event's type as its envelope says.
        schema: Its schema number.
        payload: The JSON as stored.
        seq: Its sequence number, for the error.

    Raises:
        LogTooNew: The tag or its schema number is not known yet.
        LogCorrupt: The payload is not what the envelope says.
    """
    current = SCHEMAS.get(tag)
    if current is None or schema > current:
        raise LogTooNew(f"event {seq} is {tag!r} with schema {schema}, which a newer titrant wrote: update titrant")
    try:
        event = decode_current(payload) if schema == current else _upcast(tag, schema, current, payload)
    except (*UNREADABLE, KeyError, TypeError, ValueError) as exc:
        raise LogCorrupt(seq, f"the payload of this {tag!r} cannot be read: {exc}") from exc
    if TAGS[type(event)] != tag:
        raise LogCorrupt(seq, f"the envelope says {tag!r}, the payload {TAGS[type(event)]!r}")
    return event


def _upcast(tag: str, schema: int, current: int, payload: bytes | str) -> Event:
    fields = msgspec.json.decode(payload, type=dict[str, Any])
    for number in range(schema, current):
        fields = UPCASTERS[tag, number](fields)
    event: Event = msgspec.convert(fields, Event)
    return event


def _fault(value: object, path: str, depth: int) -> str | None:
    """Say where and why *value* is no JSON of ours; None where it is."""
    match value:
        case None | bool():
            return None
        case float():
            return None if math.isfinite(value) else f"{path} is {value}: only finite numbers are stored"
        case int():
            return None if _LOWEST <= value <= _HIGHEST else f"{path} does not fit into 64 bits"
        case str():
            return _surrogate(value, path)
        case msgspec.Struct():
            # What is unset has no place in the JSON at all.
            fields = [(f"{path}.{name}", getattr(value, name)) for name in value.__struct_fields__]
            named = [(where, item) for where, item in fields if item is not msgspec.UNSET]
        case dict():
            if odd := next((key for key in value if not isinstance(key, str)), None):
                return f"{path} has the key {odd!r}, which is no text"
            if spoilt := next((found for key in value if (found := _surrogate(key, f"a key of {path}"))), None):
                return spoilt
            named = [(f"{path}.{key}", item) for key, item in value.items()]
        case list() | tuple():
            named = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        case _:
            return f"{path} is of type {type(value).__name__}, which is not stored"
    if depth > MAX_DEPTH:
        return f"{path} is nested more than {MAX_DEPTH} levels deep"
    return next((found for where, item in named if (found := _fault(item, where, depth + 1))), None)


def _surrogate(text: str, path: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        return f"{path} has half a surrogate pair at position {exc.start}, which is no character"
    return None


def _difference(told: object, read: object, path: str) -> str:
    """Name the first place where what would be read differs from what was told."""
    pairs: list[tuple[str, object, object]] = []
    if isinstance(told, Fact | msgspec.Struct) and type(told) is type(read):
        pairs = [(f"{path}.{name}", getattr(told, name), getattr(read, name)) for name in told.__struct_fields__]
    elif isinstance(told, dict) and isinstance(read, dict) and told.keys() == read.keys():
        pairs = [(f"{path}.{key}", told[key], read[key]) for key in told]
    elif isinstance(told, list | tuple) and type(told) is type(read) and len(told) == len(read):
        pairs = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(told, read, strict=True))]
    for where, one, other in pairs:
        if one != other:
            return _difference(one, other, where)
    return f"{path} would be read back as {read!r:.80}, not {told!r:.80}"
