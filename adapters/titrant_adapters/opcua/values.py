"""OPC UA's values and ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Taken = tuple[str, bool, Any]
"""An argument that a method takes: its name, whether it is an array, its type."""

NO_TIME = 1601
"""The year in which OPC UA's clock begins: a time that was never written."""
WHOLE = ("SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64")


def plain(ua: Any, read: Any) -> Any:
    """What was read, as a number or text; nothing, and no time, are the empty text."""
    value = read.Value.Value if read.Value is not None else None
    if isinstance(value, ua.LocalizedText):
        return value.Text or ""
    if isinstance(value, datetime):
        return "" if value.year <= NO_TIME else value.isoformat()
    return "" if value is None else value


def variant(ua: Any, value: Any, kind: Any) -> Any:
    """A value in the type that is wanted for it."""
    if isinstance(value, list | tuple):
        return ua.Variant(list(value), kind, is_array=True)
    if value is None:
        return ua.Variant(None, kind)
    if kind.name in WHOLE:
        value = int(value)
    elif kind.name in ("Float", "Double"):
        value = float(value)
    elif kind.name == "Boolean":
        value = bool(value)
    return ua.Variant(value, None if kind.name == "Variant" else kind)


def variants(ua: Any, values: Sequence[Any] | Mapping[str, Any], taken: Sequence[Taken]) -> list[Any]:
    """What a method is called with."""
    if isinstance(values, Mapping):
        values = [values.get(name, [] if many else None) for name, many, _ in taken]
    return [variant(ua, value, kind) for value, (_, _, kind) in zip(values, taken, strict=True)]
