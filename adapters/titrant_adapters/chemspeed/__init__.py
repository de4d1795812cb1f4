"""Chemspeed platforms by the four files that a manager inside AutoSuite exchanges: command, response, return, status.

::

    [[runners]]
    use = "chemspeed"
    with.folder = "//chemspeed/exchange"
    with.commands = [
        ["set_temperature", "ISYNTH:1-16", "on", "{T_C}", "2"],
        ["transfer_liquid", "SOLVENT:1", "ISYNTH:1", "{volume_mL}"],
        ["measure_level", "ISYNTH:1"],
    ]
    with.settings.temperature = { to = "T_C", unit = "degC", read_back = 2, tolerance = 1.0 }   # a place in status.csv
    with.settings.volume = { to = "volume_mL", unit = "uL", sent_in = "mL" }
    with.measure.level = 1                                # a place in what the last command returns

The files have no names for runs, no word for "no" and none for "it failed": what became of a trial when the engine was
killed, or when nothing came back, a person must say.  One program at a time may write commands.
"""

from titrant_adapters.chemspeed.config import ChemspeedConfig
from titrant_adapters.chemspeed.runner import ChemspeedRunner

__all__ = ["ChemspeedConfig", "ChemspeedRunner"]
