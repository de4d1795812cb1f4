"""The one instrument behind all servers: a reactor whose yield is best at 80 degrees.

The same three regions everywhere, so that whoever knows one server knows all: up to 200 degrees a run gives
its yield, above 200 it fails with the protocol's own error, below 0 it never answers.
"""

import os
from pathlib import Path

LIMIT = 200.0
BEST = 80.0


class TooHotError(Exception):
    """The temperature is above what the reactor can bear."""


def yield_at(temperature):
    """The yield in per cent; negative far from the best, so that two points never look alike by clipping."""
    return 100.0 - ((temperature - BEST) / 8.0) ** 2


def begin(temperature):
    """Enter a physical start into the ledger, before anything else can go wrong."""
    with Path(os.environ["LEDGER"]).open("a") as ledger:
        ledger.write(f"{temperature}\n")


def hangs(temperature):
    """Whether a run at *temperature* never answers."""
    return temperature < 0
