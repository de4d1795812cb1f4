"""An OPC UA reactor and a LADS device on asyncua: ``python -m tests.adapters.servers.opcua PORT``.

The companion specification's own node sets are loaded, so that a client finds the types of a real LADS device.
"""

import asyncio
import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from asyncua import Server, ua
from tests.adapters.servers.process import LOOPBACK
from tests.adapters.servers.reactor import LIMIT, begin, hangs, yield_at

NODE_SETS = Path(__file__).parents[1] / "data/opcua"
NAMESPACE = "urn:titrant:test"
RUN_S = 0.05
LADS = "http://opcfoundation.org/UA/LADS/"


async def add_reactor(server):
    """Objects/Reactor: write SetPoint, call Run, which gives the yield; State and Temperature tell how it goes.

    Or call Start(JobId), which returns at once; JobId, State and Yield then tell of that run.
    """
    index = await server.register_namespace(NAMESPACE)
    reactor = await server.nodes.objects.add_object(index, "Reactor")
    set_point = await reactor.add_variable(index, "SetPoint", 20.0)
    await set_point.set_writable()
    temperature = await reactor.add_variable(index, "Temperature", 20.0)
    state = await reactor.add_variable(index, "State", "Idle")

    # A method that raises tells its client BadUnexpectedError whatever was raised; a returned code arrives.
    async def run(_):
        value = await set_point.read_value()
        begin(value)
        if hangs(value):
            await asyncio.Event().wait()
        if value > LIMIT:
            bad = ua.StatusCode(ua.UInt32(ua.StatusCodes.BadSensorFailure))
            await temperature.write_value(ua.DataValue(ua.Variant(value), StatusCode=bad))
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadDeviceFailure))
        await state.write_value("Running")
        await temperature.write_value(value)
        await state.write_value("Idle")
        return [ua.Variant(yield_at(value), ua.VariantType.Double)]

    await reactor.add_method(index, "Run", run, [], [ua.VariantType.Double])
    shown = [await reactor.add_variable(index, *one) for one in (("Yield", 0.0), ("JobId", ""))]
    running = set()

    async def start(_, job):
        value = await set_point.read_value()
        begin(value)
        await state.write_value("Running")
        await shown[1].write_value(job.Value)
        task = asyncio.create_task(finish(value))
        running.add(task)
        task.add_done_callback(running.discard)
        return []

    async def finish(value):
        await asyncio.sleep(RUN_S)
        await shown[0].write_value(yield_at(value))
        await state.write_value("Aborted" if value > LIMIT else "Complete")

    job = ua.Argument(Name="JobId", DataType=ua.NodeId(ua.ObjectIds.String), ValueRank=-1)
    await reactor.add_method(index, "Start", start, [job], [])


async def add_lads_device(server):
    """Objects/DeviceSet/LabReactor, of the type LADSDeviceType."""
    for name in ("Di", "AMB", "Machinery", "LADS"):
        # LADS names two nodes whose parents its published node set does not have.
        await server.import_xml(NODE_SETS / f"Opc.Ua.{name}.NodeSet2.xml", strict_mode=name != "LADS")
    lads = await server.get_namespace_index(LADS)
    device_type = await subtype(server.nodes.base_object_type, ua.QualifiedName("LADSDeviceType", lads))
    devices = await server.nodes.objects.get_child(
        f"{await server.get_namespace_index('http://opcfoundation.org/UA/DI/')}:DeviceSet"
    )
    own = await server.get_namespace_index(NAMESPACE)
    device = await devices.add_object(own, "LabReactor", objecttype=device_type.nodeid)
    await add_lads_unit(server, await device.get_child(f"{lads}:FunctionalUnitSet"), lads, own)


async def add_lads_unit(server, units, lads, own):
    """A functional unit with the specification's own program call: a heater to set, a yield among the results."""
    unit_type = await subtype(server.nodes.base_object_type, ua.QualifiedName("FunctionalUnitType", lads))
    result_type = await subtype(server.nodes.base_object_type, ua.QualifiedName("ResultType", lads))
    unit = await units.add_object(own, "Unit", objecttype=unit_type.nodeid)
    heater = await (await unit.get_child(f"{lads}:FunctionSet")).add_object(own, "Heater")
    target = await heater.add_variable(lads, "TargetValue", 20.0)
    await target.set_writable()
    await heater.add_variable(lads, "CurrentValue", 20.0)
    results = await unit.get_child([f"{lads}:ProgramManager", f"{lads}:ResultSet"])
    running, stopped = set(), asyncio.Event()

    method = await unit.get_child([f"{lads}:Operational", f"{lads}:StartProgram"])
    taken = await (await method.get_child("0:InputArguments")).read_value()
    # The published node sets give the arguments another order here than in the type of the state machine.
    place = [one.Name for one in taken].index("SupervisoryJobId")

    async def start_program(_parent, *values):
        temperature = await target.read_value()
        begin(temperature)
        name = str(len(await results.get_children()))
        result = await results.add_object(own, name, objecttype=result_type.nodeid)
        await (await result.get_child(f"{lads}:SupervisoryJobId")).write_value(values[place].Value)
        stopped.clear()
        task = asyncio.create_task(carry_out(result, temperature))
        running.add(task)
        task.add_done_callback(running.discard)
        return [ua.Variant(name, ua.VariantType.String)]

    async def stop(_parent):
        stopped.set()
        return []

    async def carry_out(result, temperature):
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), None if hangs(temperature) else RUN_S)
        values = await result.get_child(f"{lads}:VariableSet")
        reading = await values.add_variable(own, "Yield", yield_at(temperature))
        if temperature > LIMIT or stopped.is_set():
            why = ua.StatusCodes.BadNoData if stopped.is_set() else ua.StatusCodes.BadSensorFailure
            bad = ua.StatusCode(ua.UInt32(why))
            await reading.write_value(ua.DataValue(ua.Variant(0.0), StatusCode=bad))
        now = ua.DataValue(ua.Variant(datetime.now(UTC), ua.VariantType.DateTime))
        await (await result.get_child(f"{lads}:Stopped")).write_value(now)

    server.link_method(method, start_program)
    server.link_method(await unit.get_child([f"{lads}:Operational", f"{lads}:Stop"]), stop)


async def subtype(node, name):
    """The type called *name* below *node*."""
    for child in await node.get_children(refs=ua.ObjectIds.HasSubtype):
        found = child if await child.read_browse_name() == name else await subtype(child, name)
        if found:
            return found
    return None


async def main(port):
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # else pages about what the node sets leave out
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://{LOOPBACK}:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await add_reactor(server)
    await add_lads_device(server)
    async with server:
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
