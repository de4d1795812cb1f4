"""Classes by the texts that name them, so that a library need not be imported to speak of its errors."""

from __future__ import annotations

import inspect
import sys


def led_to(name: str) -> type | None:
    """The class a text stands for, if its module is imported."""
    module, _, attribute = name.rpartition(".")
    kind = getattr(sys.modules.get(module), attribute, None)
    return kind if inspect.isclass(kind) else None


def name_of(kind: type) -> str:
    """The text that stands for a class."""
    return f"{kind.__module__}.{kind.__qualname__}"
