"""An order for each trial, and the result that has its name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio

from titrant.errors import NeverSeen, RunnerError, SubmissionRefused
from titrant.model.space import SearchSpace
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.file_drop.config import FileDropConfig
from titrant_adapters.shape import Course, Errors, WrittenRunner, from_json, from_table, to_text
from titrant_adapters.shape.folders import Arrival, drop, file_name, folder_in, lay_out, matching, part_of, touch


class FileDropRunner(WrittenRunner[FileDropConfig]):
    """Drops orders and awaits results; see ``FileDropConfig``."""

    config_type = FileDropConfig
    errors = Errors({"builtins.UnicodeDecodeError": "failed", "builtins.UnicodeEncodeError": "failed"})
    can_report_status = True
    absence_is_proof = True  # the name of an order is in the log before there is an order

    def __init__(self, config: FileDropConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.capacity = self.config.workers

    def check_space(self, space: SearchSpace) -> None:
        """Hold settings and template against the search space.

        Raises:
            ConfigurationError: They do not fit.
        """
        super().check_space(space)
        if not self.config.settings:
            self.config.check_template(set(space.names) - set(self.config.ignored))

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
            await touch(self.config.timeout_s, drop, Path(self.config.orders, self.config.safe), "")

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Lay the order out, have its name in the log, drop it, and await the result."""
        seconds, encoding = self.config.timeout_s, self.config.encoding.removesuffix("-sig")
        name = await touch(seconds, self._free, file_name(attempt.key))
        order = self._order(name)
        part = await touch(seconds, lay_out, order, self._text(attempt, name), encoding)
        await course.begin({"name": name})
        await touch(seconds, part.replace, order)
        return await self._awaited(attempt, name, course)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await the result that has the name in the log.

        Raises:
            NeverSeen: The order still lies where it was written, and was not dropped.
        """
        name = str((attempt.metadata or {})["name"])
        with suppress(FileNotFoundError):
            await touch(self.config.timeout_s, part_of(self._order(name)).unlink)
            raise NeverSeen(f"the order {name} was not dropped")
        return await self._awaited(attempt, name, course)

    def _order(self, name: str) -> Path:
        return Path(self.config.orders, self.config.order.format(key=name))

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
