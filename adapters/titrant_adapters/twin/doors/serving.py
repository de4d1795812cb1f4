"""An application behind HTTP, on the loopback interface and a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from titrant_adapters.twin.doors.base import LOOPBACK, need


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[int]:
    """Serve an ASGI application by uvicorn, without its signals and its log; gives the port."""
    uvicorn = need("uvicorn")
    config = uvicorn.Config(
        app, host=LOOPBACK, port=0, lifespan="off", log_config=None, access_log=False, server_header=False
    )
    # Not serve(): it would take the process's signals and tick ten times a second.
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        port: int = server.servers[0].sockets[0].getsockname()[1]
        yield port
    finally:
        server.force_exit = True  # the lines are cut already; nobody is left to be waited for
        await server.shutdown()
