"""Several instruments that carry every trial out together, step by step, each behind an adapter of its own.

::

    [[runners]]
    use = "workcell"
    with.places = 2                                   # the next trial begins while this one is in the reactor

    [[runners.with.steps]]
    name = "supply"
    use = "scpi"
    until = "reactor"                                 # the trial's until the reactor is done; then in its safe state
    rerun_safe = true                                 # a voltage may be set twice
    with.host = "192.168.1.21"
    with.settings.voltage = { to = "VOLT", read_back = "VOLT?" }
    with.start = "OUTP ON"
    with.measure.voltage = "MEAS:VOLT?"
    with.safe = ["OUTP OFF"]
    prefix = "supply_"                                # what it measures is called supply_voltage

    [[runners.with.steps]]
    name = "reactor"
    use = "sila"
    with.host = "192.168.1.22"
    with.command = "Reactor.RunReaction"
    with.settings.temperature = { to = "Temperature", unit = "degC" }
    with.measure.yield = "Yield"

What a step is about to do is in the log before it begins, under a key of its own, and what it gave when it has ended:
after a restart no finished step is carried out again, the one under way is found by its own adapter, and the next ones
follow.  Where that adapter cannot find it, the trial is UNKNOWN, and the reason names the step.
"""

from titrant_adapters.workcell.config import Step, WorkcellConfig
from titrant_adapters.workcell.runner import WorkcellRunner

__all__ = ["Step", "WorkcellConfig", "WorkcellRunner"]
