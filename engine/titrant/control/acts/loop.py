"""Acts on the closed loop and its runners, and how things stand."""

from __future__ import annotations

from typing import Any

from titrant.api.base import by as acting
from titrant.api.calls import Calls
from titrant.control import arguments as a
from titrant.control.acts.table import act
from titrant.control.status import status
from titrant.errors import ConfigurationError
from titrant.messages import commands as c

NO_RUN = "no run is under way"


@act("pause", a.Arguments)
async def _pause(client: Calls, given: a.Arguments) -> None:
    """Start no new trials; what runs goes on."""
    await client.pause(given.reason)


@act("unpause", a.Arguments)
async def _unpause(client: Calls, given: a.Arguments) -> None:
    """Start new trials again."""
    await client.unpause(given.reason)


@act("drain", a.Arguments)
async def _drain(client: Calls, given: a.Arguments) -> str | None:
    """Finish what runs, start nothing new, then end the run."""
    if client.state.run is None:
        return f"{NO_RUN}: there is nothing to drain"
    await client.drain(given.reason)
    return None


@act("stop", a.Arguments)
async def _stop(client: Calls, given: a.Arguments) -> str | None:
    """Stop what runs, bring instruments into their safe states, end the run."""
    if client.state.run is None and not client.engine.lab.instruments:
        return f"{NO_RUN}: there is nothing to stop"
    await client.stop(given.reason)
    return None


@act("halt", a.Arguments)
async def _halt(client: Calls, given: a.Arguments) -> dict[str, Any]:
    """Safe state everywhere at once, latched until reset; not an emergency stop."""
    alone = not client.engine.lab.instruments
    reached, failed = await client.halt(given.reason)
    answer: dict[str, Any] = {"reached": reached, "failed": failed}
    if alone:
        answer["warning"] = "no runner is connected here: no instrument was brought into its safe state"
    return answer


@act("reset", a.Arguments)
async def _reset(client: Calls, given: a.Arguments) -> None:
    """Release the latch of a halt; starts nothing."""
    await client.reset(given.reason)


@act("restore", a.OfRunner)
async def _restore(client: Calls, given: a.OfRunner) -> None:
    """Use a quarantined runner again."""
    _require_runner(client, given.name)
    await client.restore_runner(given.name, given.reason)


@act("quarantine", a.OfRunner)
async def _quarantine(client: Calls, given: a.OfRunner) -> None:
    """Give a runner no more trials until it is restored."""
    _require_runner(client, given.name)
    reason = given.reason or "quarantined on request"
    await client.engine.do(c.QuarantineRunner(name=given.name, reason=reason), acting(reason=reason))


def _require_runner(client: Calls, name: str) -> None:
    if client.state.runner(name) is None:
        names = ", ".join(repr(spec.name) for spec in client.state.runners) or "none"
        raise ConfigurationError(f"there is no runner {name!r}: there are {names}")


@act("status", a.Arguments)
async def _status(client: Calls, _given: a.Arguments) -> dict[str, Any]:
    """Say how things stand; changes nothing."""
    return status(client.state, client.engine.supervisor.durable_seq)
