"""What all acting commands share: find the log, act in somebody's name, show the events that were written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from titrant.cli.logs import find_log
from titrant.cli.output import Shown
from titrant.cli.people import asked_by

if TYPE_CHECKING:
    from titrant.control.outcome import Outcome


def do(
    act: str,
    arguments: dict[str, Any],
    *,
    log: Path | None,
    by: str | None = None,
    role: str | None = None,
    reason: str = "",
) -> Shown:
    """Act on the experiment of a log: through the engine that runs it, or on the log where nobody holds it."""
    return shown(acted(act, arguments, log=log, by=by, role=role, reason=reason))


def acted(
    act: str,
    arguments: dict[str, Any],
    *,
    log: Path | None,
    by: str | None = None,
    role: str | None = None,
    reason: str = "",
) -> Outcome:
    """The same, for commands that have more to say of what came of it."""
    who = asked_by(by, role, reason)
    path = find_log(log)
    from titrant.control.caller import act_on  # noqa: PLC0415  # not for --help

    return act_on(path, act, arguments, who)


def shown(outcome: Outcome, view: str | None = None) -> Shown:
    """The events as lines, and the answer, where they do not say it, below them."""
    from titrant.cli.events import event_line  # noqa: PLC0415

    lines = [event_line(record) for record in outcome.events]
    answer = outcome.value if isinstance(outcome.value, str) else None
    told = view or answer or ("" if lines else "nothing changed: it was so already")
    return Shown({"events": outcome.events, "value": outcome.value}, "\n".join([*lines, *([told] if told else [])]))
