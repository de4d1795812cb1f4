"""How an act is done: its arguments checked, in somebody's name, with the events it wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from titrant.api.base import correlated
from titrant.api.calls import Calls
from titrant.control import arguments as a
from titrant.control.acts.table import ACTS
from titrant.control.outcome import Outcome
from titrant.messages.commands import By


async def perform(client: Calls, act: str, arguments: Mapping[str, Any], by: By) -> Outcome:
    """Do something to an experiment in somebody's name.

    Args:
        client: The experiment.
        act: What, by its name in ``ACTS``.
        arguments: The act's arguments, as JSON holds them.
        by: Who (``user:NAME`` or ``agent:NAME``), in which role and why; a ``reason`` among the arguments wins.

    Returns:
        The events it wrote and its answer, once they are durable.

    Raises:
        ConfigurationError: There is no such act, an argument is missing, unknown or of the wrong type, or its value
            makes no sense.
        CommandRefused: The experiment's state does not allow it.
        GenerationError: Trials were asked for and none could be made.
        LogError: The log failed.
    """
    given = a.checked(act, ACTS, arguments)
    given = msgspec.structs.replace(given, reason=given.reason or by.reason or "")
    correlation = client.engine.correlation()
    with (
        client.engine.hub.collecting(correlation) as events,
        client.acting_as(by.actor, by.role, given.reason),
        correlated(correlation),
    ):
        value = await ACTS[act].perform(client, given)
        return Outcome(events=tuple(events), value=_as_sent(value))


def _as_sent(value: Any) -> Any:
    """The answer as it is after its way through JSON, whichever way it goes."""
    return msgspec.json.decode(msgspec.json.encode(value))
