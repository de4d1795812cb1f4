"""A log's head, published: one line that, kept elsewhere, makes rewriting or cutting the log short show.

A chain alone proves that nothing was changed in between; whoever can write the file could write all of it anew.  A
head that was printed, mailed or committed somewhere else before that cannot be written anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from titrant.errors import ConfigurationError
from titrant.log import schema
from titrant.log.base import Head
from titrant.log.replay import genesis_of, open_reader, translated

WORD = "titrant-head"
"""What a published line begins with."""

_LINE = re.compile(rf"{WORD}\s+(\S+)\s+(\d+)\s+([0-9a-fA-F]{{64}})")
_SHORT = re.compile(r"\s*(\d+):([0-9a-fA-F]{64})\s*")
_LARGEST = 1 << 16  # characters of a file that is looked through for a head


class PublishedHead(Head, frozen=True):
    """A head with the identity of its log, written as one line: ``titrant-head LOG_ID SEQ HASH``.

    Attributes:
        log_id: The log's own identity; empty where the head was given as ``SEQ:HASH``.
    """

    log_id: str = ""

    def __str__(self) -> str:
        return f"{WORD} {self.log_id} {self.seq} {self.hash.hex()}"


def head(path: str | Path) -> PublishedHead:
    """Read where a log ends, to be published; ``verify`` tells whether what is before it is sound.

    Raises:
        LogMissing: There is no log at that path.
        NotALog: The file is something else.
        LogTooNew: A newer titrant wrote it.
        LogCorrupt: Its identity or its last event cannot be read.
        LogUnavailable: The storage failed.
    """
    reader = open_reader(path)
    try:
        meta = reader.execute(schema.META).fetchone()
        last = reader.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        seq, chain_hash = last or (0, genesis_of(meta))
        return PublishedHead(seq, chain_hash, meta[0])
    except schema.FAULTS as exc:
        raise translated(exc, Path(path)) from exc
    finally:
        reader.close()


def parse_head(text: str) -> PublishedHead:
    """Read a published line, wherever it stands in *text*, or ``SEQ:HASH``.

    Raises:
        ConfigurationError: There is none, or there are several different ones.
    """
    found = {PublishedHead(int(seq), bytes.fromhex(digest), log_id) for log_id, seq, digest in _LINE.findall(text)}
    if len(found) > 1:
        raise ConfigurationError(f"there are {len(found)} different heads in it: give the one to hold the log against")
    if found:
        return found.pop()
    if short := _SHORT.fullmatch(text):
        return PublishedHead(int(short[1]), bytes.fromhex(short[2]))
    raise ConfigurationError(
        f"{text.strip()[:80]!r} is no head: give a line '{WORD} LOG_ID SEQ HASH', a file that holds one, or SEQ:HASH"
    )


def read_head(text: str) -> PublishedHead:
    """Read what people give as a head: a published line, the path of a file that holds one, or ``SEQ:HASH``.

    Raises:
        ConfigurationError: It is none of these.
    """
    if _LINE.search(text) or _SHORT.fullmatch(text):
        return parse_head(text)
    try:
        with Path(text).open(encoding="utf-8") as file:
            content = file.read(_LARGEST)
    except (OSError, ValueError) as exc:  # ValueError: bytes that are no text, a path with NUL
        raise ConfigurationError(
            f"{text[:80]!r} is no head, and no file that holds one could be read: "
            f"give a line '{WORD} LOG_ID SEQ HASH', such a file, or SEQ:HASH"
        ) from exc
    return parse_head(content)
