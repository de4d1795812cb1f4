"""Functions that are named in a configuration."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from titrant_adapters.shape.config import bad


def check_name(field: str, value: str) -> None:
    """Hold a name against the form ``module:name``.

    Raises:
        ConfigurationError: It has another.
    """
    parts = value.replace(":", ".", 1).split(".")
    if value.count(":") != 1 or not all(part.isidentifier() for part in parts):
        raise bad(field, value, "write module:name")


def function_named(field: str, value: str) -> Callable[..., Any]:
    """The function of a name.

    Raises:
        ConfigurationError: There is no such thing, or it cannot be called.
    """
    module, _, name = value.partition(":")
    try:
        found: Any = import_module(module)
        for step in name.split("."):
            found = getattr(found, step)
    except (ImportError, AttributeError) as exc:
        raise bad(field, value, f"it cannot be imported: {exc}") from exc
    if not callable(found):
        raise bad(field, value, "it is no function")
    return found  # type: ignore[no-any-return]
