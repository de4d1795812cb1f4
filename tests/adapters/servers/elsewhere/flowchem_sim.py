"""flowchem's simulated devices, in their own environment: ``python -m ...elsewhere.flowchem_sim PORT``.

Its own command has no option for the port, and announces the devices on every interface.
"""

import sys
from pathlib import Path

from flowchem.server import core
from flowchem.sim.__main__ import main

DEVICES = """
port = {port}
[device.pump]
type = "AzuraCompact"
ip_address = "127.0.0.1"
max_pressure = "10 bar"
[device.r4]
type = "R4Heater"
port = "COM1"
"""


class NoDiscovery:
    """In the place of multicast DNS."""

    def __init__(self, port):
        self.port, self.mdns_addresses = port, ["127.0.0.1"]

    async def add_device(self, name):
        """Tell nobody of a device."""


if __name__ == "__main__":
    core.ZeroconfServer = NoDiscovery
    devices = Path("flowchem.toml")
    devices.write_text(DEVICES.format(port=sys.argv[1]))
    main(["--host", "127.0.0.1", str(devices)])
