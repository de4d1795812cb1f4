"""State from a log: the newest snapshot that fits, then the events after it, folded."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from rpds import HashTrieMap

from titrant.log.base import EventLog
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.closed import ClosedTrials
from titrant.rules.evolve import evolve
from titrant.rules.state import State, compact

STATE_SCHEMA = 3
"""Raised whenever a field of the state changes its meaning: snapshots of another number are ignored."""


def pack(state: State) -> bytes:
    """The state as bytes; derived data, never used in an audit."""
    return _ENCODER.encode((STATE_SCHEMA, replace(state, open=HashTrieMap(dict(state.open)))))


def unpack(data: bytes) -> State | None:
    """The state of ``pack``, or None if it was made by another version."""
    try:
        schema, state = _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None
    return replace(state, open=compact(state.open)) if schema == STATE_SCHEMA else None


def load_state(log: EventLog) -> tuple[State, int, int]:
    """The state, the sequence number of the last event and its time (microseconds since 1970 UTC; 0 if empty).

    Raises:
        LogCorrupt: The log is damaged.
    """
    state, seq, at = State(), 0, 0
    snapshot = log.load_snapshot()
    if snapshot is not None and (kept := unpack(snapshot[1])) is not None:
        state, seq = kept, snapshot[0]
        at = next(record.recorded_at for record in log.read(seq - 1, seq))
    for number, recorded_at, event in log.scan(seq):
        state = evolve(state, event, recorded_at)
        seq, at = number, recorded_at
    return state, seq, at


# A map says of itself what it holds, since its type says nothing at run time.
_KINDS: dict[str, Any] = {
    "trials": dict[int, Trial],
    "counts": dict[TrialStatus, int],
    "slots": dict[str, int],
    "reasons": dict[str, str],
    "empty": dict[str, str],
}


def _enc(value: Any) -> Any:
    if not isinstance(value, HashTrieMap | ClosedTrials):
        raise NotImplementedError(f"a state holds no {type(value).__name__}")
    content = dict(value.items())
    first = next(iter(content.items()), None)
    match first:
        case None:
            kind = "empty"
        case (_, Trial()):
            kind = "trials"
        case (TrialStatus(), _):
            kind = "counts"
        case (_, int()):
            kind = "slots"
        case _:
            kind = "reasons"
    return kind, content


def _dec(wanted: Any, value: Any) -> Any:
    kind, content = value
    found = msgspec.convert(content, _KINDS[kind], builtin_types=())
    return ClosedTrials.of(found) if wanted is ClosedTrials else HashTrieMap(found)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_enc)
_DECODER = msgspec.msgpack.Decoder(tuple[int, State], dec_hook=_dec)
