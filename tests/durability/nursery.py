"""Where the children come from: forked from a process that has loaded the engine, or each a Python of its own."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
from tests.durability.forking import Answer, Order

from titrant.testing.crash import Ended, run

ROOT = Path(__file__).parents[2]


def nursery(folder):
    """What starts children here: not every system forks, and only Linux waits for a process as for a file."""
    return Nursery(folder) if hasattr(os, "pidfd_open") else Fresh()


class Fresh:
    """Starts each child as a Python of its own, on any system; see ``Nursery``."""

    def run(self, plan, *, at="", after=None, listing=None, limit=60.0):
        argv = ["-m", "tests.durability.child", msgspec.json.encode(plan).decode()]
        return run(argv, at=at, after=after, listing=listing, limit=limit, cwd=ROOT)

    def close(self):
        """There is nothing to end."""


class Nursery:
    """Starts children, one at a time; as ``titrant.testing.crash.run``, without loading the engine for each."""

    def __init__(self, folder):
        self._said = folder / "stderr"
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "tests.durability.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )

    def run(self, plan, *, at="", after=None, listing=None, limit=60.0):
        """Run a child to its end, or kill it on the way."""
        order = Order(
            plan=msgspec.Raw(msgspec.json.encode(plan)),
            said=str(self._said),
            at=at,
            after=after,
            listing="" if listing is None else str(listing),
            limit=limit,
        )
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        answer = msgspec.json.decode(self._process.stdout.readline(), type=Answer)
        return Ended(answer.code, answer.hung, self._said.read_text(errors="replace"))

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
