"""What people and agents did, and what they signed, as rows for a page."""

from __future__ import annotations

from typing import Any

import msgspec

from titrant.export.tables import when
from titrant.log.group import Row
from titrant.messages.events import Event, HeadSigned
from titrant.model.observation import Observation

_LONG = 200  # characters of one value


class Act(msgspec.Struct, frozen=True):
    """One event of a person or an agent, in words."""

    seq: int
    at: str
    actor: str
    role: str
    what: str
    details: str
    reason: str


def act_of(row: Row, event: Event) -> Act | None:
    """The act that an event records; None where no person or agent did it."""
    if not row[7].startswith(("user:", "agent:")):
        return None
    reason = row[9] or getattr(event, "reason", "") or ""
    return Act(row[0], when(row[5]) or "", row[7], row[8] or "", row[2], _details(event), reason)


def signature_of(row: Row, event: Event) -> Act | None:
    """The signature that an event is; None where it is none."""
    if not isinstance(event, HeadSigned):
        return None
    details = f"{event.seq} {event.hash}"
    return Act(row[0], when(row[5]) or "", row[7], row[8] or "", event.meaning, details, row[9] or "")


def _details(event: Event) -> str:
    """The event's own fields, but for its reason."""
    named = [(name, getattr(event, name)) for name in event.__struct_fields__ if name != "reason"]
    return ", ".join(f"{name} {text}" for name, value in named if (text := _shown(value)))


def _shown(value: Any) -> str:
    match value:
        case None | "" | () | {}:
            return ""
        case Observation():
            text = f"{value.metric} = {value.status if value.mean is None else f'{value.mean:.6g}'}"
            return text if value.sem is None else f"{text} ± {value.sem:.3g}"
        case float():
            return f"{value:.6g}"
        case tuple() | list():
            text = "; ".join(_shown(one) for one in value)
        case dict():
            text = "; ".join(f"{key} = {_shown(one)}" for key, one in value.items())
        case msgspec.Struct():
            text = msgspec.json.encode(value).decode()
        case _:
            text = str(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
