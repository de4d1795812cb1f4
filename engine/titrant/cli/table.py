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
    Entry("new", START, "new", "Write a commented experiment file to begin with."),
    Entry("check", START, "check", "Check an experiment file: types, bounds, feasibility, names, and a dry run."),
    Entry("run", START, "run", "Run the experiment in FILE; its log is made beside it."),
    Entry("resume", START, "resume", "Go on with the experiment in LOG, where it was left or killed."),
    Entry("ls", LOOK, "ls", "List the logs in a folder: trials, the best so far, and whether somebody runs them."),
)
