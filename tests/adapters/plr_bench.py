"""A bench of PyLabRobot whose back ends go wrong when told to; what it physically did is in a file."""

import os
from pathlib import Path

import anyio
from pylabrobot.liquid_handling.errors import ChannelizedError
from pylabrobot.resources.errors import NoTipError, TooLittleLiquidError
from tests.adapters.servers.plate import Bench

LEDGER = "PLR_LEDGER"
ASPIRATE_SECONDS = 0.06


class Faulty:
    """The next run's fault, and the physical starts, of all benches of this process and others."""

    def __init__(self, ledger):
        self.ledger, self.fault, self.seconds, self.busy = Path(ledger), None, 0.0, 0

    async def arm(self, fault, seconds=0.0):
        self.fault, self.seconds = fault, seconds

    async def starts(self):
        return len(self.ledger.read_text().splitlines()) if self.ledger.exists() else 0

    async def settled(self):
        while self.busy:  # noqa: ASYNC110
            await anyio.sleep(0.005)

    def take(self, *faults):
        """Whether one of these is due; it is then over."""
        due = self.fault if self.fault in faults else None
        self.fault = None if due else self.fault
        return due

    async def pick_up(self):
        if self.take("refuse"):
            raise ChannelizedError({0: NoTipError("no tip was felt")})

    async def aspirate(self):
        with self.ledger.open("a") as ledger:
            ledger.write("aspirated\n")
        await anyio.sleep(ASPIRATE_SECONDS)
        match self.take("delay", "mute", "late_reply", "drop", "defined_error"):
            case "delay" | "late_reply":
                await anyio.sleep(self.seconds)
            case "mute":
                await anyio.sleep_forever()
            case "drop":
                raise ConnectionResetError("the robot hung up")
            case "defined_error":
                raise ChannelizedError({0: TooLittleLiquidError("air was felt")})

    async def dispense(self):
        if self.take("crash_in_run"):
            raise ConnectionResetError("the robot is down")

    def read(self, result):
        match self.take("alarm", "crash_after_done", "drift"):
            case "alarm":
                result[0]["data"] = [[None] * 12] * 8
            case "crash_after_done":
                raise ConnectionResetError("the reader is down")
            case "drift":
                result[0]["data"] = [[one and 1.1 * one for one in row] for row in result[0]["data"]]
        return result


def bench_of(faulty):
    """A fresh bench with these faults."""
    bench = Bench()
    handler, reader = bench.handler.backend, bench.reader.backend

    def after(backend, name, act):
        plain = getattr(backend, name)

        async def faulty_call(*args, **kwargs):
            await act()
            return await plain(*args, **kwargs)

        setattr(backend, name, faulty_call)

    after(handler, "pick_up_tips", faulty.pick_up)
    after(handler, "aspirate", faulty.aspirate)
    after(handler, "dispense", faulty.dispense)
    plain = reader.read_absorbance

    async def read_absorbance(**kwargs):
        return faulty.read(await plain(**kwargs))

    reader.read_absorbance = read_absorbance
    return bench


def bench():
    """In the process of an engine under test."""
    return bench_of(Faulty(os.environ[LEDGER]))
