"""Reports that an instrument writes by itself, as a metric: HPLC, plate readers, whatever comes later than the run.

::

    [[metrics]]
    name = "purity"
    use = "file_drop"
    with.results = "//hplc/out"
    with.result = "*{run}*.csv"
    with.column = "area_percent"
    with.end = "#END"

The run is over meanwhile, and its place is free for the next one.  ``{run}`` is the name that the runner recorded for
the run, ``{trial}`` the trial's number, any other name an entry of what the runner recorded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
from msgspec import Meta

from titrant.errors import RunnerError
from titrant.ports import Finding
from titrant.runtime.calls import RetryPolicy
from titrant_adapters.shape import AdapterMetric, Config, Errors, Seconds, Start, bad, from_json, from_table
from titrant_adapters.shape.documents import number
from titrant_adapters.shape.folders import Arrival, check_encoding, file_name, folder_in, holes_in, matching, touch

NAMES = ("key", "job", "name", "id", "uuid")
"""Under which runners record what a run is called, the best first: those that we gave it ourselves."""


class FileReportConfig(Config, frozen=True, kw_only=True):
    """Where reports come from, and what stands in them.

    Attributes:
        results: The folder that the instrument writes into.
        result: The name of a report, with ``*`` for what the instrument adds.
        column: The column of the table, or the field of the JSON object, that holds the value.
        row: The column that says which run a row belongs to; the table has one row where empty.
        status: The column that says how it ended; none where empty.
        done: What stands there if it ended well.
        end: What a whole report ends with; where empty it is whole once ``stable`` readings agree.
        stable: See ``end``.
        delimiter: Between two cells.
        encoding: Of all files.
        poll_s: Seconds between two looks.
        timeout_s: Seconds one look may take: a share may hang.
        report_timeout_s: Seconds until a report must be there.
    """

    results: str
    result: str = "*{run}*"
    column: str
    row: str = ""
    status: str = ""
    done: tuple[str, ...] = ("done", "ok", "good")
    end: str = ""
    stable: Annotated[int, Meta(ge=1, description="1 or more")] = 3
    delimiter: Literal[",", ";", "\t"] = ","
    encoding: str = "utf-8-sig"
    poll_s: Seconds = 1.0
    timeout_s: Seconds = 10.0
    report_timeout_s: Seconds = 86_400.0

    def check(self) -> None:
        """Reports are told apart by what they are called."""
        check_encoding("encoding", self.encoding)
        named = holes_in("result", self.result)
        if not all(named) or not (named or self.row):
            raise bad("result", self.result, "write {run} or {trial} where the name of the run goes")


class FileReportMetric(AdapterMetric[FileReportConfig]):
    """Awaits the report of a run; see ``FileReportConfig``."""

    config_type = FileReportConfig
    errors = Errors({"builtins.UnicodeDecodeError": "failed"})
    retry = RetryPolicy(attempts=1)  # it has looked until its own deadline; what a report says, it says again

    def __init__(self, name: str, config: FileReportConfig | None = None, **fields: Any) -> None:
        super().__init__(name, config, **fields)
        self.call_deadline_s = self.config.report_timeout_s + 2 * self.config.timeout_s

    async def connect(self) -> None:
        """The folder is there."""
        await touch(self.config.timeout_s, folder_in, "results", self.config.results)

    async def look(self) -> AsyncIterator[Finding]:
        """How many reports there are."""
        found = await touch(self.config.timeout_s, matching, Path(self.config.results), "*")
        yield Finding("ok", f"{self.config.results} can be read; files in it: {len(found)}")

    async def read(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> float:
        """Look until the report is whole; a share that is away for a while is no end of it."""
        config, arrival = self.config, Arrival(self.config.end, self.config.stable, self.config.encoding)
        run = next((str(trial_metadata[name]) for name in NAMES if name in trial_metadata), "")
        pattern = self._pattern(trial_index, run, trial_metadata)
        with Start().within(config.report_timeout_s, f"the report {pattern}"):
            while True:
                found = b""
                with suppress(OSError):  # also of a file that the instrument holds locked
                    found = await touch(config.timeout_s, self._newest, pattern)
                if (text := arrival.whole(found)) is not None:
                    return self._value(text, run or str(trial_index))
                await anyio.sleep(config.poll_s)

    def _pattern(self, trial: int, run: str, metadata: Mapping[str, Any]) -> str:
        known = {name: file_name(str(value)) for name, value in metadata.items()} | {"trial": str(trial)}
        if run:
            known["run"] = file_name(run)
        try:
            return self.config.result.format_map(known)
        except KeyError as exc:
            told = f"the runner recorded no {exc} of trial {trial}; there are {', '.join(known)}"
            raise bad("result", self.config.result, told) from exc

    def _newest(self, pattern: str) -> bytes:
        found = matching(Path(self.config.results), pattern)
        return max(found, key=lambda one: one.stat().st_mtime).read_bytes() if found else b""

    def _value(self, text: str, key: str) -> float:
        config = self.config
        if text.lstrip().startswith("{"):
            fields = from_json(text)
        else:
            wanted = [config.column, *([config.status] if config.status else [])]
            fields = from_table(text, wanted, row=config.row, key=key, delimiter=config.delimiter)
        if config.status and str(fields.get(config.status)).strip().lower() not in map(str.lower, config.done):
            raise RunnerError(f"it ended as {fields.get(config.status)!r}")
        return number(config.column, fields.get(config.column))
