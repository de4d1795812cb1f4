"""The lab of five_protocols.toml: three stations for one reaction, a sensor of the room, and an HPLC that comes later.

mosquitto -p 1883                                      # a broker for the sensor; any other will do
python examples/adapters/five_protocols.py             # the lab, in the folder that the experiment is run in
titrant run examples/adapters/five_protocols.toml --log five_protocols.titrant

Each station keeps a ledger of what it physically started: kill the engine, resume it, and count.
"""

from __future__ import annotations

import argparse
import logging
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import anyio
import structlog

from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.ledger import End, Ledger
from titrant_adapters.twin.physics.kinetics import Kinetics

STATIONS = {"sila": 2, "opcua": 1, "scpi": 1}
"""Protocol to places."""


async def room(broker_port: int) -> None:
    async with aiomqtt.Client("127.0.0.1", broker_port) as client:
        while True:
            await client.publish("room/humidity", "41.5")
            await anyio.sleep(0.05)


async def hplc(lab: LabTwin, end: End, reports: Path, seconds: float) -> None:
    await anyio.sleep(seconds)  # the sample has its turn later
    async with await anyio.open_file(reports / f"{lab.ledger.all_starts[end.number - 1].key}.csv", "w") as report:
        for piece in ("area_percent\n", f"{end.values['yield']}\n", "#END\n"):
            await report.write(piece)
            await report.flush()
            await anyio.sleep(0.01)


async def main(options: argparse.Namespace) -> None:
    reports = options.folder / "reports"
    reports.mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(anyio.create_task_group())
        for number, (protocol, port) in enumerate(zip(STATIONS, options.ports, strict=True)):
            behaviour = Behaviour(duration_s=600.0, noise_sd=0.3, places=STATIONS[protocol])
            ledger = Ledger(options.folder / f"{protocol}.jsonl")
            lab = LabTwin(Kinetics(), behaviour=behaviour, seed=number, ledger=ledger, clock=Pace(options.speed))

            def ended(entry: object, lab: LabTwin = lab) -> None:
                if isinstance(entry, End) and entry.state == "done":
                    tasks.start_soon(hplc, lab, entry, reports, 600.0 / options.speed)

            ledger.watch = ended
            door = await stack.enter_async_context(open_door(door_named(protocol), lab, port))
            print(f"{protocol}: {door.address}")
        tasks.start_soon(room, options.broker_port)
        print("the lab is open; Ctrl-C closes it", flush=True)
        await anyio.sleep_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ports", type=int, nargs=3, default=[50101, 50102, 50103], help="of SiLA 2, OPC UA and SCPI")
    parser.add_argument("--broker-port", type=int, default=1883, help="of an MQTT broker of this machine")
    parser.add_argument("--speed", type=float, default=2000.0, help="seconds of the lab in a second (default: 2000)")
    parser.add_argument("--folder", type=Path, default=Path(), help="where ledgers and reports go (default: here)")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # the SiLA server's
    anyio.run(main, parser.parse_args())
