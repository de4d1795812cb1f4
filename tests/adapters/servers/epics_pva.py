"""An EPICS reactor over PV Access: ``python -m tests.adapters.servers.epics_pva PORT``.

Put REACTOR:SP, which runs; get REACTOR:YIELD.  Too hot a run is refused, with the server's own error.
Or put REACTOR:SET, which does not run (REACTOR:RBV is what is really set), then REACTOR:GO; REACTOR:RUNS counts the
runs that have ended, and what is put to REACTOR:FAULT happens in the next run: refuse, alarm, defined_error, drift or
stuck.  REACTOR2 is another reactor of that second kind.
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

PREFIX, SECOND = "REACTOR", "REACTOR2"
RUN_S = 0.15
MAJOR = 2


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


def stepwise(reading):
    """The variables of a run in steps: set, look, go, count."""
    set_point, taken, go = (SharedPV(nt=NTScalar("d"), initial=20.0) for _ in range(3))
    runs, fault = SharedPV(nt=NTScalar("i"), initial=0), SharedPV(nt=NTScalar("s"), initial="")

    def take(kind):
        """Whether the fault *kind* is the next; it happens once."""
        if fault.current() != kind:
            return False
        fault.post("")
        return True

    @fault.put
    async def arm(pv, operation):
        pv.post("".join(operation.value()))  # str() of it would tell the time as well
        operation.done()

    @set_point.put
    async def put(pv, operation):
        pv.post(float(operation.value()))
        if fault.current() != "stuck":
            taken.post(float(operation.value()))
        operation.done()

    @go.put
    async def run(_pv, operation):
        if take("refuse"):
            operation.done(error="the interlock is open")
            return
        temperature = float(taken.current())
        begin(temperature)
        await asyncio.sleep(RUN_S)
        if take("defined_error"):
            runs.post(int(runs.current()) + 1)
            operation.done(error="the nozzle is clogged")
            return
        severity = MAJOR if take("alarm") else 0
        reading.post({"value": yield_at(temperature) + take("drift"), "alarm.severity": severity})
        take("stuck")
        runs.post(int(runs.current()) + 1)
        operation.done()

    return {"SET": set_point, "RBV": taken, "GO": go, "RUNS": runs, "FAULT": fault}


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

    variables = {"SP": set_point, "YIELD": reading} | stepwise(reading)
    served = {f"{PREFIX}:{name}": pv for name, pv in variables.items()}
    second = SharedPV(nt=NTScalar("d"), initial=0.0)
    served |= {f"{SECOND}:{name}": pv for name, pv in ({"YIELD": second} | stepwise(second)).items()}
    with Server([served], conf=server_settings(port), useenv=False):
        close_search_socket()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
