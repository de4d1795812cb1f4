"""Acting on a log that nobody holds: open it, act, let it go."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from titrant.api.base import acting_as
from titrant.api.calls import Calls
from titrant.control import arguments as a
from titrant.control.acts import ACTS, perform
from titrant.control.address import sweep
from titrant.control.outcome import Outcome
from titrant.control.status import status
from titrant.engine import Engine
from titrant.log.heads import head
from titrant.log.scanning import scan
from titrant.messages.commands import By
from titrant.rules.evolve import evolve
from titrant.rules.state import State
from titrant.runtime.threads import run_in_thread


async def act_alone(path: Path, act: str, arguments: Mapping[str, Any], by: By) -> Outcome:
    """Do something to the experiment of a log that no process holds; what only looks does not open it.

    Raises:
        LogMissing: There is no such log.
        LogInUse: A process holds it.
        TitrantError: Whatever the act raises.
    """
    a.checked(act, ACTS, arguments)  # this and the name, before the log is touched
    with acting_as(by.actor, by.role, by.reason):
        if act == "status":
            return Outcome(events=(), value=await run_in_thread(_look, path))
        await run_in_thread(head, path)  # a file that is no log is left without so much as a lock beside it
        async with Engine(path, create=False) as engine:
            sweep(path)  # of an engine that was killed, now that the lease is ours
            return await perform(Calls(engine), act, arguments, by)


def _look(path: Path) -> dict[str, Any]:
    state, last = State(), 0
    for seq, at, event in scan(path):
        state, last = evolve(state, event, at), seq
    return status(state, last)
