"""What the cases of adapters.py share: an adapter connected, and an instrument in another process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio

from titrant.model.trial import Attempt

HERE = Path(__file__).resolve()
POLL_S = 0.01
LIMITS = {"timeout_s": 10.0, "run_timeout_s": 60.0}
BY_NAME = {"temperature": 60.0}
T = {"temperature": {"to": "temperature"}}
SET = "temperature"

Trial = Callable[[float, str], Awaitable[Any]]
"""Carries one trial out at a temperature, under a key."""


class NotHereError(Exception):
    """What a case needs is not on this machine."""


@dataclass(frozen=True)
class Case:
    """An adapter beside the bare library.

    Attributes:
        name: Of the entry point.
        library: What the bare side calls.
        opened: Given the seconds of a run, connects both sides to one and the same instrument.
    """

    name: str
    library: str
    opened: Callable[[float], AbstractAsyncContextManager[tuple[Trial, Trial]]]
    packages: tuple[str, ...] = ()


CASES: dict[str, Case] = {}


def case(library: str, *packages: str) -> Callable[[Callable[[float], AsyncIterator[Any]]], Case]:
    """Enter a case under its function's name."""

    def entered(function: Callable[[float], AsyncIterator[Any]]) -> Case:
        found = Case(function.__name__, library, asynccontextmanager(function), packages)
        CASES[found.name] = found
        return found

    return entered


@asynccontextmanager
async def through(name: str, **fields: Any) -> AsyncIterator[Trial]:
    """An adapter, connected; what it records goes nowhere, since the log is not the adapter's cost."""
    module, _, attribute = name.partition(":")
    runner = getattr(import_module(f"titrant_adapters.{module}"), attribute)(**fields)

    async def record(_metadata: Any) -> None:
        await anyio.lowlevel.checkpoint()

    async def report(_data: Any, _progression: Any) -> None:
        await anyio.lowlevel.checkpoint()

    async def trial(value: float, key: str) -> Any:
        attempt = Attempt(trial=0, parameters={SET: value}, key=key)
        result = await runner.run(attempt, record, report)
        if result.status != "completed":
            raise AssertionError(f"{name}: {result}")
        return result.data

    async with runner:
        yield trial


@asynccontextmanager
async def server(*command: str | Path, cwd: Path | None = None) -> AsyncIterator[dict[str, Any]]:
    """Another process, so that its work is not counted; its first line says where it is."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=cwd
    )
    assert process.stdout is not None
    drained: asyncio.Task[None] | None = None
    try:
        said = await asyncio.wait_for(process.stdout.readline(), 60)
        if not said:
            raise NotHereError(f"{Path(command[0]).name} ended at once")
        drained = asyncio.create_task(_drain(process.stdout))
        yield json.loads(said)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        if drained is not None:
            await drained


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


def twin(protocol: str, seconds: float, *more: str) -> AbstractAsyncContextManager[dict[str, Any]]:
    """The lab twin behind a protocol."""
    titrant = Path(sys.executable).with_name("titrant")
    behaviour = (f"duration_s={seconds}", "noise_sd=0")
    return server(
        *(titrant, "twin", "serve", protocol, "--json"), *(word for one in behaviour for word in ("--with", one)), *more
    )


def program(name: str, package: str) -> str:
    """A program of this machine."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise NotHereError(f"there is no {name} (Debian's package {package})")
    return found
