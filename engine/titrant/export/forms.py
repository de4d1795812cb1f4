"""A log in one other form: a table, lines of JSON, a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Literal

from titrant.export.lines import line_of
from titrant.export.manifest import Counts
from titrant.export.page import page
from titrant.export.tables import OBSERVATIONS, Trials, csv_lines, observations_in
from titrant.export.target import single
from titrant.export.whole import Walk
from titrant.log.heads import PublishedHead
from titrant.log.raw import RawLog

Which = Literal["trials", "observations"]


def to_jsonl(path: str | Path, to: str | Path) -> None:
    """Write every event as a line of JSON: its envelope, its payload as stored, its hash in hex.

    Raises:
        LogError: The log cannot be read, or is damaged; nothing was written.
        ExportError: There is something at *to* already, or it cannot be written.
    """
    with RawLog(path) as log, single(to) as file:
        for row, _ in log.rows():
            file.write(line_of(row))


def to_csv(path: str | Path, to: str | Path, which: Which = "trials") -> None:
    """Write the trials, or all observations ever recorded, as CSV.

    Raises:
        LogError: The log cannot be read, or is damaged; nothing was written.
        ExportError: There is something at *to* already, or it cannot be written.
    """
    with RawLog(path) as log, single(to) as file:
        for line in _csv(log, which):
            file.write(line)


def to_parquet(path: str | Path, to: str | Path, which: Which = "trials") -> None:
    """Write the trials, or all observations ever recorded, as Parquet.

    Raises:
        LogError: The log cannot be read, or is damaged; nothing was written.
        ExportError: There is something at *to* already, or it cannot be written.
        ImportError: pyarrow is not installed; the message gives the command.
    """
    from titrant.export.parquet import write_observations, write_trials  # noqa: PLC0415  an extra

    write: Callable[[IO[bytes]], None]
    if which == "trials":
        with RawLog(path) as log:
            state = walked(log).state
        write = lambda file: write_trials(state, file)  # noqa: E731  one of two
    else:
        write = lambda file: write_observations(path, file)  # noqa: E731
    with single(to) as file:
        write(file)  # type: ignore[arg-type]  # it is written only


def to_html(path: str | Path, to: str | Path) -> None:
    """Write the summary: one page that needs nothing else.

    Raises:
        LogError: The log cannot be read, or is damaged; nothing was written.
        ExportError: There is something at *to* already, or it cannot be written.
    """
    with RawLog(path) as log, single(to) as file:
        walk = walked(log)
        head = PublishedHead(walk.seq, walk.hash, log.identity.log_id)
        counts = Counts(walk.seq, walk.state.next_index, walk.observations)
        file.write(page(walk.state, walk.told, head, counts))


def _csv(log: RawLog, which: Which) -> Iterator[bytes]:
    if which == "trials":
        table = Trials(walked(log).state)
        yield csv_lines([table.columns])
        yield from (csv_lines([row]) for row in table)
        return
    yield csv_lines([OBSERVATIONS])
    for row, event in log.rows():
        if found := list(observations_in(row, event)):
            yield csv_lines(found)


def walked(log: RawLog, until: int | None = None) -> Walk:
    """Walk through a log, as far as an event or to its end.

    Raises:
        LogCorrupt: The first fault of the log.
    """
    walk = Walk(log)
    for row, _ in walk:
        if row[0] == until:
            break
    return walk
