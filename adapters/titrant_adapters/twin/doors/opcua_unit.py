"""A functional unit of the lab twin's OPC UA server: the nodes of one lab, and what happens when they are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from anyio.abc import TaskGroup

from titrant_adapters.twin.answers import OutOfRange, Refused
from titrant_adapters.twin.behaviour import DEFINED_ERROR
from titrant_adapters.twin.doors.opcua_nodes import object_in, plain
from titrant_adapters.twin.doors.wire import Wire
from titrant_adapters.twin.faults import Exchange
from titrant_adapters.twin.lab import LabTwin
from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.runs import Run

if TYPE_CHECKING:
    from asyncua.common.node import Node
    from asyncua.server.server import Server

STATES = {"running": "Running", "done": "Complete", "failed": "Aborted", "stopped": "Stopped", "lost": "Idle"}


class Unit:
    """The nodes of one lab; ``build`` adds them.

    Args:
        lab: The lab.
        ua: asyncua's module of that name.
        index: The namespace of the names.
        wire: The line that the lab's faults spoil.
        tasks: Where what goes on is seen through.
    """

    def __init__(self, lab: LabTwin, ua: Any, index: int, wire: Wire, tasks: TaskGroup) -> None:
        self.lab, self._ua, self._index = lab, ua, index
        self._wire, self._tasks = wire, tasks
        self._state: Node
        self._results: Node

    async def build(self, server: Server, units: Node, name: str) -> None:
        """Add the unit *name* to the functional units of a device."""
        unit = await object_in(units, self._index, name)
        functions = await object_in(unit, self._index, "FunctionSet")
        for one in self.lab.physics.inputs:
            function = await object_in(functions, self._index, one.name)
            target = await function.add_variable(self._index, "TargetValue", plain(one.initial))
            await target.set_writable()
            server.set_attribute_value_setter(target.nodeid, self._setter(one.name))
            server.set_attribute_value_callback(
                target.nodeid, self._reader(self.lab.settings.points.__getitem__, one.name)
            )
            current = await function.add_variable(self._index, "CurrentValue", plain(one.initial))
            server.set_attribute_value_callback(current.nodeid, self._reader(self._actual, one.name))
        state = await object_in(unit, self._index, "FunctionalUnitState")
        self._state = await state.add_variable(self._index, "CurrentState", "Idle")
        text = self._ua.VariantType.String
        await state.add_method(self._index, "StartProgram", self._start, [text, text], [text])
        await state.add_method(self._index, "Stop", self._stop, [], [])
        self._results = await object_in(await object_in(unit, self._index, "ProgramManager"), self._index, "ResultSet")
        for start in self.lab.ledger.all_starts:  # the device remembers what it did before it was last switched on
            await self._write(await self._add_result(self.lab.runs.look(start.number)), start.number)

    def _about_to_reply(self, exchange: Exchange) -> None:
        fault = self.lab.faults.of_reply(exchange)
        if fault is not None:
            self._wire.spoil(fault)

    def _actual(self, name: str) -> Value:
        return self.lab.settings.actual()[name]

    def _reader(self, look: Callable[[str], Value], name: str) -> Callable[..., Any]:
        def read(_node: Any, _attribute: Any) -> Any:
            self._about_to_reply("read")
            return self._ua.DataValue(self._ua.Variant(plain(look(name))))

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
            self._about_to_reply("set")

        return write

    async def _start(self, _parent: Any, _template: Any, job: Any) -> Any:
        # A code that is returned arrives; one that is raised arrives as BadUnexpectedError.
        try:
            run = self.lab.start(str(job.Value or ""))
        except Refused:
            return self._ua.StatusCode(self._ua.UInt32(self._ua.StatusCodes.BadInvalidState))
        node = await self._add_result(run)
        await self._state.write_value(STATES["running"])
        self._tasks.start_soon(self._see_through, node, run.number)
        self._about_to_reply("start")
        return [self._ua.Variant(str(run.number))]

    async def _stop(self, _parent: Any) -> Any:
        for number in self.lab.runs.under_way():
            self.lab.runs.stop(number)
        self._about_to_reply("stop")
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
