"""A Modbus TCP reactor on pymodbus: ``python -m tests.adapters.servers.modbus PORT``.

Holding registers of device 1: write tenths of a degree to register 0, which runs; read the yield in hundredths of a
per cent, as 32 bits with a sign, from registers 2 and 3.  Too hot a run is answered with ILLEGAL DATA VALUE.
"""

import asyncio
import struct
import sys

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from tests.adapters.servers.process import LOOPBACK
from tests.adapters.servers.reactor import LIMIT, begin, hangs, yield_at

DEVICE, SET_POINT, YIELD = 1, 0, 2
WRITE_ONE, WRITE_MANY = 6, 16


async def act(function, start, address, _count, registers, values):
    """Called before each request is carried out; what it returns, unless None, is the answer."""
    if function not in {WRITE_ONE, WRITE_MANY} or address != SET_POINT:
        return None
    (raw,) = struct.unpack(">h", struct.pack(">H", values[0]))
    temperature = raw / 10
    if temperature > LIMIT:
        return ExcCodes.ILLEGAL_VALUE
    begin(temperature)
    if hangs(temperature):
        await asyncio.Event().wait()
    hundredths = struct.pack(">i", round(100 * yield_at(temperature)))
    registers[YIELD - start : YIELD - start + 2] = struct.unpack(">HH", hundredths)
    return None


async def main(port):
    device = SimDevice(DEVICE, simdata=[SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)], action=act)
    await ModbusTcpServer(device, address=(LOOPBACK, port)).serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
