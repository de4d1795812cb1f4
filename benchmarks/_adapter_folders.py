"""Platforms behind files, and metrics that wait for what comes after the run; beside the same by hand."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
from _adapter_lines import NO_DELAY, free_port, listening
from _adapter_sides import LIMITS, POLL_S, SET, Trial, case, program, server, through, twin

HERE = Path(__file__).resolve()


@case("pathlib")
async def chemspeed(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    async def bare(value: float, _key: str) -> float:
        part = folder / ".command.part"
        part.write_text(f"1,run\n{value},end\n")
        part.replace(folder / "command.csv")
        while not said("command").startswith("0,"):  # noqa: ASYNC110  # another process
            await anyio.sleep(POLL_S)
        while said("response") != "1,end":  # noqa: ASYNC110  # the same
            await anyio.sleep(POLL_S)
        return float(said("return").split(",")[0])

    def said(name: str) -> str:
        return (folder / f"{name}.csv").read_text().partition("\n")[0]

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fields = {"folder": name, "commands": [["run", "{T}"]], "settings": {SET: {"to": "T", "read_back": 1}}}
        async with (
            server(sys.executable, HERE, "platform", name, str(seconds)),
            through("chemspeed:ChemspeedRunner", **fields, measure={"y": 1}, poll_s=POLL_S, **LIMITS) as trial,
        ):
            yield trial, bare


@asynccontextmanager
async def fetching(name: str, **fields: Any) -> AsyncIterator[Any]:
    """A metric, connected."""
    module, _, attribute = name.partition(":")
    metric = getattr(import_module(f"titrant_adapters.{module}"), attribute)("y", **fields)
    async with metric:
        yield metric


@case("httpx", "httpx")
async def rest_metric(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    import httpx  # noqa: PLC0415  # each case brings its own library

    async with (
        twin("rest", seconds) as at,
        httpx.AsyncClient(base_url=at["address"]) as client,
        fetching(
            "rest_metric:RestMetric",
            url=at["address"],
            get={"path": "/runs", "query": {"key": "{key}"}},
            value="/values/yield",
            poll_s=POLL_S,
        ) as metric,
    ):

        async def begin(value: float, key: str) -> None:
            await client.post("/runs", json={"key": key, "parameters": {SET: value}})

        async def trial(value: float, key: str) -> Any:
            await begin(value, key)
            return await metric.fetch(0, {"key": key})

        async def bare(value: float, key: str) -> float:
            await begin(value, key)
            while not (run := (await client.get("/runs", params={"key": key})).json())["values"]:  # noqa: ASYNC110
                await anyio.sleep(POLL_S)
            return float(run["values"]["yield"])

        yield trial, bare


@case("pathlib")
async def file_drop_metric(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    with tempfile.TemporaryDirectory() as name:
        orders, results = Path(name, "orders"), Path(name, "results")
        for folder in (orders, results):
            await anyio.Path(folder).mkdir()

        def begin(value: float, key: str) -> None:
            part = orders / f".{key}.part"
            part.write_text(json.dumps({"key": key, SET: value}))
            part.replace(orders / f"{key}.json")

        async def trial(value: float, key: str) -> Any:
            begin(value, key)
            return await metric.fetch(0, {"name": key})

        async def bare(value: float, key: str) -> float:
            begin(value, key)
            result = results / f"{key}.result.csv"
            while not (result.exists() and (text := result.read_text()).rstrip().endswith("#END")):  # noqa: ASYNC110
                await anyio.sleep(POLL_S)
            return float(next(csv.DictReader(text.splitlines()[1:]))["yield"])

        fields = {
            "results": str(results),
            "result": "{run}.result*",
            "column": "yield",
            "end": "#END",
            "poll_s": POLL_S,
        }
        async with (
            server(sys.executable, HERE.with_name("_adapter_cases.py"), str(orders), str(results), str(seconds)),
            fetching("file_report:FileReportMetric", **fields) as metric,
        ):
            yield trial, bare


@case("aiomqtt", "aiomqtt")
async def mqtt_metric(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    """A sensor that tells by itself: both sides await its next reading, which is that long away."""
    import aiomqtt  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        port, folder = free_port(), stack.enter_context(tempfile.TemporaryDirectory())
        settings = anyio.Path(folder) / "mosquitto.conf"
        await settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        await stack.enter_async_context(listening(port, program("mosquitto", "mosquitto"), "-c", str(settings)))
        await stack.enter_async_context(server(sys.executable, HERE, "sensor", str(port), str(seconds)))
        client = await stack.enter_async_context(aiomqtt.Client("127.0.0.1", port, socket_options=NO_DELAY))
        metric = await stack.enter_async_context(
            fetching("mqtt:MqttMetric", host="127.0.0.1", port=port, topic="room", value="/y", timeout_s=60.0)
        )

        async def trial(_value: float, _key: str) -> Any:
            return await metric.fetch(0, {})

        async def bare(_value: float, _key: str) -> float:
            await client.subscribe("room", qos=1)
            told = float(json.loads(bytes((await anext(client.messages)).payload))["y"])
            await client.unsubscribe("room")
            return told

        yield trial, bare


async def _platform(folder: str, seconds: str) -> None:
    """The lab twin behind four files, in a process of its own."""
    from titrant_adapters.twin import Behaviour, LabTwin  # noqa: PLC0415
    from titrant_adapters.twin.four_files import serve_four_files  # noqa: PLC0415
    from titrant_adapters.twin.physics.kinetics import Kinetics  # noqa: PLC0415

    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=float(seconds)))
    async with anyio.create_task_group() as tasks:
        await tasks.start(serve_four_files, lab, Path(folder))
        print(json.dumps({"serving": "chemspeed"}), flush=True)


async def _sensor(port: str, seconds: str) -> None:
    """Says something every so many seconds."""
    import aiomqtt  # noqa: PLC0415

    async with aiomqtt.Client("127.0.0.1", int(port), socket_options=NO_DELAY) as client:
        print(json.dumps({"serving": "sensor"}), flush=True)
        while True:
            await client.publish("room", '{"y": 1.0}', qos=1)
            await anyio.sleep(float(seconds))


if __name__ == "__main__":
    anyio.run({"platform": _platform, "sensor": _sensor}[sys.argv[1]], *sys.argv[2:])
