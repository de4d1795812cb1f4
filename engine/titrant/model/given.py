"""What people hand over where several things are due: a single one is refused before it is taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from titrant.errors import ConfigurationError


def listed(name: str, given: Any, of: str, error: type[ConfigurationError] = ConfigurationError) -> list[Any]:
    """The things given, as a list.

    A text would be read letter by letter, and a mapping by its keys, without anybody being told.

    Args:
        name: What they are, as the caller knows them.
        given: A list of them, or whatever else can be gone through.
        of: What each is, in the plural: ``"texts"``.
        error: What is raised.

    Raises:
        ConfigurationError: (or *error*) It is a single text or mapping, or nothing that could be gone through.
    """
    if isinstance(given, str):
        raise error(f"{name} is the text {given!r}: give a list of {of}")
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise error(f"{name} is {_shown(given)}: give a list of {of}")
    return list(given)


def mapped(name: str, given: Any, to: str, error: type[ConfigurationError] = ConfigurationError) -> dict[Any, Any]:
    """The names given, with what each is mapped to.

    Args:
        name: What they are, as the caller knows them.
        given: A mapping.
        to: What it maps, in words: ``"parameter names to values"``.
        error: What is raised.

    Raises:
        ConfigurationError: (or *error*) It is no mapping.
    """
    if not isinstance(given, Mapping):
        raise error(f"{name} is {_shown(given)}: give a mapping of {to}")
    return dict(given)


def _shown(given: Any) -> str:
    return f"{given!r} ({type(given).__name__})"
