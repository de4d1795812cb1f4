"""The whole export of a log: one pass through it, then the tables and the page of the state it leads to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import IO

from titrant.errors import LogCorrupt
from titrant.export import manifest
from titrant.export.acts import act_of, signature_of
from titrant.export.lines import line_of
from titrant.export.manifest import Counts, ExportHead, Manifest
from titrant.export.page import ROWS, Told, page
from titrant.export.tables import OBSERVATIONS, Trials, Values, csv_lines, observations_in
from titrant.export.target import Target, target
from titrant.log.group import Row
from titrant.log.heads import PublishedHead
from titrant.log.raw import RawLog
from titrant.messages.events import Event, SessionOpened
from titrant.rules.evolve import evolve
from titrant.rules.state import State

TRIALS = "trials.csv"
OBSERVED = "observations.csv"
PAGE = "summary.html"
CHECKER = "verify.py"
_AT_ONCE = 500  # rows that are put into words together


def export(path: str | Path, to: str | Path, *, parquet: bool = False) -> Manifest:
    """Export a log, as it is now, with everything needed to check it without titrant.

    A folder, or a zip file where *to* ends in ``.zip``, with ``events.jsonl``, ``manifest.json``, ``trials.csv``,
    ``observations.csv``, ``summary.html`` and ``verify.py``.  The same log gives the same bytes.

    Args:
        path: The log; it may be written meanwhile.
        to: Where; there must be nothing yet.
        parquet: Whether to add both tables as Parquet too (needs ``titrant[parquet]``).

    Returns:
        The manifest that was written.

    Raises:
        LogMissing: There is no log at *path*.
        NotALog: The file is something else.
        LogCorrupt: The first fault of the log; nothing was exported.
        LogTooNew: An event is of a kind not known yet.
        LogUnavailable: The storage failed.
        ExportError: There is something at *to* already, or it cannot be written.
        ImportError: pyarrow is not installed; the message gives the command.
    """
    with RawLog(path) as log, target(to) as into:
        walk = Walk(log)
        with tempfile.TemporaryFile() as observed:
            with into.file(manifest.EVENTS) as file:
                for row, added in walk:
                    file.write(line_of(row))
                    _keep(observed, added, walk.observed_lines)
            observed.write(csv_lines(walk.observed_lines))
            head = PublishedHead(walk.seq, walk.hash, log.identity.log_id)
            counts = Counts(walk.seq, walk.state.next_index, walk.observations)
            with into.file(OBSERVED) as file:
                file.write(csv_lines([OBSERVATIONS]))
                observed.seek(0)
                while part := observed.read(1 << 20):
                    file.write(part)
        _trials(into, walk.state)
        if parquet:
            from titrant.export.parquet import into_target  # noqa: PLC0415  an extra

            into_target(into, walk.state, path)
        with into.file(PAGE) as file:
            file.write(page(walk.state, walk.told, head, counts))
        with into.file(CHECKER) as file:
            file.write(checker())
        sums = dict(into.sums)
        with into.file(manifest.NAME) as file:
            data = manifest.written(log.identity, ExportHead(head.seq, head.hash.hex()), counts, sums)
            file.write(data)
    return manifest.read(data, manifest.NAME)


def checker() -> bytes:
    """The program that checks an export and needs nothing but Python."""
    source = resources.files("titrant.export").joinpath("verify.py").read_bytes()
    return source.replace(b"\r\n", b"\n")


class Walk:
    """One pass through a log: its rows in order, and what they add up to once all were taken."""

    def __init__(self, log: RawLog) -> None:
        self._log = log
        self.state = State()
        self.told = Told()
        self.seq = 0
        self.hash = log.genesis
        self.observations = 0
        self.observed_lines: list[Values] = []

    def __iter__(self) -> Iterator[tuple[Row, list[Values]]]:
        """Each row with the observations it brought.

        Raises:
            LogCorrupt: The first fault of the log.
        """
        for row, event in self._log.rows():
            try:
                self.state = evolve(self.state, event, row[5])
            except KeyError as exc:
                raise LogCorrupt(row[0], f"{row[2]!r} does not follow from the events before it") from exc
            self._note(row, event)
            added = list(observations_in(row, event))
            self.observations += len(added)
            self.seq, self.hash = row[0], row[15]
            yield row, added

    def _note(self, row: Row, event: Event) -> None:
        told = self.told
        told.last_at = row[5]
        if row[0] == 1:
            told.first_at = row[5]
        told.sessions += isinstance(event, SessionOpened)
        act = act_of(row, event)
        if act is None:
            return
        if (signature := signature_of(row, event)) is not None:
            told.signatures.append(signature)
        elif len(told.acts) < ROWS:
            told.acts.append(act)
        else:
            told.acts_left += 1


def _keep(into: IO[bytes], added: list[Values], waiting: list[Values]) -> None:
    """Put rows aside until the file before theirs is complete: a zip file takes one at a time."""
    waiting += added
    if len(waiting) >= _AT_ONCE:
        into.write(csv_lines(waiting))
        waiting.clear()


def _trials(into: Target, state: State) -> None:
    table = Trials(state)
    with into.file(TRIALS) as file:
        file.write(csv_lines([table.columns]))
        waiting: list[Values] = []
        for row in table:
            waiting.append(row)
            if len(waiting) >= _AT_ONCE:
                file.write(csv_lines(waiting))
                waiting.clear()
        file.write(csv_lines(waiting))
