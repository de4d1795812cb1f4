"""The documents of the REST door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.runs import Run


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /runs``."""

    key: str = ""
    parameters: dict[str, Value] = {}


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``PUT /settings/{name}``."""

    value: Value


def told(run: Run) -> Mapping[str, Any]:
    """A run as it stands."""
    return msgspec.structs.asdict(run)


def described(one: msgspec.Struct) -> Mapping[str, Any]:
    """Something that is set or measured."""
    return msgspec.structs.asdict(one)
