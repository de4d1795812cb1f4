"""The lab twin as an instrument that takes orders and gives results as files, as HPLC and plate readers do.

An order is ``NAME.json`` or ``NAME.csv`` with a field or column for each input; it is renamed when it is taken.  The
answer is ``NAME.result.csv``, written in place and slowly as vendors' software does, ``NAME.error`` or
``NAME.rejected``.  A name is the run's key.
"""

from __future__ import annotations

import csv
from pathlib import Path

import anyio
import msgspec
from anyio.abc import TaskGroup

from titrant_adapters.twin.answers import Refused, Unknown
from titrant_adapters.twin.faults import Fault
from titrant_adapters.twin.lab import LabTwin
from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.runs import Run

END = "#END"
PACE_S = 0.005
PIECE = 16
"""Characters that are written at a time."""


async def serve_drop_box(
    lab: LabTwin,
    orders: Path,
    results: Path,
    *,
    task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Take what comes into *orders* and answer into *results*, until cancelled."""
    task_status.started()
    async with anyio.create_task_group() as tasks:
        while True:
            for name, parameters in _taken(orders):
                await _begin(lab, name, parameters, results, tasks)
            await anyio.sleep(PACE_S)


async def _begin(lab: LabTwin, name: str, parameters: dict[str, Value], results: Path, tasks: TaskGroup) -> None:
    try:
        run = lab.start(name, parameters)
    except (Refused, Unknown) as exc:
        results.joinpath(f"{name}.rejected").write_text(str(exc), encoding="utf-8")
        return
    tasks.start_soon(_report, lab, run.number, lab.faults.of_reply("start"), results)


async def _report(lab: LabTwin, number: int, fault: Fault | None, results: Path) -> None:
    """Write what came of a run; a fault of the reply is one of the file."""
    kind = fault.kind if fault is not None else ""
    with lab.replying():
        run = await lab.runs.finish(number)
        if kind == "mute" or run.state in ("lost", "stopped"):
            return
        if run.state == "failed":
            results.joinpath(f"{run.key}.error").write_text(run.reason, encoding="utf-8")
            return
        if fault is not None and fault.seconds:
            await anyio.sleep(fault.seconds)
        text = _table(run)
        if kind == "drop":  # the share is away, and the result is there when it is back
            away = await anyio.Path(results).rename(results.with_name(f"{results.name}.away"))
            await anyio.sleep(20 * PACE_S)
            await away.rename(results)
        for _ in range(2 if kind == "duplicate" else 1):
            await _write(results / f"{run.key}.result.csv", text[: len(text) // 2] if kind == "half_frame" else text)


async def _write(path: Path, text: str) -> None:
    async with await anyio.open_file(path, "w", encoding="utf-8") as file:
        for at in range(0, len(text), PIECE):
            await file.write(text[at : at + PIECE])
            await file.flush()
            await anyio.sleep(PACE_S)


def _table(run: Run) -> str:
    good = run.quality == "good"
    values = run.values if good else dict.fromkeys(run.values, float("nan"))
    row = {"key": run.key, "status": "ok" if good else "bad", **run.conditions, **values}
    return f"report of run {run.number}\n{','.join(row)}\n{','.join(map(str, row.values()))}\n{END}\n"


def _taken(orders: Path) -> list[tuple[str, dict[str, Value]]]:
    """The orders that have come in, by name; each is told once."""
    found = sorted(path for path in orders.iterdir() if path.suffix in (".json", ".csv"))
    return [(order.stem, _parameters(order.rename(order.with_suffix(".taken")), order.suffix)) for order in found]


def _parameters(order: Path, form: str) -> dict[str, Value]:
    text = order.read_text(encoding="utf-8")
    fields = msgspec.json.decode(text) if form == ".json" else next(csv.DictReader(text.splitlines()))
    return {name: _value(value) for name, value in fields.items() if name != "key"}


def _value(value: Value) -> Value:
    try:
        return float(value)
    except ValueError:
        return value
