"""What the numbers of a suggestion may depend on besides its request: versions, the machine's kind, threads."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib import metadata

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that say how many threads the linear algebra takes."""


@cache
def own() -> dict[str, str]:
    """Versions of titrant and Python; the engine's process and its worker have the same."""
    return {"titrant": metadata.version("titrant"), "python": platform.python_version()}


@cache
def machine() -> dict[str, str]:
    """The kind of machine, not which one."""
    return {"platform": f"{platform.system()} {platform.machine()}"}


def threads() -> str:
    """How many threads the linear algebra of this process was told to take."""
    told = {name: os.environ[name] for name in THREADS if name in os.environ}
    if len(told) == len(THREADS) and len(set(told.values())) == 1:
        return next(iter(told.values()))
    return ", ".join(f"{name}={value}" for name, value in told.items()) or "as many as there are cores"
