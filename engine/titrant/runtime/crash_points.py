"""Named points at which a test may have the process killed; in ordinary use they do nothing.

Set ``TITRANT_CRASH_AT=name`` (or ``name#3`` for the third time the point is passed) before the process starts, and it
kills itself there as ``kill -9`` would.  ``TITRANT_CRASH_LIST=path`` appends every distinct name passed to a file, so
that a campaign can find out which points there are.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def _off(name: str) -> None:
    """Do nothing."""


def _die() -> None:
    """End this process at once: no handler, no flush, no goodbye."""
    os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    os._exit(137)


def _armed(environment: Mapping[str, str], die: Callable[[], None] = _die) -> Callable[[str], None]:
    target, _, count = environment.get("TITRANT_CRASH_AT", "").partition("#")
    listing = environment.get("TITRANT_CRASH_LIST", "")
    if not target and not listing:
        return _off
    left = int(count or 1)
    seen: set[str] = set()

    def passed(name: str) -> None:
        nonlocal left
        if listing and name not in seen:
            seen.add(name)
            with Path(listing).open("a", encoding="utf-8") as file:
                file.write(name + "\n")
        if name == target:
            left -= 1
            if left == 0:
                die()

    return passed


crash_point: Callable[[str], None] = _armed(os.environ)
"""Pass the point of this name: die here if a test asked for it."""
