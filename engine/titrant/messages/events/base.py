"""What all events have in common."""

from __future__ import annotations

import msgspec


class Fact(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="type",
    gc=False,  # frozen values make no cycles: nothing for the garbage collector to follow
):
    """The base of all events."""
