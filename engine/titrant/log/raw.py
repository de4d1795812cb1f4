"""A log row by row, as it is stored: for what copies it in another form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from titrant.log import schema
from titrant.log.ahead import read_ahead
from titrant.log.group import Row
from titrant.log.replay import genesis_of, open_reader, rows_between, translated, verified
from titrant.log.scanning import sound
from titrant.messages.codec import decode
from titrant.messages.events import Event


class Identity(msgspec.Struct, frozen=True):
    """What a log says of itself: of this its chain's genesis is made; times are microseconds since 1970 UTC."""

    log_id: str
    format: int
    created_at: int
    created_by: str
    hash_alg: str

    @property
    def genesis(self) -> bytes:
        """The hash that stands before event 1."""
        return genesis_of(msgspec.structs.astuple(self))


class RawLog:
    """A log open for reading; use it in ``with``.

    Raises:
        LogMissing: There is no log at that path.
        NotALog: The file is something else.
        LogTooNew: A newer titrant wrote it.
        LogCorrupt: Its tables or its identity were changed.
        LogUnavailable: The storage failed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._reader = open_reader(path)
        try:
            self.identity = Identity(*self._reader.execute(schema.META).fetchone())
            self.genesis = self.identity.genesis
        except BaseException as exc:
            self._reader.close()
            if isinstance(exc, schema.FAULTS):
                raise translated(exc, self.path) from exc
            raise

    def __enter__(self) -> RawLog:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._reader.close()

    def rows(self) -> Iterator[tuple[Row, Event]]:
        """Yield the columns of each event (``chain.COLUMNS``), checked against the chain, and what the payload says.

        The payload is the bytes as stored.

        Raises:
            LogCorrupt: The first fault found, by sequence number.
            LogTooNew: An event is of a kind not known yet.
            LogUnavailable: The storage failed.
        """
        after, previous = 0, self.genesis
        with closing(read_ahead(self._reader, after)) as batches:
            for batch in batches:
                known = sound(batch, after, previous)
                if known is None:
                    yield from self._examined(after, batch.last, previous)
                else:
                    for envelope, event, covered, stored in zip(*known, batch.covered, batch.stored, strict=True):
                        yield (*envelope, covered[covered.index(b"\n") + 1 :], stored), event
                after, previous = batch.last, batch.stored[-1] if batch.stored else b""

    def _examined(self, after: int, until: int, previous: bytes) -> Iterator[tuple[Row, Event]]:
        """The events that could not be taken all at once, one by one: for upcasters, or the right words of a fault."""
        for rows in rows_between(self._reader, after, until):
            for row in verified(rows, after, previous):
                yield row, decode(row[2], row[3], row[14], seq=row[0])
            after, previous = rows[-1][0], rows[-1][15]
