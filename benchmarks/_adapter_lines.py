"""The cases of instruments on lines, at brokers, on clusters; see ``_adapter_cases``."""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from _adapter_sides import LIMITS, POLL_S, SET, NotHereError, Trial, case, program, through, twin
from anyio import to_thread

ROOT = Path(__file__).resolve().parents[1]
NO_DELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
"""Or each order waits 40 ms for Nagle's algorithm; the adapter knows that too."""

SCPI = {
    "settings": {SET: {"to": "SOUR:TEMPERATURE", "read_back": "SOUR:TEMPERATURE?", "tolerance": 1e-6}},
    "status": "RUN:STAT?",
    "running": ["RUNNING"],
    "measure": {"y": "FETC? YIELD"},
    "poll_s": POLL_S,
}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def listening(port: int, *command: str | Path, cwd: Path = ROOT, **environment: str) -> AsyncIterator[None]:
    """A server of the tests, or a broker, until it can be connected to."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}"} | environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        with anyio.fail_after(60):
            while True:
                try:
                    await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
                    break
                except OSError:
                    if process.returncode is not None:
                        raise NotHereError(f"{command[0]} ended at once") from None
                    await anyio.sleep(0.1)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def by_lines(ask: Callable[[str], Any], value: float) -> float:
    """A trial on the twin's SCPI door."""
    await ask(f"SOUR:TEMPERATURE {value};:SYST:ERR?")
    await ask("SOUR:TEMPERATURE?")
    await ask("INIT;:SYST:ERR?")
    while await ask("RUN:STAT?") == "RUNNING":  # noqa: ASYNC110  # another process
        await anyio.sleep(POLL_S)
    return float(await ask("FETC? YIELD"))


