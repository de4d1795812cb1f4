"""Instruments that take orders and give results as files: HPLC, plate readers, Chemspeed, whatever watches a folder.

::

    [[runners]]
    use = "file_drop"
    with.orders = "//hplc/in"
    with.results = "//hplc/out"
    with.order = "{key}.csv"
    with.result = "*{key}*.csv"
    with.end = "#END"
    with.settings.temperature = { to = "T_C", read_back = "T_actual", tolerance = 0.5 }
    with.measure.purity = "area_percent"

Folders are listed and files read anew each time, since a network share tells nobody of what others write there.  A file
does not say whether it was seen: an order nobody answers is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
from msgspec import Meta

from titrant.errors import RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.shape import (
    Course,
    Errors,
    Seconds,
    WrittenConfig,
    WrittenRunner,
    bad,
    from_json,
    from_table,
    to_text,
)
from titrant_adapters.shape.folders import Arrival, drop, file_name, folder_in, matching, touch

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
        """Names of files are told apart by the run's key."""
        super().check()
        for name in ("order", "result", "failed", "refused"):
            value = getattr(self, name)
            if (value or name in ("order", "result")) and "{key}" not in value:
                raise bad(name, value, "write {key} where the name of the run goes")
            if Path(value).name != value:
                raise bad(name, value, "give a name without a folder")


class FileDropRunner(WrittenRunner[FileDropConfig]):
    """Drops orders and awaits results; see ``FileDropConfig``."""

    config_type = FileDropConfig
    errors = Errors({"builtins.UnicodeDecodeError": "failed", "builtins.LookupError": "misconfigured"})
    can_report_status = True
    absence_is_proof = True  # the name of an order is in the log before there is an order

    def __init__(self, config: FileDropConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.capacity = self.config.workers

    async def connect(self) -> None:
        """Both folders are there, and one can be written into."""
        config = self.config
        await touch(config.timeout_s, lambda: folder_in("orders", config.orders, write=True))
        await touch(config.timeout_s, folder_in, "results", config.results)

    async def look(self) -> AsyncIterator[Finding]:
        """Which orders nobody has taken."""
        config = self.config
        waiting = await touch(config.timeout_s, matching, config.orders, config.order.format(key="*"))
        yield Finding("ok", f"{config.orders} can be written, {config.results} can be read")
        if waiting:
            yield Finding("warn", f"{len(waiting)} orders lie in {config.orders}", "see that somebody takes them")

    async def make_safe(self) -> None:
        """Drop the file that brings the instrument into its safe state."""
        if self.config.safe:
            await self._drop(self.config.safe, "")

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Drop the order under a name that is in the log before, and await the result."""
        name = await touch(self.config.timeout_s, self._free, file_name(attempt.key))
        await course.begin({"name": name})
        await self._drop(self.config.order.format(key=name), self._text(attempt, name))
        return await self._awaited(attempt, name, course)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await the result that has the name in the log."""
        return await self._awaited(attempt, str((attempt.metadata or {})["name"]), course)

    def _free(self, name: str) -> str:
        """A name that has no answer yet: an order that was refused is given again under another."""
        patterns = [pattern for pattern in (self.config.result, self.config.failed, self.config.refused) if pattern]
        tries = 1
        while any(matching(self.config.results, pattern.format(key=f"{name}-{tries}")) for pattern in patterns):
            tries += 1
        return f"{name}-{tries}"

    def _text(self, attempt: Attempt, name: str) -> str:
        config, ordered = self.config, self.ordered(attempt)
        if config.template:
            return config.template.format(key=name, **ordered)
        return to_text(name, ordered, form=config.order, delimiter=config.delimiter)

    async def _drop(self, name: str, text: str) -> None:
        encoding = self.config.encoding.removesuffix("-sig")
        await touch(self.config.timeout_s, drop, Path(self.config.orders, name), text, encoding)

    async def _awaited(self, attempt: Attempt, name: str, course: Course) -> Result:
        """Look until there is a whole result; a share that is away for a while is no end of the run."""
        config, arrival = self.config, Arrival(self.config.end, self.config.stable, self.config.encoding)
        with course.start.within(config.run_timeout_s, f"the result {config.result.format(key=name)}"):
            while True:
                found = b""
                with suppress(OSError):  # also of a file that the instrument holds locked
                    found = await touch(config.timeout_s, self._seen, name)
                if (text := arrival.whole(found)) is not None:
                    return await self.judged(attempt, self._fields(text, name))
                await anyio.sleep(config.poll_s)

    def _seen(self, name: str) -> bytes:
        config = self.config
        for pattern, kind in ((config.refused, SubmissionRefused), (config.failed, RunnerError)):
            for told in matching(config.results, pattern.format(key=name)):
                raise kind(f"{told.name}: {told.read_text(config.encoding).strip() or 'nothing is said'}")
        found = matching(config.results, config.result.format(key=name))
        return max(found, key=lambda one: one.stat().st_mtime).read_bytes() if found else b""

    def _fields(self, text: str, name: str) -> dict[str, Any]:
        if text.lstrip().startswith("{"):
            return from_json(text)
        row, delimiter = self.config.row, self.config.delimiter
        return from_table(text, self.config.fields, row=row, key=name, delimiter=delimiter)
