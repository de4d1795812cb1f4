"""Modbus TCP devices: PLCs, pumps, thermostats, whatever keeps numbers in registers.

::

    [[runners]]
    use = "modbus"
    with.host = "192.168.1.20"
    with.settings.temperature = { to = "0:float32", read_back = "0:float32", unit = "degC", tolerance = 0.1 }
    with.start = { at = 200, value = 1 }
    with.status = 210
    with.key = "201:uint32"
    with.key_of_run = "214:uint32"
    with.measure.yield = "220:float32"
    with.safe = [{ at = 200, value = 3 }]
    with.stop = { at = 200, value = 2 }
    with.failed = [3, 4]

A device that keeps a number with each run tells a restarted engine what became of it; of others, a person is asked.
"""

from titrant_adapters.modbus.config import ModbusConfig
from titrant_adapters.modbus.runner import ModbusRunner

__all__ = ["ModbusConfig", "ModbusRunner"]
