"""What an act did."""

from __future__ import annotations

from typing import Any

import msgspec

from titrant.log.base import Record


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an act did.

    Attributes:
        events: The records it wrote, durable, in order; those that follow later from what instruments do are not among
            them.  Their hashes are left empty: the log has them.
        value: Its answer, as JSON can hold it; None where the events say all.
    """

    events: tuple[Record, ...]
    value: Any = None
