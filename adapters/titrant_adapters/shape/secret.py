"""A text that nothing shows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from titrant.errors import ConfigurationError


class Secret:
    """A text that nothing shows: not ``repr``, no log, no JSON, no pickle.

    Args:
        text: The secret itself, ``env:NAME`` (an environment variable) or ``file:PATH`` (the first line of a file).
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret, looked up now.

        Raises:
            ConfigurationError: The variable or the file is not there.
        """
        kind, _, rest = self._text.partition(":")
        if kind == "env" and rest:
            found = os.environ.get(rest)
            if found is None:
                raise ConfigurationError(f"the environment variable {rest} is not set: set it, and start again")
            return found
        if kind == "file" and rest:
            try:
                return Path(rest).read_text(encoding="utf-8").partition("\n")[0].strip()
            except (OSError, UnicodeDecodeError) as exc:
                raise ConfigurationError(f"the secret in {rest} cannot be read: {exc}") from exc
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Secret is not pickled: give the place it comes from (env:NAME) to the other process")
