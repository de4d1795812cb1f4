"""Nodes and values as the OPC UA server keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from titrant_adapters.twin.ledger import Value

if TYPE_CHECKING:
    from asyncua.common.node import Node


async def object_in(parent: Node, index: int, name: str) -> Node:
    """A child, which the type of *parent* may have brought along."""
    for child in await parent.get_children():
        if (await child.read_browse_name()).Name == name:
            return child
    found: Node = await parent.add_object(index, name)
    return found


def plain(value: Value) -> float | str:
    """A value of one type for good: a variable keeps that of its first."""
    return value if isinstance(value, str) else float(value)
