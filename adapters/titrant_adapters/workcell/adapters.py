"""Adapters by name, as an experiment file names them."""

from __future__ import annotations

import difflib
import inspect
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from titrant_adapters.shape import AdapterRunner, bad

GROUP = "titrant.runners"


def installed() -> dict[str, str]:
    """Names of all runners that are installed, with where they are."""
    return {one.name: one.value for one in entry_points(group=GROUP)}


def adapter_named(use: str) -> type[AdapterRunner[Any]]:
    """The class of an adapter.

    Args:
        use: An entry point's name, or ``module:Class``.

    Raises:
        ConfigurationError: There is none of that name, or it is no adapter.
    """
    target = use
    if ":" not in use:
        found = installed()
        if use not in found:
            close = difflib.get_close_matches(use, found, 1)
            told = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(found))}"
            raise bad("use", use, f"no adapter is called so: {told}")
        target = found[use]
    module, _, name = target.partition(":")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as exc:
        raise bad("use", use, f"it cannot be imported: {exc}") from exc
    if not (inspect.isclass(kind) and issubclass(kind, AdapterRunner)):
        raise bad("use", use, 'it is no adapter; a function of yours is one with use = "callable"')
    return kind
