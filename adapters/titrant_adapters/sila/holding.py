"""Holding what a person wrote down against what a SiLA 2 server has."""

from __future__ import annotations

import anyio

from titrant_adapters.shape import bad
from titrant_adapters.sila.config import SilaConfig
from titrant_adapters.sila.server import Server


async def held(config: SilaConfig, server: Server) -> None:
    """Hold all commands, their parameters and answers against the server's own definitions.

    Raises:
        ConfigurationError: The server has something else.
    """
    for name in config.safe:
        server.named(name)
    if config.stop and set(taken := server.named(config.stop).parameters) != set(config.stop_with):
        raise bad("stop_with", sorted(config.stop_with), f"{config.stop} takes {', '.join(taken) or 'nothing'}")
    _command(config, server)
    await server.may(config.command, config.metadata)


def _command(config: SilaConfig, server: Server) -> None:
    path, command, settings = config.command, server.named(config.command), config.settings.values()
    if not hasattr(command, "intermediate_responses"):
        raise bad("command", path, "it is not observable: it has no execution that could be followed")
    sent = {*(str(one.to) for one in settings), *config.constants, *filter(None, [config.key])}
    read = {*config.measure.values(), *(str(one.read_back) for one in settings if one.read_back)}
    for field, paths, known in (
        ("settings", sent, command.parameters),
        ("measure", read, command.responses),
        ("intermediate", config.intermediate.values(), command.intermediate_responses),
    ):
        if wrong := {one.partition(".")[0] for one in paths} - set(known):
            raise bad(field, min(wrong), f"{path} has {', '.join(known) or 'none'}")
    if missing := set(command.parameters) - sent:
        raise bad("settings", sorted(sent), f"{path} also wants {', '.join(sorted(missing))}")


async def trusted(config: SilaConfig) -> bytes | None:
    """The certificate to trust; None for the system's.

    Raises:
        ConfigurationError: It cannot be read.
    """
    try:
        return await anyio.Path(config.certificate).read_bytes() if config.certificate else None
    except OSError as exc:
        raise bad("certificate", config.certificate, f"it cannot be read: {exc.strerror}") from exc
