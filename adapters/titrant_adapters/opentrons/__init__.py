"""Opentrons robots over HTTP: a protocol of theirs with run-time parameters, or commands one by one.

::

    [[runners]]
    use = "opentrons"
    [runners.with]
    url = "http://169.254.1.1:31950"
    settings.volume = { to = "volume", unit = "uL", read_back = "volume" }
    protocol = "f8a3..."                        # its id on the robot; the trial's parameters become its own

A robot measures nothing: let a metric fetch the data, or give ``commands`` and point ``measure`` into their results.
A run of a protocol goes on by itself and is found again after a restart.  Commands are sent one by one, so a trial
in which the engine or the line broke off is UNKNOWN: part of it was done, and a person must look at the deck.

Held to 21 recorded exchanges with a robot-server 8.2 and, for protocols, to its own OpenAPI document; NOT VERIFIED on
a robot.
"""

from titrant_adapters.opentrons.config import Command, OpentronsConfig
from titrant_adapters.opentrons.runner import OpentronsRunner

__all__ = ["Command", "OpentronsConfig", "OpentronsRunner"]
