"""Events as lines of JSON: the envelope by name, the payload as the text that was stored, the hash in hex.

The payload is a text within the JSON, so that whoever reads it has the very bytes that the chain covers.
"""

from __future__ import annotations

from typing import Any

import msgspec

from titrant.log.group import Row


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One event; the fields are ``chain.COLUMNS``, in their order."""

    seq: int
    part: int
    type: str
    schema: int
    trial: int | None
    recorded_at: int
    observed_at: int | None
    actor: str
    role: str | None
    reason: str | None
    cause: int | None
    correlation: str | None
    idem_key: str | None
    epoch: int
    payload: str
    hash: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line, strict=True).decode
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)
"""What ``row_of`` raises on a line that is no event."""


def line_of(row: Row) -> bytes:
    """Write a row of the log, its payload as bytes, as a line."""
    fields: tuple[Any, ...] = (*row[:14], row[14].decode(), row[15].hex())
    return _encode(Line(*fields)) + b"\n"


def row_of(line: bytes) -> Row:
    """Read a line as a row of the log, its payload as text."""
    read = _decode(line)
    return (*msgspec.structs.astuple(read)[:15], bytes.fromhex(read.hash))
