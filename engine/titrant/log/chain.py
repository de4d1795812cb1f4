r"""The hash chain: each event's hash covers its whole envelope, its payload and everything before it.

The exact preimages, so that a verifier needs nothing but a standard library::

    hash    = sha256(previous hash: 32 raw bytes
                     + JSON array of the columns ``seq`` to ``epoch`` in the table's order
                     + b"\n"
                     + payload: the bytes as stored)
    genesis = sha256(b"titrant-log-v1\n" + JSON array of meta's log_id, format, created_at, created_by, hash_alg)

JSON is UTF-8 as ``json.dumps(columns, separators=(",", ":"), ensure_ascii=False)`` writes it.  The genesis is the
"previous hash" of event 1, so that an event cannot be moved into another log.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TypeAlias

import msgspec

HASH_ALG = "sha256-v1"
DOMAIN = b"titrant-log-v1\n"

COLUMNS = (
    "seq",
    "part",
    "type",
    "schema",
    "trial",
    "recorded_at",
    "observed_at",
    "actor",
    "role",
    "reason",
    "cause",
    "correlation",
    "idem_key",
    "epoch",
    "payload",
    "hash",
)
"""The columns of the events table, in order."""

WIDTH = COLUMNS.index("payload")
"""How many of them are the envelope."""

Envelope: TypeAlias = tuple[
    int,  # seq
    int,  # part
    str,  # type
    int,  # schema
    int | None,  # trial
    int,  # recorded_at
    int | None,  # observed_at
    str,  # actor
    str | None,  # role
    str | None,  # reason
    int | None,  # cause
    str | None,  # correlation
    str | None,  # idem_key
    int,  # epoch
]

encode_envelope = msgspec.json.Encoder().encode
"""The JSON array of an envelope; equal to what ``json.dumps`` writes with the options above (tested)."""


def genesis(*, log_id: str, file_format: int, created_at: int, created_by: str, hash_alg: str) -> bytes:
    """Give the hash that stands before event 1."""
    return sha256(DOMAIN + encode_envelope((log_id, file_format, created_at, created_by, hash_alg))).digest()


def link(previous: bytes, envelope: bytes, payload: bytes) -> bytes:
    """Give an event's hash from its predecessor's, its envelope's JSON and its payload."""
    return sha256(b"%b%b\n%b" % (previous, envelope, payload)).digest()
