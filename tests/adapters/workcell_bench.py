"""Instruments in memory for workcells: each does as it is told in ``TOLD``, and enters into ``SEEN`` what it did."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import anyio
import anyio.lowlevel
import msgspec
from msgspec import Meta

from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.ports import Finding, Result
from titrant_adapters.shape import AdapterRunner, Config, Secret, Setting, Settings


class BenchConfig(Config, frozen=True, kw_only=True):
    """Which instrument it is, and what its settings reach."""

    at: str
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    measure: dict[str, str] = msgspec.field(default_factory=dict)
    places: Annotated[int, Meta(ge=1)] = 1
    token: Secret | None = None


class Bench:
    """All instruments: what was started, what is under way, what was seen."""

    def __init__(self):
        self.seen = []
        self.starts = {}
        self.faults = {}
        self.hold = {}
        self.waiting = {}
        self.busy, self.most = Counter(), Counter()
        self.pace = 0

    def of(self, word):
        return [what.partition(" ")[2] for what in self.seen if what.partition(" ")[0] == word]

    def gate(self, name):
        """Runs of the instrument wait until the gate is opened."""
        self.hold[name] = anyio.Event()
        self.waiting[name] = anyio.Event()
        return self.hold[name]


BENCH = Bench()


class BenchRunner(AdapterRunner[BenchConfig]):
    """An instrument in memory; it can be asked for its runs by their keys, and stopped."""

    config_type = BenchConfig
    can_report_status = True

    def __init__(self, config=None, *, name=None, **fields):
        super().__init__(config, name=name, **fields)
        self.capacity = self.config.places

    @property
    def settings(self):
        return Settings(self.config.settings)

    def _fault(self, moment):
        fault = BENCH.faults.get((self.config.at, moment))
        if isinstance(fault, list):
            fault = fault.pop(0) if fault else None
        if fault is not None:
            raise fault

    async def connect(self):
        self._fault("connect")
        BENCH.seen.append(f"connect {self.config.at}")

    async def disconnect(self):
        BENCH.seen.append(f"disconnect {self.config.at}")

    async def look(self):
        self._fault("look")
        yield Finding("ok", f"{self.config.at} is here")

    async def make_safe(self):
        if BENCH.faults.get((self.config.at, "safe")) == "hang":
            await anyio.sleep_forever()
        self._fault("safe")
        BENCH.seen.append(f"safe {self.config.at}")

    async def carry_out(self, attempt, course):
        self._fault("refuse")
        await course.begin({"id": f"{self.config.at}-{attempt.key}"})
        BENCH.seen.append(f"start {self.config.at} {attempt.trial}")
        BENCH.starts.setdefault(attempt.key, []).append(self.config.at)
        return await self._ended(attempt)

    async def collect(self, attempt, course):
        self._fault("collect")
        if attempt.key not in BENCH.starts:
            raise NeverSeen("no such run")
        BENCH.seen.append(f"found {self.config.at} {attempt.trial}")
        return await self._ended(attempt)

    async def _ended(self, attempt):
        at = self.config.at
        BENCH.busy[at] += 1
        BENCH.most[at] = max(BENCH.most[at], BENCH.busy[at])
        try:
            return await self._gone_through(attempt)
        finally:
            BENCH.busy[at] -= 1

    async def _gone_through(self, attempt):
        if (gate := BENCH.hold.get(self.config.at)) is not None:
            BENCH.waiting[self.config.at].set()
            await gate.wait()
        self._fault("run")
        for _ in range(BENCH.pace):
            await anyio.lowlevel.checkpoint()
        total = sum(attempt.parameters.values())
        BENCH.seen.append(f"end {self.config.at} {attempt.trial}")
        return Result(
            data=dict.fromkeys(self.config.measure, total), executed=BENCH.faults.get((self.config.at, "executed"))
        )

    async def stop(self, attempt):
        self._fault("stop")
        BENCH.seen.append(f"stop {self.config.at} {attempt.trial}")


class MuteBenchRunner(BenchRunner):
    """One that cannot be asked, and not be stopped."""

    can_report_status = False
    stop = None

    async def carry_out(self, attempt, course):
        self._fault("refuse")
        await course.begin()
        BENCH.seen.append(f"start {self.config.at} {attempt.trial}")
        BENCH.starts.setdefault(attempt.key, []).append(self.config.at)
        return await self._ended(attempt)


REFUSED, LOST, FAILED = SubmissionRefused("the door is open"), OutcomeUnknown("no answer"), RunnerError("overheated")
