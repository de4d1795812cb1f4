"""A SiLA 2 reactor on the UniteLabs CDK: ``python -m tests.adapters.servers.sila PORT``."""

import asyncio
import sys

from tests.adapters.servers.process import LOOPBACK
from tests.adapters.servers.reactor import LIMIT, TooHotError, begin, hangs, yield_at
from unitelabs.cdk import Connector, ConnectorBaseConfig, SiLAServerConfig
from unitelabs.cdk import sila as sila2

STEPS = 5


class Reactor(sila2.Feature):
    """A reactor that heats up in steps and tells of each."""

    def __init__(self):
        super().__init__(originator="org.example", category="synthesis", version="1.0")

    @sila2.ObservableCommand(errors=[TooHotError])
    async def run_reaction(
        self, temperature: float, *, status: sila2.Status, intermediate: sila2.Intermediate[float]
    ) -> float:
        """
        Run a reaction.

        Args:
          Temperature: The temperature in degrees.

        Yields:
          CurrentTemperature: The temperature on the way there.

        Returns:
          Yield: The yield in per cent.
        """
        begin(temperature)
        for step in range(STEPS):
            status.update(progress=step / STEPS)
            intermediate.send(20.0 + (temperature - 20.0) * step / STEPS)
            await asyncio.sleep(0.02)
        if hangs(temperature):
            await asyncio.Event().wait()
        if temperature > LIMIT:
            raise TooHotError(f"{temperature} degrees")
        return yield_at(temperature)


async def main(port):
    server = SiLAServerConfig(hostname=LOOPBACK, port=port, tls=False, name="Reactor", type="Reactor")
    connector = Connector(ConnectorBaseConfig(sila_server=server, discovery=None))
    connector.register(Reactor())
    await connector.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
