"""MADSci nodes over their REST API: an action is created, its id recorded, and only then started.

::

    [[runners]]
    use = "madsci"
    [runners.with]
    url = "http://127.0.0.1:2000"
    action = "run_reaction"
    settings.temperature_c = { to = "temperature" }     # an argument of the action
    args = { minutes = 5 }                              # others, always the same
    measure.yield = ""                                  # JSON pointer into the action's result; "" is the whole

An action whose id the node does not know was not started, or forgotten when the node restarted: which, a person must
find out.  After an action that raised, a node takes no other until it is reset.
"""

from titrant_adapters.madsci.config import MadsciConfig
from titrant_adapters.madsci.runner import MadsciRunner

__all__ = ["MadsciConfig", "MadsciRunner"]
