"""The simulated lab itself: one state, one ledger, one plan of faults, whatever protocol stands in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import anyio

from titrant_adapters.twin.ahead import Faults
from titrant_adapters.twin.answers import Refused
from titrant_adapters.twin.behaviour import Behaviour
from titrant_adapters.twin.clock import LabClock, Pace
from titrant_adapters.twin.faults import Fault, FaultKind, FaultPlan
from titrant_adapters.twin.ledger import Ledger, Value
from titrant_adapters.twin.physics import Physics
from titrant_adapters.twin.runs import Run, Runs
from titrant_adapters.twin.settings import Settings

MAKER = "titrant"
MODEL = "lab twin"


class LabTwin:
    """One simulated lab.

    Args:
        physics: What it is made of.
        behaviour: How it behaves in every run.
        faults: What goes wrong in some.
        seed: Of everything by chance in it; what happens to a run depends on it and the run's number alone.
        ledger: Where physical starts are entered; runs that are open in it were lost.
        clock: Its time.

    Attributes:
        settings: What is set.
        runs: What is under way and what was; ``runs.on_crash`` is called when it goes down, with seconds.
        ledger: What was physically started.
        faults: What lies ahead.
    """

    def __init__(
        self,
        physics: Physics,
        *,
        behaviour: Behaviour | None = None,
        faults: FaultPlan | None = None,
        seed: int = 0,
        ledger: Ledger | None = None,
        clock: LabClock | None = None,
    ) -> None:
        self.physics = physics
        self.behaviour = behaviour or Behaviour()
        self.ledger = ledger or Ledger()
        self.clock = clock or Pace()
        self.faults = Faults(faults or FaultPlan(seed=seed), runs=self.ledger.starts())
        self.settings = Settings(tuple(physics.inputs), self.behaviour.lag_s, self.clock, self.faults)
        self.runs = Runs(physics, self.behaviour, self.ledger, self.clock, seed)
        self._replies = 0
        self._quiet = anyio.Event()

    def start(self, key: str = "", parameters: Mapping[str, Value] | None = None) -> Run:
        """Begin a run, with settings that come with it and those made before.

        Raises:
            Refused: It is busy, a setting is out of range, or a fault says so; nothing has begun.
            Unknown: It has no such setting.
        """
        if self.behaviour.honours_keys and key and (known := self.find(key)) is not None:
            return known
        if self.faults.refusal() is not None:
            raise Refused("the interlock is open")
        if len(self.runs.under_way()) >= self.behaviour.places:
            raise Refused(f"busy: {self.behaviour.places} of {self.behaviour.places} places are taken")
        self.settings.check(parameters or {})
        for name, value in (parameters or {}).items():
            self.settings.set(name, value)
        faults = self.faults.begin(self.ledger.starts() + 1)
        self.settings.moved_on()
        return self.runs.begin(key, self.settings.over(self.behaviour.duration_s), faults)

    def find(self, key: str) -> Run | None:
        """The latest run that was asked for with a key, as it stands now."""
        numbers = [start.number for start in self.ledger.all_starts if start.key == key]
        return self.runs.look(numbers[-1]) if numbers else None

    def latest(self) -> Run | None:
        """The last run that was started, as it stands now."""
        return self.runs.look(self.ledger.starts()) if self.ledger.starts() else None

    def safe_state(self) -> None:
        """End every run, and set everything to what it was at first."""
        for number in self.runs.under_way():
            self.runs.stop(number)
        self.settings.reset()

    async def arm(self, fault: FaultKind, seconds: float = 0.0) -> None:
        """Let the next run meet a fault, once, in place of any armed before."""
        self.settings.moved_on()
        self.faults.arm(Fault(kind=fault, seconds=seconds))

    async def starts(self, key: str | None = None) -> int:
        """Physical starts so far, of one key or of all."""
        return self.ledger.starts(key)

    async def settled(self) -> None:
        """Wait until nothing is under way: no run, and no reply on its way."""
        while numbers := self.runs.under_way():
            await self.runs.finish(numbers[0])
        while self._replies:
            await self._quiet.wait()

    @contextmanager
    def replying(self) -> Iterator[None]:
        """A reply is on its way."""
        self._replies += 1
        try:
            yield
        finally:
            self._replies -= 1
            if not self._replies:
                self._quiet.set()
                self._quiet = anyio.Event()
