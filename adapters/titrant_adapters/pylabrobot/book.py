"""The book of a bench: what was used up, and what nobody knows; it is written before anything moves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from titrant.errors import ConfigurationError
from titrant_adapters.shape.folders import folder_in


class Page(msgspec.Struct):
    """What stands in the book.

    Attributes:
        used: Wells that took a trial, or began to: name to the trial's key.
        uncertain: Wells and sources of which nobody knows what they hold, and why.
        state: The trackers of the deck, as PyLabRobot writes them.
    """

    used: dict[str, str] = {}
    uncertain: dict[str, str] = {}
    state: dict[str, Any] = {}


class Book:
    """A page in a file.

    Attributes:
        page: Its content.
        path: Where it is.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        folder_in("book", str(self.path.parent), write=True)  # what cannot be written down must not be done
        try:
            self.page = msgspec.json.decode(self.path.read_bytes(), type=Page) if self.path.exists() else Page()
        except (OSError, msgspec.MsgspecError) as exc:
            raise ConfigurationError(f"book is {path!r}, which cannot be read: {exc}") from exc

    def write(self, state: dict[str, Any]) -> None:
        """Write it down, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        self.page.state = state
        draft = self.path.with_name(f"{self.path.name}.draft")
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(self.page))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
