"""The lab twin as an OPC UA server with the shape of a LADS device (OPC 30500-1).

::

    Objects/LabTwin/FunctionalUnitSet/Unit/
        FunctionSet/<input>/TargetValue     what it is set to (read, write)
                            CurrentValue    where it really is
        FunctionalUnitState/CurrentState    Idle, Running, Complete, Aborted or Stopped
                            StartProgram(ProgramTemplateId, JobId) -> DeviceProgramRunId
                            Stop()
        ProgramManager/ResultSet/<DeviceProgramRunId>/
            JobId, State, Reason            what became of the run
            VariableSet/<output>            what it measured; its status tells of its quality

The names are LADS', in this server's own namespace.  Where the published node sets are given (``node_sets``), they are
loaded, LabTwin is of the type LADSDeviceType, and the names are in LADS' namespace.  A device may have further units.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from anyio.abc import TaskGroup

from titrant.errors import ConfigurationError
from titrant_adapters.twin.doors.base import LOOPBACK, Door, need
from titrant_adapters.twin.doors.opcua_nodes import object_in
from titrant_adapters.twin.doors.opcua_unit import Unit
from titrant_adapters.twin.doors.wire import Wire
from titrant_adapters.twin.faults import FaultKind
from titrant_adapters.twin.lab import MAKER, MODEL, LabTwin

if TYPE_CHECKING:
    from asyncua.server.server import Server

NAMESPACE = "urn:titrant:lab-twin"
LADS = "http://opcfoundation.org/UA/LADS/"
NODE_SETS = ("Di", "AMB", "Machinery", "LADS")
UNIT = "Unit"


class OpcUaDoor(Door):
    """Settings are written, a method starts, states and results are read or subscribed to.

    Args:
        lab: The lab behind it.
        wire: The line in front of it.
        tasks: Where what goes on is seen through.
        node_sets: A folder with the published node sets (``Opc.Ua.LADS.NodeSet2.xml`` and those it builds on).
        further: Functional units beside ``Unit``, each a lab of its own, by their names.
    """

    protocol = "opcua"
    cannot: ClassVar[Mapping[FaultKind, str]] = {
        "duplicate": "a secure channel numbers its messages, encrypted or not: one that comes twice is taken for an "
        "attack, and the channel is closed",
    }

    def __init__(
        self,
        lab: LabTwin,
        wire: Wire,
        tasks: TaskGroup,
        node_sets: Path | None = None,
        further: Mapping[str, LabTwin] | None = None,
    ) -> None:
        super().__init__(lab, wire, tasks)
        self._node_sets, self._further = node_sets, dict(further or {})
        self._ua: Any = None
        self._index = 0

    @property
    def address(self) -> str:
        """The endpoint."""
        return f"opc.tcp://{LOOPBACK}:{self.port}/lab-twin"

    def how_to(self) -> str:
        """Where things are."""
        name = next(iter(self.lab.settings.inputs))
        return (
            f"no security, no log-in; at Objects/LabTwin/FunctionalUnitSet/Unit: write FunctionSet/{name}/TargetValue, "
            "call FunctionalUnitState/StartProgram, read ProgramManager/ResultSet"
        )

    @asynccontextmanager
    async def behind(self) -> AsyncIterator[int]:
        """Serve the nodes by asyncua."""
        if self._node_sets is not None:
            _files(self._node_sets)
        asyncua = need("asyncua")
        self._ua = asyncua.ua
        server = await self.make_server(asyncua)
        server.set_endpoint(self.address)
        server.socket_address = (LOOPBACK, 0)
        server.set_server_name(f"{MAKER} {MODEL}")
        await self._build(server)
        await server.start()
        try:
            assert server.bserver is not None
            yield server.bserver.port
        finally:
            await server.stop()

    async def make_server(self, asyncua: Any) -> Server:
        """A server that lets everybody in; a door that asks for more makes another."""
        server: Server = asyncua.Server()
        await server.init()
        server.set_security_policy([asyncua.ua.SecurityPolicyType.NoSecurity])
        return server

    async def _build(self, server: Server) -> None:
        device_type = None
        self._index = await server.register_namespace(NAMESPACE)
        if self._node_sets is not None:
            device_type = await self._load(server, self._node_sets)
        twin = await server.nodes.objects.add_object(self._index, "LabTwin", objecttype=device_type)
        units = await object_in(twin, self._index, "FunctionalUnitSet")
        for name, lab in {UNIT: self.lab, **self._further}.items():
            await Unit(lab, self._ua, self._index, self._wire, self._tasks).build(server, units, name)

    async def _load(self, server: Server, folder: Path) -> Any:
        for name, path in _files(folder).items():
            # LADS' own file names two nodes whose parents it does not have.
            await server.import_xml(str(path), strict_mode=name != "LADS")
        self._index = await server.get_namespace_index(LADS)
        waiting = [server.nodes.base_object_type]
        while waiting:
            node = waiting.pop()
            if (await node.read_browse_name()).Name == "LADSDeviceType":
                return node.nodeid
            waiting += await node.get_children(refs=self._ua.ObjectIds.HasSubtype)
        raise ConfigurationError(f"the node sets in {folder} define no LADSDeviceType")


def _files(folder: Path) -> dict[str, Path]:
    """The node sets by name, each after those it builds on."""
    files = {name: folder / f"Opc.Ua.{name}.NodeSet2.xml" for name in NODE_SETS}
    for path in files.values():
        if not path.is_file():
            raise ConfigurationError(f"{folder} holds no {path.name}: the OPC Foundation publishes it as UA-Nodeset")
    return files
