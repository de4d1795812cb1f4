"""Starts keepers, looks whether they live, and ends them with all that they called."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from titrant_adapters.shape import keeper
from titrant_adapters.shape.secret import Secret

LAUNCH_SECONDS = 30.0
NOBODY = b"0"


def launch(folder: Path, words: list[str], environment: Mapping[str, Secret]) -> None:
    """Have a program called by a keeper of its own."""
    command = [sys.executable, "-I", "-S", keeper.__file__, str(folder), *words]
    env = os.environ | {name: value.reveal() for name, value in environment.items()}
    nothing = subprocess.DEVNULL
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        process = subprocess.Popen(  # noqa: S603  # it is what the configuration asks for
            command, env=env, stdin=nothing, stdout=nothing, stderr=nothing, creationflags=flags
        )
        process.returncode = 0  # nobody waits for it
    else:
        subprocess.run(  # noqa: S603  # it is what the configuration asks for
            command, env=env, stdin=nothing, stdout=nothing, stderr=nothing, check=True, timeout=LAUNCH_SECONDS
        )


def taken_over(folder: Path) -> bool:
    """Make sure that a program that was not called yet never is; False where it was."""
    claim = keeper.claimed(folder)
    if claim is None:
        return _claimant(folder) == NOBODY
    os.write(claim, NOBODY)
    os.close(claim)
    return True


def alive(folder: Path) -> bool:
    """Whether a keeper is there, or about to be."""
    number = _claimant(folder)
    if not number:  # it has made the claim and not locked it yet, or not come to that
        return True
    claim = os.open(folder / keeper.CLAIM, os.O_RDWR)
    try:
        return not keeper.lock(claim)
    finally:
        os.close(claim)


def end(folder: Path, force: bool) -> None:
    """End the process group of a keeper that lives; ask it to, or do not ask."""
    if not alive(folder) or not (number := _claimant(folder)):
        return
    if sys.platform == "win32":
        kill = ["taskkill", "/T", "/F", "/PID", number.decode()]
        subprocess.run(kill, check=False, capture_output=True, timeout=LAUNCH_SECONDS)  # noqa: S603  # the keeper's number
    else:
        with suppress(ProcessLookupError):
            os.killpg(int(number), signal.SIGKILL if force else signal.SIGTERM)


def _claimant(folder: Path) -> bytes:
    with suppress(FileNotFoundError):
        return (folder / keeper.CLAIM).read_bytes()
    return b""
