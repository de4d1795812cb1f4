"""A trial through adapters, and the same exchanges by hand with the libraries that they use."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
from _adapter_sides import LIMITS, POLL_S, SET, T, Trial, case, server, through, twin

HERE = Path(__file__).resolve()


@case("the function itself")
async def callable(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:  # noqa: A001  # named as the entry point
    async def bare(value: float, _key: str) -> float:
        return (await instrument({SET: value}))["y"]

    os.environ["BENCH_SECONDS"] = str(seconds)
    async with through("callable:CallableRunner", function="_adapter_cases:instrument") as trial:
        yield trial, bare


async def instrument(conditions: dict[str, Any]) -> dict[str, float]:
    """What ``callable`` calls."""
    await anyio.sleep(float(os.environ["BENCH_SECONDS"]))
    return {"y": conditions[SET] ** 2}


@case("asyncio.create_subprocess_exec")
async def shell(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    model = f"import json, sys, time; time.sleep({seconds}); print(json.dumps({{'y': float(sys.argv[1]) ** 2}}))"

    async def bare(value: float, _key: str) -> float:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", model, str(value)), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        return float(json.loads(out)["y"])

    words = [sys.executable, "-c", model.replace("{", "{{").replace("}", "}}"), "{temperature}"]
    with tempfile.TemporaryDirectory() as folder:
        fields = {"command": words, "measure": {"y": "y"}, "runs": folder, "poll_s": POLL_S}
        async with through("shell:ShellRunner", **fields) as trial:
            yield trial, bare


@case("pathlib")
async def file_drop(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    async def bare(value: float, key: str) -> float:
        part = orders / f".{key}.part"
        with part.open("w") as file:
            file.write(json.dumps({"key": key, SET: value}))
            file.flush()
            os.fsync(file.fileno())
        part.replace(orders / f"{key}.json")
        result = results / f"{key}.result.csv"
        while not (result.exists() and (text := result.read_text()).rstrip().endswith("#END")):  # noqa: ASYNC110
            await anyio.sleep(POLL_S)
        return float(next(csv.DictReader(text.splitlines()[1:]))["yield"])

    with tempfile.TemporaryDirectory() as name:
        orders, results = Path(name, "orders"), Path(name, "results")
        for folder in (orders, results):
            await anyio.Path(folder).mkdir()
        fields = {"orders": str(orders), "results": str(results), "settings": T, "measure": {"y": "yield"}}
        fields |= {"result": "{key}.result*", "end": "#END", "poll_s": POLL_S}
        async with (
            server(sys.executable, HERE, str(orders), str(results), str(seconds)),
            through("file_drop:FileDropRunner", **fields) as trial,
        ):
            yield trial, bare


@case("asyncio streams")
async def scpi(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    async with twin("scpi", seconds) as at, AsyncExitStack() as stack:
        reader, writer = await asyncio.open_connection("127.0.0.1", at["port"])
        stack.callback(writer.close)

        async def ask(text: str) -> str:
            writer.write(text.encode() + b"\n")
            return (await reader.readline()).decode().strip()

        async def bare(value: float, _key: str) -> float:
            await ask(f"SOUR:TEMPERATURE {value};:SYST:ERR?")
            await ask("SOUR:TEMPERATURE?")
            await ask("INIT;:SYST:ERR?")
            while await ask("RUN:STAT?") == "RUNNING":  # noqa: ASYNC110  # another process
                await anyio.sleep(POLL_S)
            return float(await ask("FETC? YIELD"))

        fields = {"host": "127.0.0.1", "port": at["port"], **LIMITS, **SCPI}
        yield await stack.enter_async_context(through("scpi:ScpiRunner", **fields)), bare


SCPI = {
    "settings": {"temperature": {"to": "SOUR:TEMPERATURE", "read_back": "SOUR:TEMPERATURE?", "tolerance": 1e-6}},
    "status": "RUN:STAT?",
    "running": ["RUNNING"],
    "measure": {"y": "FETC? YIELD"},
    "poll_s": POLL_S,
}


@case("httpx", "httpx")
async def rest(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    import httpx  # noqa: PLC0415  # each case brings its own library

    async with (
        twin("rest", seconds) as at,
        httpx.AsyncClient(base_url=at["address"]) as client,
        AsyncExitStack() as stack,
    ):

        async def bare(value: float, key: str) -> float:
            said = (await client.post("/runs", json={"key": key, "parameters": {SET: value}})).json()
            while (run := (await client.get(f"/runs/{said['number']}")).json())["state"] == "running":  # noqa: ASYNC110
                await anyio.sleep(POLL_S)
            return float(run["values"]["yield"])

        fields = {
            "url": at["address"],
            "settings": {SET: {"to": SET, "read_back": "/conditions/temperature"}},
            "start": {
                "method": "POST",
                "path": "/runs",
                "json": {"key": "{key}", "parameters": {SET: "{temperature}"}},
            },
            "find": {"path": "/runs", "query": {"key": "{key}"}},
            "status": {"path": "/runs/{id}"},
            "id": "/number",
            "measure": {"y": "/values/yield"},
            "quality": "/quality",
            "poll_s": POLL_S,
        }
        yield await stack.enter_async_context(through("rest:RestRunner", **fields, **LIMITS)), bare


@case("asyncua", "asyncua")
async def opcua(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    import asyncua  # noqa: PLC0415

    ua, unit = asyncua.ua, "LabTwin/FunctionalUnitSet/Unit"
    async with twin("opcua", seconds) as at, asyncua.Client(at["address"]) as client, AsyncExitStack() as stack:
        index = await client.get_namespace_index("urn:titrant:lab-twin")

        async def node(path: str) -> Any:
            return await client.nodes.objects.get_child([f"{index}:{name}" for name in path.split("/")])

        target = await node(f"{unit}/FunctionSet/temperature/TargetValue")
        state, results = await node(f"{unit}/FunctionalUnitState"), await node(f"{unit}/ProgramManager/ResultSet")
        start = await node(f"{unit}/FunctionalUnitState/StartProgram")
        seen: set[Any] = set()

        async def named(node_id: Any) -> dict[str, Any]:
            found = await client.get_node(node_id).get_children_descriptions()
            return {one.BrowseName.Name: client.get_node(one.NodeId) for one in found}

        async def bare(value: float, key: str) -> float:
            await target.write_value(ua.DataValue(ua.Variant(value, ua.VariantType.Double)))
            await target.read_value()
            await state.call_method(start.nodeid, "flow", key)
            mine: dict[str, Any] = {}
            while True:
                if not mine:
                    for one in await results.get_children_descriptions(nodeclassmask=ua.NodeClass.Object):
                        if one.NodeId not in seen:
                            seen.add(one.NodeId)
                            found = await named(one.NodeId)
                            mine = found if await found["JobId"].read_value() == key else mine
                if mine and await mine["State"].read_value() == "Complete":
                    break
                await anyio.sleep(POLL_S)
            return float(await (await named(mine["VariableSet"].nodeid))["yield"].read_value())

        path = "FunctionSet/temperature/TargetValue"
        fields = {
            "url": at["address"],
            "unit": unit,
            "settings": {SET: {"to": path, "read_back": path}},
            "arguments": ["flow", "{key}"],
            "results": "ProgramManager/ResultSet",
            "measure": {"y": "VariableSet/yield"},
            "poll_s": POLL_S,
        }
        yield await stack.enter_async_context(through("opcua:OpcUaRunner", **fields, **LIMITS)), bare


@case("unitelabs-sila", "unitelabs-sila", "grpcio")
async def sila(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    from sila.client import Client, ClientConfig  # noqa: PLC0415

    async with twin("sila", seconds) as at, AsyncExitStack() as stack:
        client = Client(ClientConfig("127.0.0.1", at["port"], tls=False))
        await client.open()
        stack.push_async_callback(client.close)
        run = client.feature("Reactor").Run

        async def bare(value: float, key: str) -> float:
            constants = {"ResidenceTime": 5.0, "Equivalents": 1.2}
            execution = await run.execute({"Temperature": value, "Key": key, **constants})
            async for _ in await execution.subscribe_status():
                pass
            answer = await execution.get_responses()
            return float(getattr(answer, "Yield", None) or answer[0])

        fields = {
            "host": "127.0.0.1",
            "port": at["port"],
            "tls": False,
            "command": "Reactor.Run",
            "settings": {SET: {"to": "Temperature", "read_back": "Conditions.temperature"}},
            "constants": {"ResidenceTime": 5.0, "Equivalents": 1.2},
            "key": "Key",
            "measure": {"y": "Yield"},
            "poll_s": POLL_S,
        }
        yield await stack.enter_async_context(through("sila:SilaRunner", **fields, **LIMITS)), bare


async def _drop_box(orders: str, results: str, seconds: str) -> None:
    """The lab twin behind two folders, in a process of its own."""
    from titrant_adapters.twin import Behaviour, LabTwin  # noqa: PLC0415
    from titrant_adapters.twin.drop_box import serve_drop_box  # noqa: PLC0415
    from titrant_adapters.twin.physics.kinetics import Kinetics  # noqa: PLC0415

    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=float(seconds)))
    print(json.dumps({"serving": "file_drop"}), flush=True)
    await serve_drop_box(lab, Path(orders), Path(results))


if __name__ == "__main__":
    anyio.run(_drop_box, *sys.argv[1:])
