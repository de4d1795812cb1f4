"""Liquid handlers and plate readers by PyLabRobot: a trial is a well, its parameters are volumes.

::

    [[runners]]
    use = "pylabrobot"
    with.bench = "my_lab.deck:bench"        # gives handler and reader; nothing is connected before the experiment
    with.plate = "plate"
    with.tips = ["tips"]
    with.settings.dye = { to = "stock[A1:H1]", unit = "uL" }
    with.measure.absorbance = { of = "absorbance", at = { wavelength = 520 } }
    with.book = "bench.json"

PyLabRobot takes a step back in its books when one breaks off, as if no liquid had moved; nobody knows that.  So a well
is written down as used and uncertain before it is touched, and stays uncertain until a person has looked at it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any

import anyio

from titrant.errors import OutcomeUnknown, RunnerError
from titrant.model.trial import Attempt
from titrant.ports import Finding
from titrant_adapters.pylabrobot.bench import ERRORS, Bench
from titrant_adapters.pylabrobot.config import Look, PylabrobotConfig
from titrant_adapters.shape import AdapterRunner, Course, Settings, bounded, library


class PylabrobotRunner(AdapterRunner[PylabrobotConfig]):
    """A bench of PyLabRobot; see ``PylabrobotConfig``."""

    config_type = PylabrobotConfig
    errors = ERRORS

    @property
    def settings(self) -> Settings:
        """How parameters become volumes."""
        return Settings(self.config.settings, ignored=self.config.ignored)

    async def connect(self) -> None:
        """Lay the deck out as the book says it was left, and set the machines up."""
        self._up: list[Any] = []
        # Without trackers nobody knows what is left; PyLabRobot has them for all benches of a process or for none.
        resources = library("pylabrobot.resources", "pylabrobot")
        resources.set_tip_tracking(enabled=True)
        resources.set_volume_tracking(enabled=True)
        self.bench = Bench(self.config)
        for machine in (self.bench.handler, self.bench.reader):
            with bounded(self.config.timeout_s, "setting a machine up"):
                await machine.setup()
            self._up.append(machine)

    async def disconnect(self) -> None:
        """Let the machines go."""
        while self._up:
            await self._up.pop().stop()

    async def look(self) -> AsyncIterator[Finding]:
        """What is uncertain on the bench."""
        yield Finding("ok", f"{self.config.bench} is set up, the next well is {self.bench.well().name}")
        for name, why in self.bench.book.page.uncertain.items():
            yield Finding(
                "warn", f"{name} is uncertain: {why}", f"look at it, then strike it out in {self.config.book}"
            )

    async def make_safe(self) -> None:
        """Throw away the tips that are on."""
        if any(channel.has_tip for channel in self.bench.handler.head.values()):
            with bounded(self.config.timeout_s, "throwing tips away"):
                await self.bench.handler.discard_tips()
            await self.bench.write()

    async def carry_out(self, attempt: Attempt, course: Course) -> dict[str, float]:
        """Pipette every parameter into the next clean well, and read it."""
        bench, page = self.bench, self.bench.book.page
        await self.make_safe()  # a tip that is still on was another trial's
        well = bench.well()
        page.used[well.name] = attempt.key
        page.uncertain[well.name] = f"trial {attempt.trial} did not come to its end"
        await bench.write()
        await course.begin({"well": well.name})
        with course.start.within(self.config.run_timeout_s, "the run"):
            try:
                for setting, volume in self.settings.outward(attempt.parameters).values():
                    if float(volume) > self.config.least_ul:
                        await self._transfer(str(setting.to), float(volume), well, course)
            except OutcomeUnknown:
                raise
            except RunnerError:  # the machine says what became of it
                await self._certain(well)
                raise
            await self._certain(well)
            return {name: await self._read(well, look, course) for name, look in self.config.measure.items()}

    async def _certain(self, well: Any) -> None:
        del self.bench.book.page.uncertain[well.name]
        await self.bench.write()

    async def _transfer(self, name: str, volume: float, well: Any, course: Course) -> None:
        handler, source = self.bench.handler, self.bench.source(name, volume)
        before = source.tracker.get_used_volume()
        await self._step(handler.pick_up_tips([self.bench.tip()]), "picking up a tip", course)
        try:
            await self._step(handler.aspirate([source], vols=[volume]), f"aspirating from {source.name}", course)
        except OutcomeUnknown:
            if source.tracker.get_used_volume() >= before:  # rolled back: count what may be gone as gone
                source.tracker.remove_liquid(volume)
                source.tracker.commit()
            self.bench.book.page.uncertain[source.name] = f"holds {before - volume:g} to {before:g} uL"
            await self.bench.write()
            raise
        await self._step(handler.dispense([well], vols=[volume]), f"dispensing into {well.name}", course)
        await self._step(handler.discard_tips(), "discarding the tip", course)

    async def _read(self, well: Any, look: Look, course: Course) -> float:
        """Reading twice does no harm: what breaks off is read again, within the run's time."""
        while True:
            try:
                return await self._step(self.bench.read(well, look), f"reading {well.name}", course)  # type: ignore[no-any-return]
            except OutcomeUnknown:
                await anyio.sleep(self.config.poll_s)

    async def _step(self, work: Awaitable[Any], what: str, course: Course) -> Any:
        with self.errors.translated(course.start, what), course.start.within(self.config.timeout_s, what):
            return await work


__all__ = ["PylabrobotConfig", "PylabrobotRunner"]
