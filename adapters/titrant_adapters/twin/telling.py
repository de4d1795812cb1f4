"""What ``titrant twin serve`` prints."""

from __future__ import annotations

from typing import Any

import msgspec
import typer

from titrant_adapters.twin.ledger import End, Start


def in_words(entry: Start | End) -> str:
    """An entry of the ledger as people read it."""
    if isinstance(entry, Start):
        settings = " ".join(f"{name}={_short(value)}" for name, value in entry.conditions.items())
        return f"run {entry.number} started" + (f" (key {entry.key})" if entry.key else "") + f": {settings}"
    values = " ".join(f"{name}={_short(value)}" for name, value in entry.values.items())
    bad = "bad quality" if entry.quality == "bad" else ""
    return f"run {entry.number} {entry.state}: {entry.reason or bad or values}"


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.5g}"


def tell(document: Any, words: str, json: bool) -> None:
    """Print a document as JSON, or what it says in words."""
    typer.echo(msgspec.json.encode(document).decode() if json else words)
