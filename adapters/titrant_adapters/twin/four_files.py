"""The lab twin as a platform that is driven by four files, as Chemspeed's are: command, response, return, status.

``run`` takes a value for each of the lab's inputs in their order, and returns the outputs; ``safe_state`` does what it
says; whatever else is asked for is over at once.  ``status.csv`` has what was carried out last.  Every file is written
in place, as AutoSuite does it: who reads at the wrong moment sees half of it.
"""

from __future__ import annotations

from pathlib import Path

import anyio

from titrant_adapters.twin.answers import Refused, Unknown
from titrant_adapters.twin.lab import LabTwin
from titrant_adapters.twin.ledger import Value

PACE_S = 0.005
END = "end"


async def serve_four_files(
    lab: LabTwin, folder: Path, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Do what is written into *folder*, until cancelled."""
    for name, cells in {
        "command": ["0", "none"],
        "response": ["1", END],
        "return": [END],
        "status": [*(str(one.initial) for one in lab.physics.inputs), END],
    }.items():
        await _write(folder, name, cells)
    task_status.started()
    while True:
        first, _, second = (await _read(folder)).partition("\n")
        flag, _, name = first.partition(",")
        if flag == "1" and second.rstrip().endswith(END):
            await _write(folder, "response", ["0", END])
            await _write(folder, "command", ["0", name])
            await _do(lab, folder, name, second.strip().split(",")[:-1])
            await _write(folder, "response", ["1", END])
        await anyio.sleep(PACE_S)


async def _do(lab: LabTwin, folder: Path, name: str, words: list[str]) -> None:
    if name == "safe_state":
        lab.safe_state()
    if name != "run":
        return
    inputs = [one.name for one in lab.physics.inputs]
    try:
        run = lab.start("", dict(zip(inputs, map(_value, words), strict=False)))
    except (Refused, Unknown):  # there is no word for it
        return
    fault = lab.faults.of_reply("start")
    with lab.replying():
        run = await lab.runs.finish(run.number)
        if run.state != "done" or (fault is not None and fault.kind == "mute"):
            return
        if fault is not None and fault.seconds:
            await anyio.sleep(fault.seconds)
        await _write(folder, "status", [*(str(run.conditions[one]) for one in inputs), END])
        told = [str(run.values.get(one.name, float("nan"))) for one in lab.physics.outputs]
        if fault is not None and fault.kind == "drop":  # the share is away, and what was returned is there afterwards
            away = await anyio.Path(folder).rename(folder.with_name(f"{folder.name}.away"))
            await anyio.sleep(20 * PACE_S)
            await away.rename(folder)
        for _ in range(2 if fault is not None and fault.kind == "duplicate" else 1):
            await _write(folder, "return", told if fault is not None and fault.kind == "half_frame" else [*told, END])


async def _read(folder: Path) -> str:
    try:
        return await anyio.Path(folder, "command.csv").read_text(encoding="utf-8")
    except FileNotFoundError:  # it is being put there
        return ""


async def _write(folder: Path, name: str, cells: list[str]) -> None:
    async with await anyio.open_file(folder / f"{name}.csv", "w", encoding="utf-8") as file:
        for cell in cells[:-1]:
            await file.write(f"{cell},")
            await file.flush()
            await anyio.sleep(PACE_S)
        await file.write(f"{cells[-1]}\n")


def _value(text: str) -> Value:
    try:
        return float(text)
    except ValueError:
        return text
