"""Which folders and which names of files, as it is written down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from titrant_adapters.shape import Seconds, WrittenConfig, bad
from titrant_adapters.shape.folders import check_encoding, check_name, holes_in

Count = Annotated[int, Meta(ge=1, description="1 or more")]


class FileDropConfig(WrittenConfig, frozen=True, kw_only=True):
    """Where files go and come from; what is in them is told in ``WrittenConfig``.

    Attributes:
        orders: The folder that the instrument watches.
        results: The folder that it writes into.
        order: The name of an order; its ending says the form, .json or else a table.  ``{key}`` names the run.
        template: The text of an order in a form of its own: ``"RUN {key} {T_C}"``.
        result: The name of a result, with ``*`` for what the instrument adds.
        failed: The name of the file that says that a run ended badly; none where empty.
        refused: The name of the file that says that an order was not taken; none where empty.
        safe: The name of a file that brings the instrument into its safe state, once it is in ``orders``.
        end: What a complete result ends with; where empty it is complete once ``stable`` readings agree.
        stable: See ``end``.
        row: The column of the results' table that holds the key; the table has one row where empty.
        delimiter: Between two cells of a table.
        encoding: Of all files.
        workers: Orders that may wait at once.
        poll_s: Seconds between two looks.
        timeout_s: Seconds one look may take: a share may hang.
        run_timeout_s: Seconds a run may take.
    """

    orders: str
    results: str
    order: str = "{key}.json"
    template: str = ""
    result: str = "{key}.*"
    failed: str = ""
    refused: str = ""
    safe: str = ""
    end: str = ""
    stable: Count = 3
    row: str = ""
    delimiter: Literal[",", ";", "\t"] = ","
    encoding: str = "utf-8-sig"
    workers: Count = 1
    poll_s: Seconds = 0.2
    timeout_s: Seconds = 10.0
    run_timeout_s: Seconds = 86_400.0

    def check(self) -> None:
        """Names of files are told apart by the run's key, and an order is not taken for a result."""
        super().check()
        check_encoding("encoding", self.encoding)
        for field in ("order", "result"):
            check_name(field, getattr(self, field))
        for field in ("failed", "refused"):
            if name := getattr(self, field):
                check_name(field, name)
        if self.safe:
            check_name("safe", self.safe, key=False)
        if Path(self.orders) == Path(self.results) and Path(named(self.order)).match(named(self.result)):
            raise bad(
                "result", self.result, f"in one folder with {self.order} an order would be read as its own result"
            )
        if self.template and self.settings:
            self.check_template({str(one.to) for one in self.settings.values()})

    def check_template(self, sent: set[str]) -> None:
        """Hold the template against what is sent.

        Raises:
            ConfigurationError: One of them lacks a name of the other.
        """
        if not self.template:
            return
        asked = holes_in("template", self.template) - {"key"}
        if strange := asked - sent:
            raise bad(
                "template", self.template, f"nothing fills {{{min(strange)}}}; there are {', '.join(sorted(sent))}"
            )
        if lost := sent - asked:
            raise bad("template", self.template, f"write {{{min(lost)}}} where it belongs, or name it in `ignored`")


def named(pattern: str) -> str:
    """A name as it is for some run."""
    return pattern.format(key="0")
