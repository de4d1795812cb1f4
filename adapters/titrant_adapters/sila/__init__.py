"""SiLA 2 servers: a run is one observable command, found again by the uuid of its execution.

::

    [[runners]]
    use = "sila"
    with.host = "192.168.1.20"
    with.command = "Reactor.RunReaction"
    with.settings.temperature = { to = "Temperature", unit = "degC", sent_in = "K" }
    with.measure.yield = "Yield"
    with.safe = ["Reactor.Stop"]
    with.stop = "CancelController.CancelCommand"

A server gives the uuid once it has begun, and SiLA has no question for a name of our own: of a run whose confirmation
was lost, a person is asked.
"""

from titrant_adapters.sila.config import SilaConfig
from titrant_adapters.sila.runner import SilaRunner

__all__ = ["SilaConfig", "SilaRunner"]
