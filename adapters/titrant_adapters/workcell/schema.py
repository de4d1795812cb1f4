"""The JSON Schema of a workcell: of each step's ``with``, that of the adapter it uses."""

from __future__ import annotations

from typing import Any

import msgspec

from titrant.errors import ConfigurationError
from titrant_adapters.workcell.adapters import adapter_named, installed

DEFS = "#/$defs/"


def with_adapters(own: dict[str, Any], apart_from: str) -> dict[str, Any]:
    """A schema whose ``Step`` says for every adapter that is installed what ``with`` may be.

    Args:
        own: The workcell's, in which ``with`` is any object.
        apart_from: The workcell's own name, which no step may use.
    """
    found, cases = dict(own["$defs"]), []
    for use in sorted(installed().keys() - {apart_from}):
        try:
            inner = adapter_named(use).config_type.schema()
        except ConfigurationError:  # of another package, which cannot be imported here
            continue
        text = msgspec.json.encode(inner).replace(DEFS.encode(), f"{DEFS}{use}.".encode())
        inner = msgspec.json.decode(text)
        found |= {f"{use}.{name}": one for name, one in inner.pop("$defs", {}).items()}
        cases.append({"if": {"properties": {"use": {"const": use}}}, "then": {"properties": {"with": inner}}})
    return {**own, "$defs": {**found, "Step": {**found["Step"], "allOf": cases}}}
