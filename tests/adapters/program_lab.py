"""The lab in which ``program.py`` runs: a folder, which tells it what shall go wrong and counts its starts."""

import json
from pathlib import Path

import anyio
import psutil


class ProgramLab:
    """RunnerContract's ``FaultyLab`` for all that calls a program or a function."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)

    async def arm(self, fault, seconds=0.0):
        part = self.folder / "armed.part"
        part.write_text(json.dumps([fault, seconds]))
        part.replace(self.folder / "armed")

    def count(self):
        ledger = self.folder / "starts"
        return len(ledger.read_text().splitlines()) if ledger.exists() else 0

    async def starts(self):
        return self.count()

    async def settled(self):
        """Let go whoever hangs, and wait for all that live."""
        (self.folder / "release").touch()
        while self._running():  # noqa: ASYNC110  (other processes)
            await anyio.sleep(0.01)
        (self.folder / "release").unlink()
        (self.folder / "armed").unlink(missing_ok=True)

    def _running(self):
        numbers = [int(path.name.split("-")[1]) for path in self.folder.glob("running-*")]
        return [number for number in numbers if lives(number)]


def lives(number):
    """Whether there is such a process; not one that is dead and that nobody has buried."""
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
