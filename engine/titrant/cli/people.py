"""Who asks, in which role and why: ``--by``, ``--role`` and ``-m`` as the engine takes them."""

from __future__ import annotations

from titrant.cli.errors import BadInput
from titrant.messages.commands import By


def asked_by(by: str | None, role: str | None = None, reason: str = "") -> By:
    """Who asks: ``kim`` is ``user:kim``; ``user:kim`` and ``agent:planner`` stay as they are; the login where None.

    Raises:
        BadInput: The name is empty, or claims to be a part of the engine.
    """
    return By(actor(by), (role or "").strip() or None, reason.strip() or None)


def actor(by: str | None) -> str:
    """The actor alone; see ``asked_by``."""
    if by is None:
        from titrant.api.base import by as me  # noqa: PLC0415  # not for --help

        return me().actor
    kind, colon, name = by.partition(":")
    if not colon:
        kind, name = "user", by
    if not name.strip():
        raise BadInput("--by needs a name, such as kim or agent:planner")
    if kind not in {"user", "agent"}:
        raise BadInput(f"--by {by}: a person is user:NAME (or NAME alone), a program agent:NAME; {kind!r} is neither")
    return f"{kind}:{name.strip()}"


def needed(reason: str, what: str) -> str:
    """The reason, where there must be one.

    Raises:
        BadInput: It is empty.
    """
    if not reason.strip():
        raise BadInput(f"{what} needs a reason, which stays in the log: -m 'why'")
    return reason.strip()
