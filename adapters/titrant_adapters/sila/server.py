"""A SiLA 2 server as the runner sees it: what of unitelabs-sila is used, is used here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

import anyio

from titrant.errors import ConfigurationError, NeverSeen, SubmissionRefused
from titrant_adapters.shape import Secret, bounded, library

Told = Callable[[Any, float], Awaitable[None]]
"""What is called with each intermediate answer and the share of the run that is done."""

CHANNEL = {
    "grpc.enable_retries": 0,  # gRPC would send a call again by itself
    "grpc.use_local_subchannel_pool": 1,  # and give the line that fell silent to the next who connects
    "grpc.initial_reconnect_backoff_ms": 100,
}

NOT_EXECUTED = "InvalidCommandExecutionUUID"
"""What CancelController says of an execution that is over, or not yet begun."""

ABOUT_ITSELF = ("org.silastandard/core/SiLAService/", "org.silastandard/core/ConnectionConfigurationService/")


class Server:
    """A connection to a server; make it with ``dial``."""

    def __init__(self, client: Any, timeout_s: float) -> None:
        self._client, self._timeout_s = client, timeout_s

    @classmethod
    async def dial(cls, host: str, port: int, *, tls: bool, root: bytes | None, timeout_s: float) -> Self:
        """Connect and read the server's features; the caller bounds the wait."""
        sila = library("sila.client", "sila")
        config = sila.ClientConfig(host, port, tls=tls, root_certificates=root, options=CHANNEL)
        client = sila.Client(config)
        try:
            await client.open(sync=False)
            for feature in await client.get_implemented_features():
                if not feature.startswith(ABOUT_ITSELF):  # known already, and slow to read
                    await client.load_feature(feature)
        except BaseException:
            await client.close()
            raise
        return cls(client, timeout_s)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.close()

    def named(self, path: str) -> Any:
        """A command or a metadatum, by ``Feature.Name``.

        Raises:
            ConfigurationError: The server has none.
        """
        feature, _, name = path.rpartition(".")
        try:
            return getattr(self._client.feature(feature), name)
        except AttributeError as exc:
            raise ConfigurationError(f"{path!r} (write Feature.Name): {exc}") from exc

    async def may(self, path: str, metadata: Mapping[str, Secret]) -> None:
        """Make sure that everything the server wants with a command is there to be sent."""
        command = self.named(path)
        await library("sila.client", "sila").Metadata.assert_valid(command, await self._written(metadata))

    async def who(self) -> str:
        """What it is and has."""
        with bounded(self._timeout_s, "asking the server's name"):
            name = await self._client.get_server_name()
        return f"{name} has {', '.join(sorted(one.identifier for one in self._client.features.values()))}"

    async def call(
        self, path: str, metadata: Mapping[str, Secret], parameters: Mapping[str, Any] | None = None
    ) -> None:
        """Call a command that answers at once.

        Raises:
            SubmissionRefused: The standard's error for an execution that is not under way.
        """
        sila = library("sila.framework", "sila")
        try:
            with bounded(self._timeout_s, path):
                await self.named(path).execute(dict(parameters or {}), await self._written(metadata))
        except sila.DefinedExecutionError as exc:
            if exc.identifier == NOT_EXECUTED:
                raise SubmissionRefused(f"{path}: {exc}") from exc
            raise

    async def start(self, path: str, parameters: Mapping[str, Any], metadata: Mapping[str, Secret]) -> str:
        """Execute an observable command, and give the uuid; the caller bounds the wait."""
        execution = await self.named(path).execute(dict(parameters), await self._written(metadata))
        self._client.remove_command_execution(execution)  # which keeps it for good otherwise
        return str(execution.command_execution_uuid)

    async def answer(self, path: str, uuid: str, told: Told | None, *, poll_s: float) -> Any:
        """Await the end of an execution, and give its answer.

        Raises:
            NeverSeen: The server knows no such execution, or no more.
        """
        sila = library("sila.framework", "sila")
        execution = library("sila.client.command_execution", "sila").CommandExecution(self.named(path), uuid)
        try:
            with bounded(self._timeout_s, f"asking after execution {uuid}"):
                updates = await (execution.subscribe_intermediate_responses if told else execution.subscribe_status)()
            while True:
                # Updates only wake: a line that fell silent looks like a run that has nothing to tell, so it is asked.
                update = None
                with anyio.move_on_after(self._timeout_s):
                    update = await anext(updates, None)
                if update is not None:
                    if told:
                        await told(update, float(execution.progress.value))
                    continue
                try:
                    with bounded(self._timeout_s, f"asking execution {uuid} for its answer"):
                        return await execution.get_responses()
                except sila.CommandExecutionNotFinished:
                    await anyio.sleep(poll_s)
        except sila.InvalidCommandExecutionUUID as exc:
            raise NeverSeen(f"the server knows no execution {uuid}: it was restarted, or has forgotten it") from exc
        finally:
            execution.cancel()

    async def _written(self, metadata: Mapping[str, Secret]) -> list[Any]:
        return [await self.named(path).from_native(self._client, one.reveal()) for path, one in metadata.items()]
