"""The lab twin: one seeded simulated lab that stands behind real protocol servers, for whoever has no hardware.

``LabTwin`` is the lab, ``doors`` are the protocols in front of it, ``titrant twin serve`` starts one.  Everything
listens on the loopback interface only.
"""

from titrant_adapters.twin.answers import Refused, Unknown
from titrant_adapters.twin.behaviour import Behaviour
from titrant_adapters.twin.clock import ByHand, Pace
from titrant_adapters.twin.faults import Fault, FaultKind, FaultPlan, read_plan
from titrant_adapters.twin.lab import LabTwin
from titrant_adapters.twin.ledger import Ledger
from titrant_adapters.twin.runs import Run

__all__ = [
    "Behaviour",
    "ByHand",
    "Fault",
    "FaultKind",
    "FaultPlan",
    "LabTwin",
    "Ledger",
    "Pace",
    "Refused",
    "Run",
    "Unknown",
    "read_plan",
]
