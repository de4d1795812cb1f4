"""The audit of a log: is every event there, as it was written, in order, legal, and signed for what it says?

``verify`` reads the log once, a bounded number of events at a time, and names the first fault.  It holds in memory a
few bytes a trial and nothing else (the state too where snapshots are compared, ``deep``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from titrant.errors import LogCorrupt, LogTooNew
from titrant.log import schema
from titrant.log.ahead import Batch, read_ahead
from titrant.log.base import Head
from titrant.log.chain import Envelope
from titrant.log.heads import PublishedHead
from titrant.log.legality import Legality
from titrant.log.replay import genesis_of, hash_at, open_reader, translated, verified
from titrant.log.snapshots import unpack
from titrant.messages.codec import SCHEMAS, TAGS, UNREADABLE, decode
from titrant.messages.events import Event, HeadSigned
from titrant.rules.evolve import evolve
from titrant.rules.state import State


class Fault(msgspec.Struct, frozen=True):
    """The first thing that is wrong.

    Attributes:
        seq: The sequence number of the event at fault; 0 for the log as a whole.
        what: What is wrong with it.
        meaning: What that means for who relies on the log.
    """

    seq: int
    what: str
    meaning: str

    def __str__(self) -> str:
        where = f"event {self.seq}" if self.seq else "the log"
        return f"{where}: {self.what}. {self.meaning}"


class Signature(msgspec.Struct, frozen=True):
    """A person's name under everything up to ``head``; ``seq`` and ``at`` (µs since 1970 UTC) are the signing's."""

    seq: int
    at: int
    actor: str
    role: str | None
    meaning: str
    head: Head


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found.

    Attributes:
        ok: Whether nothing is wrong.
        fault: The first thing that is; None where nothing is.
        events: Events found sound, from the first on.
        trials: Trials made by them.
        head: The last of them, as it may be published.
        signatures: Signatures among them.
        snapshots: Snapshots that were held against the chain.
        seconds: How long it took.
    """

    ok: bool
    fault: Fault | None
    events: int
    trials: int
    head: PublishedHead
    signatures: tuple[Signature, ...] = ()
    snapshots: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        if self.fault is not None:
            return f"{self.fault} The {self.events} events before it are sound."
        count = len(self.signatures)
        signed = f", with {count} valid signature{'s' * (count > 1)}" if count else ""
        return f"all {self.events} events of {self.trials} trials are sound{signed}: {self.head}"


def verify(path: str | Path, against: Head | None = None, *, deep: bool = False) -> Verdict:
    """Audit a log; it may be written meanwhile.

    Args:
        path: The log.
        against: A head that was published earlier (``heads.read_head``).
        deep: Whether to fold the log as well and compare its snapshots with the state; takes about twice as long.

    Raises:
        LogMissing: There is no log at that path.
        NotALog: The file is something else.
        LogTooNew: Its file format is not known yet.
        LogUnavailable: The storage failed.
    """
    begun = time.perf_counter()
    audit = _Audit(deep=deep)
    fault = audit.first_fault(Path(path), against)
    return Verdict(
        ok=fault is None,
        fault=fault,
        events=audit.seq,
        trials=audit.legality.trials,
        head=PublishedHead(audit.seq, audit.previous, audit.log_id),
        signatures=tuple(audit.signatures),
        snapshots=audit.compared,
        seconds=time.perf_counter() - begun,
    )


_DAMAGED = "The file was damaged or changed by another program: go on with a backup."
_CHANGED = "It was changed, or put in, after the log was written."
_MISSING = "Events were taken out."
_ORDER = "No engine wrote this: events were put in or moved, and the chain was made anew."
_NEWER = "Verify the log with the titrant that wrote it."
_REWRITTEN = "The log was rewritten at or before this event after that head was published."
_TRUNCATED = "The log is truncated: its end was cut off after that head was published, or this is an older copy."
_SIGNATURE = "What was signed is not what stands here: the signature is worth nothing."
_DERIVED = "Snapshots are derived data: the events themselves are sound, and the next reader folds them anew."
_GUARDS = "The events are sound, but the database no longer keeps others from changing them."


class _Found(Exception):
    """Ends an audit; never leaves this module."""

    def __init__(self, seq: int, what: str, meaning: str) -> None:
        super().__init__(what)
        self.fault = Fault(seq, what, meaning)


_ROWS = schema.SELECT + "WHERE seq > ? AND seq <= ? ORDER BY seq"
_SNAPSHOTS = "SELECT seq, log_hash, state, state_hash FROM snapshots ORDER BY seq"
_SPREAD = """SELECT idem_key, min(seq - part) FROM events INDEXED BY events_key WHERE idem_key IS NOT NULL
GROUP BY idem_key HAVING min(seq - part) <> max(seq - part)"""
_AGAIN = "SELECT min(seq) FROM events INDEXED BY events_key WHERE idem_key = ? AND seq - part > ?"
_INDEXED = "SELECT count(*) FROM events INDEXED BY events_key WHERE idem_key IS NOT NULL"

