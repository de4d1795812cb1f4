"""Any driver of pymeasure as an instrument: parameters are its properties, metrics too.

::

    [[runners]]
    use = "pymeasure"
    with.driver = "pymeasure.instruments.keithley:Keithley2260B"
    with.resource = "TCPIP0::192.168.1.20::2268::SOCKET"
    with.settings.voltage = { to = "voltage_setpoint", read_back = "voltage_setpoint", tolerance = 0.01 }
    with.start = ["output_enabled=true"]
    with.measure.power = "power"
    with.safe = ["shutdown"]

Drivers name no runs: what became of one after the engine was killed, nobody can say, and a person is asked.
"""

from titrant_adapters.pymeasure.config import PymeasureConfig
from titrant_adapters.pymeasure.runner import PymeasureRunner

__all__ = ["PymeasureConfig", "PymeasureRunner"]
