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
loaded, LabTwin is of the type LADSDeviceType, and the names are in LADS' namespace.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from anyio.abc import TaskGroup

from titrant.errors import ConfigurationError
from titrant_adapters.twin.answers import OutOfRange, Refused
from titrant_adapters.twin.behaviour import DEFINED_ERROR
from titrant_adapters.twin.doors.base import LOOPBACK, Door, need
from titrant_adapters.twin.doors.wire import Wire
from titrant_adapters.twin.faults import FaultKind
from titrant_adapters.twin.lab import MAKER, MODEL, LabTwin
from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.runs import Run

if TYPE_CHECKING:
    from asyncua.common.node import Node
    from asyncua.server.server import Server

NAMESPACE = "urn:titrant:lab-twin"
LADS = "http://opcfoundation.org/UA/LADS/"
NODE_SETS = ("Di", "AMB", "Machinery", "LADS")
STATES = {"running": "Running", "done": "Complete", "failed": "Aborted", "stopped": "Stopped", "lost": "Idle"}


class OpcUaDoor(Door):
    """Settings are written, a method starts, states and results are read or subscribed to.

    Args:
        lab: The lab behind it.
        wire: The line in front of it.
        tasks: Where what goes on is seen through.
        node_sets: A folder with the published node sets (``Opc.Ua.LADS.NodeSet2.xml`` and those it builds on).
    """

    protocol = "opcua"
    cannot: ClassVar[Mapping[FaultKind, str]] = {
        "duplicate": "a secure channel numbers its messages, encrypted or not: one that comes twice is taken for an "
        "attack, and the channel is closed",
    }

    def __init__(self, lab: LabTwin, wire: Wire, tasks: TaskGroup, node_sets: Path | None = None) -> None:
        super().__init__(lab, wire, tasks)
        self._node_sets = node_sets
        self._ua: Any = None
        self._index = 0
        self._state: Node
        self._results: Node

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
        server: Server = asyncua.Server()
        await server.init()
        server.set_endpoint(self.address)
        server.socket_address = (LOOPBACK, 0)
        server.set_server_name(f"{MAKER} {MODEL}")
        server.set_security_policy([self._ua.SecurityPolicyType.NoSecurity])
        await self._build(server)
        await server.start()
        try:
            assert server.bserver is not None
            yield server.bserver.port
        finally:
            await server.stop()

    async def _build(self, server: Server) -> None:
        device_type = None
        self._index = await server.register_namespace(NAMESPACE)
        if self._node_sets is not None:
            device_type = await self._load(server, self._node_sets)
        twin = await server.nodes.objects.add_object(self._index, "LabTwin", objecttype=device_type)
        units = await self._object(twin, "FunctionalUnitSet")
        unit = await self._object(units, "Unit")
        functions = await self._object(unit, "FunctionSet")
        for one in self.lab.physics.inputs:
            function = await self._object(functions, one.name)
            target = await function.add_variable(self._index, "TargetValue", _plain(one.initial))
            await target.set_writable()
            server.set_attribute_value_setter(target.nodeid, self._setter(one.name))
            server.set_attribute_value_callback(
                target.nodeid, self._reader(self.lab.settings.points.__getitem__, one.name)
            )
            current = await function.add_variable(self._index, "CurrentValue", _plain(one.initial))
            server.set_attribute_value_callback(current.nodeid, self._reader(self._actual, one.name))
        state = await self._object(unit, "FunctionalUnitState")
        self._state = await state.add_variable(self._index, "CurrentState", "Idle")
        text = self._ua.VariantType.String
        await state.add_method(self._index, "StartProgram", self._start, [text, text], [text])
        await state.add_method(self._index, "Stop", self._stop, [], [])
        self._results = await self._object(await self._object(unit, "ProgramManager"), "ResultSet")
        for start in self.lab.ledger.all_starts:  # the device remembers what it did before it was last switched on
            await self._write(await self._add_result(self.lab.runs.look(start.number)), start.number)

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

    async def _object(self, parent: Node, name: str) -> Node:
        """A child, which the type of *parent* may have brought along."""
        for child in await parent.get_children():
            if (await child.read_browse_name()).Name == name:
                return child
        found: Node = await parent.add_object(self._index, name)
        return found

    def _actual(self, name: str) -> Value:
        return self.lab.settings.actual()[name]

    def _reader(self, look: Callable[[str], Value], name: str) -> Callable[..., Any]:
        def read(_node: Any, _attribute: Any) -> Any:
            self.about_to_reply("read")
            return self._ua.DataValue(self._ua.Variant(_plain(look(name))))

        return read

    def _setter(self, name: str) -> Callable[..., None]:
        text = bool(self.lab.settings.inputs[name].choices)

        def write(_node: Any, _attribute: Any, value: Any) -> None:
            if value.Value is None or isinstance(value.Value.Value, str) is not text:
                raise self._ua.UaStatusCodeError(self._ua.StatusCodes.BadTypeMismatch)
            try:
                self.lab.settings.set(name, value.Value.Value)
            except OutOfRange as exc:
                raise self._ua.UaStatusCodeError(self._ua.StatusCodes.BadOutOfRange) from exc
            self.about_to_reply("set")

        return write

    async def _start(self, _parent: Any, _template: Any, job: Any) -> Any:
        # A code that is returned arrives; one that is raised arrives as BadUnexpectedError.
        try:
            run = self.started(self.lab.start(str(job.Value or "")))
        except Refused:
            return self._ua.StatusCode(self._ua.UInt32(self._ua.StatusCodes.BadInvalidState))
        node = await self._add_result(run)
        await self._state.write_value(STATES["running"])
        self._tasks.start_soon(self._see_through, node, run.number)
        self.about_to_reply("start")
        return [self._ua.Variant(str(run.number))]

    async def _stop(self, _parent: Any) -> Any:
        for number in self.lab.runs.under_way():
            self.lab.runs.stop(number)
        self.about_to_reply("stop")
        return []

    async def _see_through(self, node: Node, number: int) -> None:
        await self.lab.runs.finish(number)
        await self._write(node, number)

    async def _add_result(self, run: Run) -> Node:
        node: Node = await self._results.add_object(self._index, str(run.number))
        await node.add_variable(self._index, "JobId", run.key)
        await node.add_variable(self._index, "State", STATES[run.state])
        await node.add_variable(self._index, "Reason", "")
        values = await node.add_object(self._index, "VariableSet")
        for one in self.lab.physics.outputs:
            variable = await values.add_variable(self._index, one.name, 0.0)
            await variable.write_value(self._bad(self._ua.StatusCodes.BadWaitingForInitialData))
        return node

    async def _write(self, node: Node, number: int) -> None:
        """Tell what became of a run: the values first, so that whoever sees the state finds them."""
        run = self.lab.runs.look(number)
        values = await node.get_child(f"{self._index}:VariableSet")
        codes = self._ua.StatusCodes
        missing = codes.BadDeviceFailure if run.reason == DEFINED_ERROR else codes.BadNoData
        for variable in await values.get_children():
            name = (await variable.read_browse_name()).Name
            bad = self._bad(codes.BadSensorFailure if run.quality == "bad" else missing)
            await variable.write_value(run.values.get(name, bad))
        await (await node.get_child(f"{self._index}:Reason")).write_value(run.reason)
        await (await node.get_child(f"{self._index}:State")).write_value(STATES[run.state])
        await self._state.write_value(STATES[run.state])

    def _bad(self, code: int) -> Any:
        return self._ua.DataValue(self._ua.Variant(0.0), StatusCode=self._ua.StatusCode(self._ua.UInt32(code)))


def _files(folder: Path) -> dict[str, Path]:
    """The node sets by name, each after those it builds on."""
    files = {name: folder / f"Opc.Ua.{name}.NodeSet2.xml" for name in NODE_SETS}
    for path in files.values():
        if not path.is_file():
            raise ConfigurationError(f"{folder} holds no {path.name}: the OPC Foundation publishes it as UA-Nodeset")
    return files


def _plain(value: Value) -> float | str:
    return value if isinstance(value, str) else float(value)
