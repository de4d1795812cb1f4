"""The ledger of physical starts: what the lab really did, kept apart from whatever it said.

With a file it outlives the process: a run whose end is not in it was lost when the lab went down.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from titrant.errors import ConfigurationError

Value = float | int | str
"""A setting or a measured value."""

RunState = Literal["running", "done", "failed", "stopped", "lost"]


class Start(msgspec.Struct, frozen=True, kw_only=True, tag="start"):
    """A run began physically.

    Attributes:
        number: Its number, from 1.
        key: The key it was asked for with; empty where the protocol has none.
        conditions: What is really carried out.
        at: Seconds of the lab's clock.
    """

    number: int
    key: str
    conditions: dict[str, Value]
    at: float


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end"):
    """A run ended.

    Attributes:
        number: Which.
        state: How.
        values: Output to measured value; empty where there is none to believe.
        quality: Whether these may be believed.
        reason: Why it failed.
    """

    number: int
    state: RunState
    values: dict[str, float] = {}
    quality: Literal["good", "bad"] = "good"
    reason: str = ""


class Ledger:
    """What was started and how it ended, in memory or in a file of one JSON document a line.

    Attributes:
        all_starts: In their order.
        ends: By number.
        watch: Called with each entry, for whoever wants to look on.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.watch: Callable[[Start | End], None] | None = None
        self.all_starts: list[Start] = []
        self.ends: dict[int, End] = {}
        if path is not None and path.exists():
            self._read(path)

    def starts(self, key: str | None = None) -> int:
        """How many physical starts there were, of one key or of all."""
        return sum(key in (None, start.key) for start in self.all_starts)

    def begin(self, key: str, conditions: Mapping[str, Value], at: float) -> Start:
        """Enter a start; it is in the file before anything moves."""
        start = Start(number=len(self.all_starts) + 1, key=key, conditions=dict(conditions), at=at)
        self.all_starts.append(start)
        self._append(start)
        return start

    def end(self, end: End) -> None:
        """Enter how a run ended."""
        self.ends[end.number] = end
        self._append(end)

    def _append(self, entry: Start | End) -> None:
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        if self.watch is not None:
            self.watch(entry)

    def _read(self, path: Path) -> None:
        # The last line may have been cut short by a kill; what it was to say had not been promised to anyone.
        *lines, cut = path.read_bytes().split(b"\n")
        try:
            for line in lines:
                entry: Start | End = msgspec.json.decode(line, type=Start | End)
                if isinstance(entry, Start):
                    self.all_starts.append(entry)
                else:
                    self.ends[entry.number] = entry
        except msgspec.MsgspecError as exc:
            raise ConfigurationError(f"{path} is no ledger of a lab twin: {exc}") from exc
        if cut:
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size - len(cut))
