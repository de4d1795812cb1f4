"""Which program is called, as it is written down."""

from __future__ import annotations

import string
from typing import Annotated

from msgspec import Meta

from titrant_adapters.shape.config import Seconds, bad
from titrant_adapters.shape.written import WrittenConfig

EX_TEMPFAIL = 75
"""What sysexits.h has for "not now, try again": the one code that by custom says that nothing was done."""


class ProgramConfig(WrittenConfig, frozen=True, kw_only=True):
    """What is called, and where its result is; what the result says is told in ``WrittenConfig``.

    Attributes:
        command: The program and its arguments, as words; no shell reads them.  ``{name}`` stands for a value of the
            order, ``{folder}`` for the run's folder (with all values in ``order.json``), ``{key}`` for its name.
        runs: Where the runs' folders are made.
        result: The file in the run's folder that holds the result, as JSON or as a table; where empty, the last line of
            the output, as JSON.
        refused: Exit codes that say that nothing was done, and that it may be called again.
        rerun_safe: Whether running it twice does no harm: then a program that was killed has failed, and no more.
        workers: Runs at once.
        poll_s: Seconds between two looks at how a run stands.
        run_timeout_s: Seconds a run may take; then it is ended.
    """

    command: tuple[str, ...]
    runs: str = "runs"
    result: str = ""
    refused: tuple[int, ...] = (EX_TEMPFAIL,)
    rerun_safe: bool = False
    workers: Annotated[int, Meta(ge=1, description="1 or more")] = 1
    poll_s: Seconds = 0.1
    run_timeout_s: Seconds = 86_400.0

    def check(self) -> None:
        """The words can be filled in."""
        super().check()
        if not self.command:
            raise bad("command", self.command, 'give the program and its arguments: ["python", "model.py", "{x}"]')
        self.placeholders()

    def placeholders(self) -> set[str]:
        """What the command leaves open."""
        try:
            found = [name for word in self.command for _, name, _, _ in string.Formatter().parse(word)]
        except ValueError as exc:
            raise bad("command", list(self.command), f"{exc}; a brace itself is written twice") from exc
        if wrong := [name for name in found if name is not None and not name.isidentifier()]:
            raise bad("command", list(self.command), f"{{{wrong[0]}}} is no name; a brace itself is written twice")
        return {name for name in found if name}