_decode_lines: Callable[[bytes], list[Any]] = msgspec.json.Decoder(Envelope | Event).decode_lines
_ODD = (*UNREADABLE, TypeError, ValueError, KeyError, OverflowError)


class _Audit:
    """One pass over a log: what it holds is what the events so far allow."""

    def __init__(self, *, deep: bool) -> None:
        self.deep = deep
        self.previous, self.log_id = b"", ""
        self.legality = Legality()
        self.signatures: list[Signature] = []
        self.seq = self.at = self.epoch = self.keyed = self.compared = 0
        self.part = -1
        self.snapshots: dict[int, tuple[bytes, bytes, bytes]] = {}
        self.again: Fault | None = None
        self.fold_until = 0
        self.state = State()

    def first_fault(self, path: Path, published: Head | None) -> Fault | None:
        """Audit the log at *path*."""
        reader = None
        try:
            self.reader = reader = open_reader(path)
            self._begin()
            self._events()
            self._hold_against(published)
            self._writer()
            self._snapshots()
            self._guards()
        except _Found as found:
            known = [fault for fault in (found.fault, self.again) if fault is not None]
            return min(known, key=lambda fault: fault.seq)
        except LogCorrupt as exc:
            return Fault(exc.seq, exc.what, _DAMAGED)
        except schema.FAULTS as exc:
            problem = translated(exc, path, self.seq + 1)
            if isinstance(problem, LogCorrupt):
                return Fault(problem.seq, problem.what, _DAMAGED)
            raise problem from exc
        finally:
            if reader is not None:
                reader.close()
        return None

    def _begin(self) -> None:
        meta = self.reader.execute(schema.META).fetchone()
        self.previous = genesis_of(meta)
        self.log_id = meta[0]
        self.legality = Legality(self.log_id)
        self.snapshots = {row[0]: row[1:] for row in self.reader.execute(_SNAPSHOTS)}
        self.fold_until = max(self.snapshots, default=0) if self.deep else 0
        self.again = self._keys()

    def _events(self) -> None:
        with closing(read_ahead(self.reader, 0)) as batches:
            for batch in batches:
                if not self._quick(batch):
                    self._one_by_one(batch.last)
        if self.again is not None:
            raise _Found(self.again.seq, self.again.what, self.again.meaning)
        if self.reader.execute(_INDEXED).fetchone()[0] < self.keyed:
            raise _Found(0, "the index of idempotency keys lacks some that events have", _DAMAGED)

    def _quick(self, batch: Batch) -> bool:
        """Take in a batch of events of current schemas; False from the first that is anything other than expected."""
        # Locals, and each check written out: this loop is nearly all of an audit.
        seq, part, at, epoch, previous = self.seq, self.part, self.at, self.epoch, self.previous
        tags, schemas, sha, fault, signed = TAGS, SCHEMAS, sha256, self.legality.fault, HeadSigned
        lines: list[Any] = []
        try:
            lines = _decode_lines(b"\n".join(batch.covered))
            if not lines or len(lines) != 2 * len(batch.covered):
                return False
            for line, stored, envelope, event in zip(batch.covered, batch.stored, lines[::2], lines[1::2], strict=True):
                number, nth, tag, version, trial, recorded, _, _, _, _, cause, _, key, written = envelope
                digest = sha(previous + line).digest()
                kind = type(event)
                if (
                    number != seq + 1
                    or digest != stored
                    or tags[kind] != tag
                    or schemas[tag] != version
                    or (nth and nth != part + 1)
                    or recorded < at
                    or written < epoch
                    or (trial is not None and event.trial != trial)
                    or (cause is not None and not 0 < cause < number)
                    or kind is signed
                    or fault(event)
                ):
                    return False
                seq, part, at, epoch, previous = number, nth, recorded, written, digest
                if key is not None:
                    self.keyed += 1
        except (*_ODD, AttributeError):
            return False
        finally:
            taken = seq - self.seq
            self.seq, self.part, self.at, self.epoch, self.previous = seq, part, at, epoch, previous
            if seq - taken < self.fold_until:
                for nth_event in range(taken):
                    envelope, event = lines[2 * nth_event], lines[2 * nth_event + 1]
                    self._fold(envelope[0], event, envelope[5])
        return True

    def _one_by_one(self, last: int) -> None:
        """Take in what the quick way did not: for upcasters, signatures, or the right words of a fault."""
        for row in self.reader.execute(_ROWS, (self.seq, last)):
            self._one(row)

    def _one(self, row: tuple[Any, ...]) -> None:
        seq, nth, tag, version, trial, at, _, actor, role, _, _, _, key, epoch, payload, stored = row
        if seq != self.seq + 1:
            raise _Found(self.seq + 1, f"it is missing: event {seq} comes next", _MISSING)
        try:
            next(verified((row,), self.seq, self.previous))
        except LogCorrupt as exc:
            raise _Found(seq, exc.what, _CHANGED) from exc
        self._in_order(row)
        try:
            event = decode(tag, version, payload, seq=seq)
        except LogTooNew as exc:
            raise _Found(seq, f"it is {tag!r} with schema {version}, which is not known", _NEWER) from exc
        if trial is not None and getattr(event, "trial", None) != trial:
            raise _Found(seq, f"its envelope names trial {trial}, its payload another", _ORDER)
        if wrong := self.legality.fault(event):
            raise _Found(seq, wrong, _ORDER)
        if isinstance(event, HeadSigned):
            self._signed(seq, at, actor, role, event)
        self._fold(seq, event, at)
        self.seq, self.part, self.at, self.epoch, self.previous = seq, nth, at, epoch, stored
        self.keyed += key is not None

    def _fold(self, seq: int, event: Event, at: int) -> None:
        """Follow the state as far as there are snapshots to compare; one of another version is no witness."""
        if seq > self.fold_until:
            return
        self.state = evolve(self.state, event, at)
        if seq in self.snapshots:
            kept = unpack(self.snapshots[seq][1])
            if kept is not None and kept != self.state:
                raise _Found(seq, "the snapshot here is not the state that the events give", _DERIVED)

    def _in_order(self, row: tuple[Any, ...]) -> None:
        seq, nth, at, cause, epoch = row[0], row[1], row[5], row[10], row[13]
        if nth and nth != self.part + 1:
            raise _Found(seq, f"it is part {nth} of its request, and the event before it is part {self.part}", _ORDER)
        if at < self.at:
            raise _Found(seq, f"it was recorded {self.at - at} µs before the event before it", _ORDER)
        if epoch < self.epoch:
            raise _Found(seq, f"its writer's epoch is {epoch}, and epoch {self.epoch} had begun", _ORDER)
        if cause is not None and not 0 < cause < seq:
            raise _Found(seq, f"it names event {cause} as its cause, which does not come before it", _ORDER)

    def _signed(self, seq: int, at: int, actor: str, role: str | None, event: HeadSigned) -> None:
        """What was signed is a head that stands before the signature."""
        if not actor.startswith("user:"):
            raise _Found(seq, f"it is signed by {actor}, who is no person", _SIGNATURE)
        if not 0 < event.seq < seq:
            raise _Found(seq, f"{actor} signed event {event.seq}, which was yet to come", _SIGNATURE)
        there = hash_at(self.reader, event.seq)
        if there.hex() != event.hash:
            what = f"{actor} signed event {event.seq} with the hash {event.hash}, and it has {there.hex()}"
            raise _Found(seq, what, _SIGNATURE)
        self.signatures.append(Signature(seq, at, actor, role, event.meaning, Head(event.seq, there)))

    def _writer(self) -> None:
        row = self.reader.execute("SELECT epoch FROM writer").fetchone()
        if row is None or row[0] < self.epoch:
            written = "no writer is named" if row is None else f"its writer's epoch is {row[0]}"
            raise _Found(0, f"{written}, and events were written in epoch {self.epoch}", _DAMAGED)

    def _keys(self) -> Fault | None:
        """A key stands for one request; the index gives them in order, so that none need be remembered."""
        twice = [
            (self.reader.execute(_AGAIN, (key, first)).fetchone()[0], key, first)
            for key, first in self.reader.execute(_SPREAD).fetchall()
        ]
        if not twice:
            return None
        seq, key, first = min(twice)
        return Fault(seq, f"its idempotency key {key!r} stands for the request at event {first}", _ORDER)

    def _snapshots(self) -> None:
        for seq, (log_hash, state, state_hash) in self.snapshots.items():
            if hash_at(self.reader, seq) != log_hash:
                raise _Found(seq, "the snapshot here is of another history", _DERIVED)
            if sha256(state).digest() != state_hash:
                raise _Found(seq, "the snapshot here was changed after it was taken", _DERIVED)
            self.compared += 1

    def _guards(self) -> None:
        """The tables were looked at when the file was opened; here the triggers."""
        objects = {sql for (sql,) in self.reader.execute(schema.OBJECTS)}
        for trigger in schema.TRIGGERS:
            if trigger not in objects:
                raise _Found(0, f"the trigger {trigger.split()[2]} is missing or was changed", _GUARDS)

    def _hold_against(self, published: Head | None) -> None:
        """Find a head that was published in the chain."""
        if published is None:
            return
        log_id = getattr(published, "log_id", "")
        if log_id and log_id != self.log_id:
            what = f"the head published is of the log {log_id}, and this is {self.log_id}"
            raise _Found(0, what, "One of them is not the one meant, or the log was replaced.")
        if published.seq > self.seq:
            what = f"the log ends at event {self.seq}, and the head published is event {published.seq}"
            raise _Found(self.seq + 1, what, _TRUNCATED)
        there = hash_at(self.reader, published.seq)
        if there != published.hash:
            what = f"it has the hash {there.hex()}, and the head published has {published.hash.hex()}"
            raise _Found(published.seq, what, _REWRITTEN)
