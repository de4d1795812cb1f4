"""A connection to an OPC UA server, with nodes called by where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from titrant.errors import ConfigurationError, RunnerError
from titrant_adapters.opcua.values import Taken, plain, variant, variants

RECENT = 50
"""How many results are looked at: a device may keep thousands."""


class OpcUaLine:
    """A client, of no use any more after one hang, and the nodes it has found.

    Args:
        asyncua: The library.
        client: Its client, connected.
    """

    def __init__(self, asyncua: Any, client: Any) -> None:
        self._ua, self._client = asyncua.ua, client
        self._connected = asyncua.client.ua_client.UaClientState.CONNECTED
        self._kind_of = asyncua.common.ua_utils.data_type_to_variant_type
        self._nodes: dict[str, Any] = {}
        self._kinds: dict[str, Any] = {}
        self._takes: dict[str, list[Taken]] = {}
        self._places: dict[str, str] = {}

    def stale(self) -> bool:
        """Whether the connection is known to be gone."""
        return bool(self._client.state is not self._connected)

    async def aclose(self) -> None:
        """Close session and connection, as far as they are there."""
        await self._client.disconnect()

    async def identity(self) -> str:
        """The application's URI, which every server has to tell."""
        return str((await self._client.get_node(self._ua.ObjectIds.Server_ServerArray).read_value())[0])

    async def node(self, path: str) -> Any:
        """The node at a path: browse names without namespaces below Objects, or below a node id (``ns=2;i=5/Heater``).

        Raises:
            ConfigurationError: There is none.
        """
        if not path:
            return self._client.nodes.objects
        if path not in self._nodes:
            above, _, name = path.rpartition("/")
            if name not in (found := {name: name} if not above and "=" in name else await self.children(above)):
                raise ConfigurationError(f"there is no {name!r} in {above or 'Objects'}: it has {', '.join(found)}")
            self._nodes[path] = self._client.get_node(found[name])
        return self._nodes[path]

    async def children(self, path: str, *, objects: bool = False) -> dict[str, Any]:
        """Browse name to node id of what a node has; of objects only."""
        mask = self._ua.NodeClass.Object if objects else self._ua.NodeClass.Unspecified
        found = await (await self.node(path)).get_children_descriptions(nodeclassmask=mask)
        return {one.BrowseName.Name: one.NodeId for one in found}

    async def recent(self, results: str) -> list[str]:
        """The paths of results, the latest first: servers put it last."""
        names = list(await self.children(results, objects=True))[-RECENT:]
        return [f"{results}/{name}" for name in reversed(names)]

    async def find(self, results: str, job: str, key: str) -> str | None:
        """The path of the result whose *job* is *key*."""
        for path in [] if key in self._places else await self.recent(results):
            told = await self.seen(f"{path}/{job}") if path not in self._places.values() else None
            if told:
                self._places[told] = path
            if told == key:
                break
        return self._places.get(key)

    async def read(self, path: str) -> Any:
        """A variable's value.

        Raises:
            RunnerError: Its quality is not good.
        """
        value = await (await self.node(path)).read_data_value(raise_on_bad_status=False)
        if value.StatusCode is not None and not value.StatusCode.is_good():
            raise RunnerError(f"the quality of {path} is not good: {value.StatusCode.name}")
        return plain(self._ua, value)

    async def seen(self, path: str) -> Any:
        """A variable's value; None while there is none: the server makes the node just now, or its quality is bad."""
        with suppress(ConfigurationError, RunnerError):
            return await self.read(path)
        return None

    async def write(self, path: str, value: Any) -> None:
        """Write a variable in the type that it has."""
        node = await self.node(path)
        if path not in self._kinds:
            self._kinds[path] = await node.read_data_type_as_variant_type()
        # No time stamps: many controllers refuse to have them written.
        await node.write_value(self._ua.DataValue(variant(self._ua, value, self._kinds[path])))

    async def writable(self, path: str) -> bool:
        """Whether this user may write a variable."""
        node = await self.node(path)
        return self._ua.AccessLevel.CurrentWrite in await node.get_user_access_level()

    async def arguments(self, path: str) -> list[str]:
        """The names of what a method takes; empty texts where it does not name them.

        Raises:
            ConfigurationError: This user may not call it.
        """
        executable = await (await self.node(path)).read_attribute(self._ua.AttributeIds.UserExecutable)
        if not executable.Value.Value:
            raise ConfigurationError(f"this user may not call {path}: ask for the permission, or log in as another")
        taken = await self.read(f"{path}/InputArguments") if "InputArguments" in await self.children(path) else []
        kinds = [await self._kind_of(self._client.get_node(one.DataType)) for one in taken or []]
        self._takes[path] = [
            (one.Name or "", one.ValueRank >= 0, kind) for one, kind in zip(taken or [], kinds, strict=True)
        ]
        return [name for name, _, _ in self._takes[path]]

    async def call(self, path: str, values: Sequence[Any] | Mapping[str, Any]) -> None:
        """Call a method of the object that it is in; arguments that are not named are sent empty."""
        if path not in self._takes:
            await self.arguments(path)
        parent, method = await self.node(path.rpartition("/")[0]), await self.node(path)
        await parent.call_method(method.nodeid, *variants(self._ua, values, self._takes[path]))
