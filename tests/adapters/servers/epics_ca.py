"""An EPICS reactor over Channel Access: ``python -m tests.adapters.servers.epics_ca PORT REPEATER``.

Put REACTOR:SP, then put REACTOR:GO and wait; get REACTOR:YIELD.  Too hot a run raises a major alarm on the yield.
REACTOR:RBV is what is really set, REACTOR:RUNS counts the runs that have ended, and what is put to REACTOR:FAULT
happens in the next run: alarm, defined_error, drift or stuck.  REACTOR:GO.DISP keeps everybody out, as in every record.
REACTOR2 is another reactor of the same kind.
"""

import asyncio
import os
import socket
import struct
import sys
import threading

from tests.adapters.servers.process import LOOPBACK
from tests.adapters.servers.reactor import LIMIT, begin, hangs, yield_at

PREFIX, SECOND = "REACTOR", "REACTOR2"
RUN_S = 0.15


def client_settings(search, repeater):
    """What keeps a client on the loopback: EPICS broadcasts unless told otherwise.

    *search* is the port that searches go to, *repeater* that of a Repeater.
    """
    return {
        "EPICS_CA_ADDR_LIST": f"{LOOPBACK}:{search}",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_REPEATER_PORT": str(repeater),
    }


def server_settings(port, repeater):
    """What keeps a server there; it is a client too."""
    return client_settings(port, repeater) | {
        "EPICS_CAS_INTF_ADDR_LIST": LOOPBACK,
        "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK,
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(port),
    }


class Repeater:
    """In the place of EPICS' repeater of beacons, which listens everywhere; a client that finds none forks one."""

    REGISTER, CONFIRM, END = 24, 17, b"end"

    def __init__(self):
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._confirm, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        with socket.socket(type=socket.SOCK_DGRAM) as line:
            line.sendto(self.END, (LOOPBACK, self.port))
        self._thread.join()
        self._socket.close()

    def _confirm(self):
        """Confirm registrations, which come with a header or empty: a client nags without."""
        confirmed = struct.pack(">HHHHI", self.CONFIRM, 0, 0, 0, 0) + socket.inet_aton(LOOPBACK)
        while True:
            heard, client = self._socket.recvfrom(1024)
            if heard == self.END:
                return
            if not heard or heard.startswith(struct.pack(">H", self.REGISTER)):
                self._socket.sendto(confirmed, client)


def serve():
    from softioc import alarm, asyncio_dispatcher, builder, softioc  # noqa: PLC0415  (reads the settings when loaded)

    dispatcher = asyncio_dispatcher.AsyncioDispatcher()
    for name in PREFIX, SECOND:
        builder.SetDeviceName(name)
        add_reactor(builder, alarm)
    builder.LoadDatabase()
    softioc.iocInit(dispatcher, enable_pva=False)
    threading.Event().wait()


def add_reactor(builder, alarm):
    """The records of one reactor."""
    reading = builder.aIn("YIELD", initial_value=0.0, PREC=3)
    busy = builder.boolIn("BUSY", ZNAM="Idle", ONAM="Running")
    taken = builder.aIn("RBV", initial_value=20.0)
    runs = builder.longIn("RUNS", initial_value=0)
    armed = [""]

    def put(value):
        if armed[0] != "stuck":
            taken.set(value)

    def arm(fault):
        armed[0] = fault

    async def run(_):
        fault, armed[0] = armed[0], ""
        temperature = taken.get()
        begin(temperature)
        busy.set(1)
        if hangs(temperature):
            await asyncio.Event().wait()
        await asyncio.sleep(RUN_S)
        severity, why = alarm.NO_ALARM, alarm.NO_ALARM
        if temperature > LIMIT or fault == "alarm":
            severity, why = alarm.MAJOR_ALARM, alarm.HIHI_ALARM
        elif fault == "defined_error":
            severity, why = alarm.INVALID_ALARM, alarm.READ_ALARM
        reading.set(yield_at(temperature) + (fault == "drift"), severity=severity, alarm=why)
        busy.set(0)
        runs.set(runs.get() + 1)

    builder.aOut("SP", initial_value=20.0, always_update=True, on_update=put, blocking=True)
    builder.aOut("GO", initial_value=0, on_update=run, always_update=True, blocking=True)
    builder.stringOut("FAULT", initial_value="", on_update=arm, always_update=True, blocking=True)


if __name__ == "__main__":
    os.environ |= server_settings(*sys.argv[1:])
    serve()
