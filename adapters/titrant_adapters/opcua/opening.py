"""Opening a line to an OPC UA server: who we are, and how the line is kept from others."""

from __future__ import annotations

from typing import Any

from titrant.errors import ConfigurationError
from titrant_adapters.opcua.config import OpcUaConfig
from titrant_adapters.opcua.line import OpcUaLine
from titrant_adapters.opcua.security import secure

SESSION_MS = 60_000
"""After which a server forgets a session that nobody closed: servers have room for a few dozen."""


async def opened(asyncua: Any, config: OpcUaConfig) -> OpcUaLine:
    """Connect, log in.

    Raises:
        ConfigurationError: The server wants another channel.
    """
    client = asyncua.Client(config.url, timeout=config.timeout_s, watchdog_intervall=max(1.0, config.timeout_s))
    client.session_timeout = SESSION_MS
    if config.user:
        client.set_user(config.user)
        client.set_password(config.password.reveal() if config.password else "")
    try:
        if config.security is not None:
            await secure(client, config.security)
        await client.connect()
    except BaseException as exc:
        client.disconnect_socket()  # which the client leaves open where connecting took too long
        if "No matching endpoints" in str(exc):
            raise ConfigurationError(f"{config.url} wants a signed or encrypted channel: give `security`") from exc
        raise
    return OpcUaLine(asyncua, client)
