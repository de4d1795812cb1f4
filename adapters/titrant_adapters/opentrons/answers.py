"""What an Opentrons robot answers."""

from __future__ import annotations

from typing import Any

import anyio.lowlevel

from titrant.errors import RunnerError
from titrant_adapters.shape import Setting
from titrant_adapters.shape.documents import at


class Known(dict[str, Any]):
    """What fills holes; those with slashes lead into results."""

    def __missing__(self, hole: str) -> Any:
        return at(dict(self), f"/{hole}")


def why(errors: list[Any]) -> str:
    """What errors say."""
    return "; ".join(f"{one.get('errorType')} {one.get('errorCode')}: {one.get('detail')}" for one in errors)


async def in_force(run: Any, setting: Setting) -> Any:
    """The value that a run has for the run-time parameter of a setting.

    Raises:
        RunnerError: Its protocol has no such parameter.
    """
    await anyio.lowlevel.checkpoint()
    has = {one["variableName"]: one.get("value") for one in run["runTimeParameters"]}
    if setting.read_back not in has:
        raise RunnerError(f"the protocol has no run-time parameter {setting.read_back!r}; it has {', '.join(has)}")
    return has[str(setting.read_back)]
