"""What is seen of the steps before anything begins: that they fit together, and who answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import anyio

from titrant.ports import Finding
from titrant_adapters.shape import bad
from titrant_adapters.workcell.parts import Part


def check_parts(parts: Iterable[Part], workcell: type) -> None:
    """Hold steps against each other: no two give data of one name, and none is a workcell itself.

    Raises:
        ConfigurationError: They do not fit.
    """
    given: dict[str, Part] = {}
    for part in parts:
        if isinstance(part.adapter, workcell):
            raise bad(f"{part.where}: use", part.step.use, "a workcell is no step of another: write its steps here")
        for name in part.gives:
            if name in given:
                told = f"{given[name].where} measures it too: write prefix or rename"
                raise bad(f"{part.where}: measure", name, told)
            given[name] = part


async def probed(parts: Mapping[str, Part]) -> list[Finding]:
    """Ask the adapters of all steps at once."""
    found: dict[str, list[Finding]] = {}

    async def ask(part: Part) -> None:
        try:
            told = await part.adapter.probe()
        except Exception as exc:  # noqa: BLE001  # an adapter's; the others are asked all the same
            told = [Finding("fail", f"its probe failed: {exc!r}", "mend the adapter's `probe`")]
        found[part.name] = [Finding(one.level, f"{part.where}: {one.what}", one.remedy) for one in told]

    async with anyio.create_task_group() as tasks:
        for part in parts.values():
            tasks.start_soon(ask, part)
    return [one for name in parts for one in found[name]]
