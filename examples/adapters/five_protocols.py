"""The lab of five_protocols.toml: an oven, a lamp and a reactor for each sample, a sensor of the room, a slow HPLC.

mosquitto -p 1883 & python examples/adapters/five_protocols.py  # its ledgers (*.jsonl) tell what it physically started
titrant run examples/adapters/five_protocols.toml --log five_protocols.titrant
"""

import sys
from math import exp
from pathlib import Path

import aiomqtt
import anyio
import structlog

from titrant_adapters.twin import Behaviour, LabTwin, Ledger, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.physics.kinetics import Kinetics
from titrant_adapters.twin.physics.level import Level

OVEN, LAMP = Level("drying", 40, 180, start=40, unit="degC"), Level("volts", 0, 12, start=0, unit="V")
LABS = {"opcua": (OVEN, 600), "scpi": (LAMP, 10), "sila": (Kinetics(), 600)}  # and the seconds that a run takes
SPEED = 1000  # seconds of the lab in a second
PORTS = list(map(int, sys.argv[1:])) or [50102, 50103, 50101, 1883]  # in the order of the labs; the broker's
LEDGERS = {protocol: Ledger(Path(f"{protocol}.jsonl")) for protocol in LABS}


async def instrument(protocol, physics, seconds, port):
    lab = LabTwin(physics, behaviour=Behaviour(duration_s=seconds), ledger=LEDGERS[protocol], clock=Pace(SPEED))
    async with open_door(door_named(protocol), lab, port) as door:
        print(f"{protocol}: {door.address}", flush=True)
        await anyio.sleep_forever()


async def sensor(port):
    async with aiomqtt.Client("127.0.0.1", port) as client:
        while True:
            await client.publish("room/humidity", "41.5")
            await anyio.sleep(0.05)


async def hplc(end):
    sample = LEDGERS["sila"].all_starts[end.number - 1].key.partition("-")[0]  # a step's key begins with its trial's
    steps = [start for ledger in LEDGERS.values() for start in ledger.all_starts if start.key.startswith(sample)]
    was = {name: level for start in steps for name, level in start.conditions.items()}
    area = end.values["yield"] * exp(-(((was["drying"] - 110) / 60) ** 2)) * (1 - exp(-was["volts"] / 3))
    await anyio.sleep(600 / SPEED)  # it has its turn later
    await anyio.Path(f"reports/{sample}.csv").write_text(f"area_percent\n{area}\n#END\n")


async def main():
    async with anyio.create_task_group() as tasks:
        for (protocol, what), port in zip(LABS.items(), PORTS, strict=False):
            tasks.start_soon(instrument, protocol, *what, port)
        LEDGERS["sila"].watch = lambda entry: getattr(entry, "state", "") == "done" and tasks.start_soon(hplc, entry)
        tasks.start_soon(sensor, PORTS[-1])


Path("reports").mkdir(exist_ok=True)
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))  # errors of the SiLA server alone
anyio.run(main)
