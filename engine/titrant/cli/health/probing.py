"""What the runners and metrics of an experiment file say of themselves: they connect, look, and start nothing."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Iterable
from pathlib import Path
from typing import Any

import anyio

from titrant.cli.health.finding import Finding, Findings

PROBE_SECONDS = 15.0


def probed(path: Path) -> Findings:
    """Ask everything the file names that has a ``probe``, all at once."""
    from titrant.definition import load  # noqa: PLC0415  # the engine, only where there is a file
    from titrant.definition.connecting import attempt  # noqa: PLC0415

    connected, _ = attempt(load(path))
    named = [("runner", one) for one in connected.runners] + [("metric", one) for one in connected.metrics]
    asked = [(f"{kind} {one.name!r}", one.probe) for kind, one in named if callable(getattr(one, "probe", None))]
    if asked:
        yield from anyio.run(_all, asked)


async def _all(asked: list[tuple[str, Any]]) -> list[Finding]:
    found: list[list[Finding]] = [[] for _ in asked]

    async def one(at: int, name: str, probe: Any) -> None:
        found[at] = await _one(name, probe)

    async with anyio.create_task_group() as tasks:
        for at, (name, probe) in enumerate(asked):
            tasks.start_soon(one, at, name, probe)
    return [finding for some in found for finding in some]


async def _one(name: str, probe: Any) -> list[Finding]:
    """Whatever a probe does, the doctor goes on."""
    try:
        with anyio.fail_after(PROBE_SECONDS):
            told = (
                probe()
                if inspect.iscoroutinefunction(probe)
                else await anyio.to_thread.run_sync(probe, abandon_on_cancel=True)
            )
            told = await told if inspect.isawaitable(told) else told
            return [Finding(one.level, f"{name}: {one.what}", one.remedy) for one in await _listed(told)]
    except TimeoutError:
        return [Finding("fail", f"{name}: nothing came within {PROBE_SECONDS:g} s", "check power, cable and address")]
    except Exception as exc:  # noqa: BLE001  # foreign code
        return [Finding("fail", f"{name}: its probe failed: {type(exc).__name__}: {exc}", "mend the runner's `probe`")]


async def _listed(told: Any) -> list[Any]:
    if isinstance(told, AsyncIterable):
        return [one async for one in told]
    return list(told) if isinstance(told, Iterable) else []
