"""A thing that the doctor looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

Level = Literal["ok", "warn", "fail"]

MIB = 1 << 20


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at.

    Attributes:
        level: ``"ok"``, ``"warn"`` (it works, with a reservation) or ``"fail"``.
        what: What was found.
        remedy: What to do about it; empty where there is nothing to do.
    """

    level: Level
    what: str
    remedy: str = ""


Findings = Iterator[Finding]
