"""The commands, in the order in which people meet them; read for ``--help`` without importing any of them."""

from __future__ import annotations

from typing import NamedTuple

START = "Start"
LOOK = "Look"


class Entry(NamedTuple):
    """A command: its name, where ``--help`` lists it, the module in ``titrant.cli``, and its docstring's first line."""

    name: str
    panel: str
    module: str
    help: str


TABLE = (
    Entry("ls", LOOK, "ls", "List the logs in a folder: trials, the best so far, and whether somebody runs them."),
)
