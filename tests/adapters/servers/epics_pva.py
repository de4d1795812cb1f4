"""An EPICS reactor over PV Access: ``python -m tests.adapters.servers.epics_pva PORT``.

Put REACTOR:SP, which runs; get REACTOR:YIELD.  Too hot a run is refused, with the server's own error.
"""

import asyncio
import os
import socket
import sys

import psutil
from p4p.nt import NTScalar
from p4p.server import Server
from p4p.server.asyncio import SharedPV
from tests.adapters.servers.process import LOOPBACK
from tests.adapters.servers.reactor import LIMIT, begin, hangs, yield_at

PREFIX = "REACTOR"


def client_settings(port):
    """What finds the server without a broadcast: the search goes to its TCP port."""
    return {"EPICS_PVA_NAME_SERVERS": f"{LOOPBACK}:{port}", "EPICS_PVA_ADDR_LIST": "", "EPICS_PVA_AUTO_ADDR_LIST": "NO"}


def server_settings(port):
    return {
        "EPICS_PVAS_INTF_ADDR_LIST": LOOPBACK,
        "EPICS_PVAS_SERVER_PORT": str(port),
        "EPICS_PVAS_BROADCAST_PORT": str(port),  # the same number over UDP
        "EPICS_PVAS_AUTO_BEACON_ADDR_LIST": "NO",
    }


def close_search_socket():
    """Answer no searches over UDP: the library hears them on every interface, whichever it is told to use."""
    for each in psutil.Process().net_connections("udp"):
        with socket.socket(type=socket.SOCK_DGRAM) as unbound:
            os.dup2(unbound.fileno(), each.fd)


async def main(port):
    set_point = SharedPV(nt=NTScalar("d"), initial=20.0)
    reading = SharedPV(nt=NTScalar("d"), initial=0.0)

    @set_point.put
    async def put(pv, operation):
        temperature = float(operation.value())
        if temperature > LIMIT:
            operation.done(error=f"{temperature} degrees are too hot")
            return
        begin(temperature)
        if hangs(temperature):
            await asyncio.Event().wait()
        pv.post(temperature)
        reading.post(yield_at(temperature))
        operation.done()

    with Server([{f"{PREFIX}:SP": set_point, f"{PREFIX}:YIELD": reading}], conf=server_settings(port), useenv=False):
        close_search_socket()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