@case("pyvisa in a thread", "PyVISA", "PyVISA-py")
async def visa(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    import pyvisa  # noqa: PLC0415  # each case brings its own library

    async with twin("scpi", seconds) as at, AsyncExitStack() as stack:
        resource = f"TCPIP0::127.0.0.1::{at['port']}::SOCKET"
        opened: Any = pyvisa.ResourceManager("@py").open_resource(
            resource, read_termination="\n", write_termination="\n", timeout=10_000
        )
        stack.callback(opened.close)

        async def bare(value: float, _key: str) -> float:
            return await by_lines(partial(to_thread.run_sync, opened.query), value)

        runner = through("visa:VisaRunner", resource=resource, **SCPI, **LIMITS)
        yield await stack.enter_async_context(runner), bare


@case("a pymeasure driver in a thread", "pymeasure")
async def pymeasure(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    from _adapter_driver import TwinReactor  # noqa: PLC0415

    async with twin("scpi", seconds) as at, AsyncExitStack() as stack:
        resource = f"TCPIP0::127.0.0.1::{at['port']}::SOCKET"
        driver = TwinReactor(resource, visa_library="@py")
        stack.callback(driver.adapter.close)

        async def bare(value: float, _key: str) -> float:
            def begin() -> None:
                driver.temperature = value
                driver.check_errors()
                _ = driver.temperature
                driver.start()
                driver.check_errors()

            await to_thread.run_sync(begin)
            while await to_thread.run_sync(lambda: driver.state) == "RUNNING":  # noqa: ASYNC110
                await anyio.sleep(POLL_S)
            return float(await to_thread.run_sync(lambda: driver.product))

        fields = {
            "driver": "_adapter_driver:TwinReactor",
            "resource": resource,
            "settings": {SET: {"to": SET, "read_back": SET, "tolerance": 1e-6}},
            "start": ["start"],
            "status": "state",
            "running": ["RUNNING"],
            "measure": {"y": "product"},
            "poll_s": POLL_S,
        }
        yield await stack.enter_async_context(through("pymeasure:PymeasureRunner", **fields, **LIMITS)), bare


@case("serialx over a socket", "serialx")
async def serial(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    import serialx  # noqa: PLC0415

    async with twin("scpi", seconds) as at, AsyncExitStack() as stack:
        url = f"socket://127.0.0.1:{at['port']}"
        reader, writer = await serialx.open_serial_connection(url, baudrate=9600)
        stack.callback(writer.close)

        async def ask(text: str) -> str:
            writer.write(text.encode() + b"\n")
            return (await reader.readuntil(b"\n")).decode().strip()

        async def bare(value: float, _key: str) -> float:
            return await by_lines(ask, value)

        fields = {"port": url, "identity": "titrant", "sent_end": "\n", "end": "\n", **SCPI, **LIMITS}
        yield await stack.enter_async_context(through("serial:SerialRunner", **fields)), bare


@case("pymodbus", "pymodbus")
async def modbus(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    from pymodbus.client import AsyncModbusTcpClient  # noqa: PLC0415

    async with twin("modbus", seconds) as at, AsyncExitStack() as stack:
        client = AsyncModbusTcpClient("127.0.0.1", port=at["port"], retries=0)
        await client.connect()
        stack.callback(client.close)
        real, whole = client.DATATYPE.FLOAT32, client.DATATYPE.UINT32

        async def read(address: int, count: int = 1) -> list[int]:
            return list((await client.read_holding_registers(address, count=count)).registers)

        async def bare(value: float, key: str) -> float:
            await client.write_registers(0, client.convert_to_registers(value, real))
            await read(0, 2)
            number = int(key[:7], 16)
            await client.write_registers(201, client.convert_to_registers(number, whole))
            await client.write_registers(200, [1])
            if client.convert_from_registers(await read(214, 2), whole) != number:
                raise AssertionError("another run is the latest")
            while await read(210) == [1]:  # noqa: ASYNC110
                await anyio.sleep(POLL_S)
            await read(212)
            found = client.convert_from_registers(await read(220, 2), real)
            await read(214, 2)
            return float(found)  # type: ignore[arg-type]

        fields = {
            "host": "127.0.0.1",
            "port": at["port"],
            "settings": {SET: {"to": "0:float32", "read_back": "0:float32", "tolerance": 1e-3}},
            "start": {"at": 200, "value": 1},
            "status": 210,
            "quality": 212,
            "key": "201:uint32",
            "key_of_run": "214:uint32",
            "measure": {"y": "220:float32"},
            "poll_s": POLL_S,
        }
        yield await stack.enter_async_context(through("modbus:ModbusRunner", **fields, **LIMITS)), bare


@case("aiomqtt", "aiomqtt")
async def mqtt(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    import aiomqtt  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        port, folder = free_port(), stack.enter_context(tempfile.TemporaryDirectory())
        settings = anyio.Path(folder) / "mosquitto.conf"
        await settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        await stack.enter_async_context(listening(port, program("mosquitto", "mosquitto"), "-c", str(settings)))
        await stack.enter_async_context(twin("mqtt", seconds, "--broker-port", str(port)))
        client = await stack.enter_async_context(aiomqtt.Client("127.0.0.1", port, socket_options=NO_DELAY))
        prefix = "titrant/twin"
        await client.subscribe(f"{prefix}/status", qos=1)
        while (await anext(client.messages)).payload != b"online":
            pass
        await client.subscribe(f"{prefix}/result", qos=1)

        async def bare(value: float, key: str) -> float:
            order = {"id": key, "do": "start", "key": key, "parameters": {SET: value}}
            await client.publish(f"{prefix}/cmd", json.dumps(order), qos=1)
            while True:
                told = json.loads(bytes((await anext(client.messages)).payload))
                if told["key"] == key:
                    return float(told["values"]["yield"])

        start = {"id": "{key}", "do": "start", "key": "{key}", "parameters": {SET: "{temperature}"}}
        fields = {
            "host": "127.0.0.1",
            "port": port,
            "command": {"topic": f"{prefix}/cmd", "json": start},
            "settings": {SET: {"to": SET, "read_back": "/conditions/temperature"}},
            "result": f"{prefix}/result",
            "key": "/key",
            "measure": {"y": "/values/yield"},
            "reason": "/reason",
            "presence": f"{prefix}/status",
        }
        yield await stack.enter_async_context(through("mqtt:MqttRunner", **fields, **LIMITS)), bare


@case("distributed", "distributed")
async def dask(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    from _adapter_work import compute  # noqa: PLC0415
    from distributed import Client  # noqa: PLC0415

    port = free_port()
    async with (
        listening(port, sys.executable, "-m", "tests.adapters.servers.cluster", str(port), BENCH_SECONDS=str(seconds)),
        Client(f"tcp://127.0.0.1:{port}", asynchronous=True, set_as_default=False) as client,
        through(
            "dask:DaskRunner",
            scheduler=f"tcp://127.0.0.1:{port}",
            function="_adapter_work:compute",
            measure={"y": "y"},
            timeout_s=10.0,
        ) as trial,
    ):

        async def bare(value: float, key: str) -> float:
            future = client.submit(compute, {SET: value}, key=key, pure=False, retries=0)
            return float((await future)["y"])

        yield trial, bare


@case("p4p", "p4p")
async def epics(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    from p4p.client.asyncio import Context  # noqa: PLC0415

    port = free_port()
    serving = (
        "import asyncio, tests.adapters.servers.epics_pva as server; "
        f"server.RUN_S = {seconds}; asyncio.run(server.main({port}))"
    )
    where = {"EPICS_PVA_NAME_SERVERS": f"127.0.0.1:{port}", "EPICS_PVA_ADDR_LIST": "", "EPICS_PVA_AUTO_ADDR_LIST": "NO"}
    os.environ |= where
    async with (
        listening(port, sys.executable, "-c", serving, LEDGER=os.devnull),
        through(
            "epics:EpicsRunner",
            protocol="pva",
            prefix="REACTOR:",
            settings={SET: {"to": "SET", "read_back": "RBV"}},
            start="GO",
            start_value=1.0,
            measure={"y": "YIELD"},
            **LIMITS,
        ) as trial,
    ):
        context = Context("pva", conf=where, useenv=False)

        async def bare(value: float, _key: str) -> float:
            await context.put("REACTOR:SET", value)
            await context.get("REACTOR:RBV")
            await context.put("REACTOR:GO", 1.0)
            return float(await context.get("REACTOR:YIELD"))

        try:
            yield trial, bare
        finally:
            context.close()


@case("ophyd-async devices", "ophyd-async")
async def ophyd(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    from _adapter_devices import devices  # noqa: PLC0415
    from ophyd_async.core import init_devices  # noqa: PLC0415

    os.environ["BENCH_SECONDS"] = str(seconds)
    async with init_devices():
        made = devices()
    motor, detector = made["motor"], made["detector"]

    async def bare(value: float, _key: str) -> float:
        await motor.set(value)
        await motor.locate()
        await detector.trigger()
        return float((await detector.read())["detector-y"]["value"])

    fields = {
        "devices": "_adapter_devices:devices",
        "settings": {SET: {"to": "motor", "read_back": "motor"}},
        "trigger": ["detector"],
        "measure": {"y": "detector-y"},
    }
    async with through("ophyd:OphydRunner", **fields, **LIMITS) as trial:
        yield trial, bare


@case("httpx", "httpx")
async def opentrons(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    import httpx  # noqa: PLC0415

    port = free_port()
    serving = [
        "import anyio, tests.adapters.servers.opentrons as server",
        f"server.SHORTEST_S = {seconds}",
        f"anyio.run(server.main, {port})",
    ]
    robot, headers = f"http://127.0.0.1:{port}", {"Opentrons-Version": "*"}
    async with (
        listening(port, sys.executable, "-c", "; ".join(serving), LEDGER=os.devnull),
        httpx.AsyncClient(base_url=robot, headers=headers, timeout=30) as client,
        through(
            "opentrons:OpentronsRunner",
            url=robot,
            commands=[{"do": "home"}],
            measure={},
            ignored=[SET],
            **LIMITS,
        ) as trial,
    ):

        async def bare(_value: float, _key: str) -> None:
            made = (await client.post("/runs", json={"data": {}})).json()["data"]["id"]
            wait = {"waitUntilComplete": "true", "timeout": 8000}
            body = {"data": {"commandType": "home", "params": {}}}
            done = (await client.post(f"/runs/{made}/commands", json=body, params=wait)).json()["data"]
            if done["status"] != "succeeded":
                raise AssertionError(done)

        yield trial, bare


@case("PyLabRobot, and a wait: its back ends take no time", "pylabrobot")
async def pylabrobot(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    sys.path.insert(0, str(ROOT / "examples" / "adapters"))
    from pylabrobot_bench import bench  # type: ignore[import-not-found]  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):  # the back ends only talk
        fields = {
            "bench": "pylabrobot_bench:bench",
            "plate": "plate",
            "tips": ["tips"],
            "book": f"{folder}/bench.json",
            "settings": {SET: {"to": "stock[A1:H12]"}},
            "measure": {"y": {"at": {"wavelength": 520}}},
        }
        async with through("pylabrobot:PylabrobotRunner", **fields, **LIMITS) as trial:
            made = bench()
            handler, reader, deck = made.handler, made.reader, made.handler.deck
            await handler.setup()
            await reader.setup()
            plate, stock, tips = (deck.get_resource(name) for name in ("plate", "stock", "tips"))
            wells = iter(zip(plate.get_all_items(), stock.get_all_items(), tips.get_all_items(), strict=True))

            async def bare(value: float, _key: str) -> float:
                well, source, tip = next(wells)
                await handler.pick_up_tips([tip])
                await handler.aspirate([source], vols=[value])
                await handler.dispense([well], vols=[value])
                await handler.discard_tips()
                seen = await reader.backend.read_absorbance(plate, [well], 520)
                await anyio.sleep(seconds)
                return float(seen[0]["data"][well.get_row()][well.get_column()])

            async def waited(value: float, key: str) -> None:
                await trial(value, key)
                await anyio.sleep(seconds)

            yield waited, bare
