"""OPC UA devices, by asyncua; with the names of the LADS profile (OPC 30500) as they are in its functional units.

::

    [[runners]]
    use = "opcua"
    with.url = "opc.tcp://192.168.1.30:4840"
    with.unit = "DeviceSet/Reactor/FunctionalUnitSet/Unit"
    with.settings.temperature = { to = "FunctionSet/Heater/TargetValue", read_back = "FunctionSet/Heater/TargetValue" }
    with.start = "Operational/StartProgram"
    with.arguments = { ProgramTemplateId = "my program", SupervisoryJobId = "{key}" }
    with.results = "ProgramManager/ResultSet"
    with.job = "SupervisoryJobId"
    with.state = "Stopped"
    with.running = [""]
    with.done = []
    with.measure.yield = "VariableSet/Yield"
    with.stop = "Operational/Stop"

The start must be a method that returns at once and takes a name for the run, the key, which the device then shows: by
that it is found again after lost replies, lost lines and restarts.  A method that lasts as long as the run is of no
use: one server answers nobody meanwhile, another forgets the run with the line.  No subscriptions: they skip states.

A channel that is signed and encrypted, and somebody who logs in::

    with.user = "titrant"
    with.password = { env = "PLC_PASSWORD" }
    [runners.with.security]
    certificate = "/etc/titrant/own.der"
    private_key = "/etc/titrant/own.pem"
    server_certificate = "/etc/titrant/plc.der"         # this one is trusted, and no other
"""

from titrant_adapters.opcua.config import OpcUaConfig
from titrant_adapters.opcua.runner import OpcUaRunner
from titrant_adapters.opcua.security import Security

__all__ = ["OpcUaConfig", "OpcUaRunner", "Security"]
