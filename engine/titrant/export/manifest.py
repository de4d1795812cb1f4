"""The manifest: which log an export is of, where it ended, and the hash of every file."""

from __future__ import annotations

from importlib import metadata

import msgspec

from titrant.errors import ExportError
from titrant.export.target import FileSum
from titrant.log.raw import Identity

NAME = "manifest.json"
EVENTS = "events.jsonl"
FORMAT = "titrant-export"
VERSION = 1


class ExportHead(msgspec.Struct, frozen=True):
    """Where the log ended: number and hash (hex) of its last event."""

    seq: int
    hash: str


class Counts(msgspec.Struct, frozen=True):
    """How much there is."""

    events: int
    trials: int
    observations: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an export says of itself."""

    format: str
    version: int
    titrant: str
    log: Identity
    head: ExportHead
    counts: Counts
    files: dict[str, FileSum]


def written(log: Identity, head: ExportHead, counts: Counts, files: dict[str, FileSum]) -> bytes:
    """The manifest as JSON for people and programs."""
    made = Manifest(
        format=FORMAT,
        version=VERSION,
        titrant=metadata.version("titrant"),
        log=log,
        head=head,
        counts=counts,
        files=dict(sorted(files.items())),
    )
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def read(data: bytes, where: str) -> Manifest:
    """Read a manifest.

    Raises:
        ExportError: It is none, or a newer titrant wrote it.
    """
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise ExportError(f"{where} is no manifest of an export: {exc}") from exc
    if found.format != FORMAT:
        raise ExportError(f"{where} is no manifest of an export: its format is {found.format!r:.80}")
    if found.version > VERSION:
        raise ExportError(f"the export has version {found.version}, this titrant reads up to {VERSION}: update titrant")
    return found
