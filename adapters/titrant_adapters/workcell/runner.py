"""A workcell as a runner: what it declares, its connections, its safe state; see the package."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import anyio

from titrant.errors import ConfigurationError, NeverSeen, SubmissionRefused
from titrant.model.space import SearchSpace
from titrant.model.trial import Attempt
from titrant.ports import Finding, Record, Report, Result
from titrant_adapters.shape import AdapterRunner, Course
from titrant_adapters.workcell.config import WorkcellConfig
from titrant_adapters.workcell.holding import Holding
from titrant_adapters.workcell.looking import check_parts, probed
from titrant_adapters.workcell.parts import Part
from titrant_adapters.workcell.progress import Progress
from titrant_adapters.workcell.safety import made_safe, stopped, tell
from titrant_adapters.workcell.trials import least
from titrant_adapters.workcell.walking import Walker


class WorkcellRunner(AdapterRunner[WorkcellConfig]):
    """Carries trials out by the adapters of its steps; see ``WorkcellConfig``."""

    config_type = WorkcellConfig
    absence_is_proof = True  # of a trial nothing has begun before a step of it is in the log

    def __init__(self, config: WorkcellConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        steps = self.config.steps
        self.parts = {step.name: Part(step, at, len(steps)) for at, step in enumerate(steps, 1)}
        parts = self.parts.values()
        check_parts(parts, WorkcellRunner)
        self.capacity = self.config.places or least([part.adapter.capacity for part in parts])
        # Only who declares that it can is asked after a restart: one step is enough, the others say that they cannot.
        self.can_report_status = any(part.found for part in parts)
        self.honours_keys = all(part.adapter.honours_keys for part in parts)
        self.rerun_safe = all(part.again for part in parts)
        stages = [[self.parts[step.name] for step in stage] for stage in self.config.stages]
        self._walker = Walker(self.parts, stages, lambda: self.retry)

    def check_space(self, space: SearchSpace) -> None:
        """Hold each step against what it takes of the search space, and that against all of them.

        Raises:
            ConfigurationError: They do not fit.
        """
        taken = {name for part in self.parts.values() for name in part.takes(space.names)} | {*self.config.ignored}
        found: list[str] = []
        if left := [name for name in space.names if name not in taken]:
            found.append(f"no step takes {', '.join(map(repr, left))}: add it to the settings of one, or to `ignored`")
        for part in self.parts.values():
            try:
                part.check_space(space)
            except ConfigurationError as exc:
                found.append(str(exc))
        if found:
            raise ConfigurationError("; ".join(found))

    async def __aenter__(self) -> Self:
        self._walker.begin_anew()
        self._holding = Holding(self.parts.values())  # whose scopes are of the event loop
        await self._holding.enter()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave every instrument safe, but those of trials that will be found again where they are."""
        going_on = [one for one in self._walker.trials.values() if all(part.found for part in one.under_way)]
        troubles = await self._holding.leave({place for one in going_on for place in one.occupied})
        tell(troubles)

    async def probe(self) -> list[Finding]:
        """Ask the adapters of all steps at once."""
        return await probed(self.parts)

    async def make_safe(self) -> None:
        """Bring all instruments into their safe states, each by itself.

        Raises:
            RunnerError: Some could not be.
        """
        for trial in self._walker.trials.values():
            trial.called_off = "the workcell was brought to its safe state"
        troubles = await made_safe(self.parts.values())
        for trial in list(self._walker.trials.values()):
            self._walker.forget(trial)
        tell(troubles)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Go through the steps; one that was refused is where a trial that is submitted again goes on."""
        trial = self._walker.trials.get(attempt.key) or self._walker.begin(attempt)
        return await self._walker.walk(trial, course)

    async def reattach(self, attempt: Attempt, record: Record | None = None, report: Report | None = None) -> Result:
        """See a trial to its end that an earlier process began.

        Raises:
            NeverSeen: No step of it had begun: that is recorded first.
        """
        if not attempt.metadata:
            raise NeverSeen(f"no step of trial {attempt.trial} has begun: that is recorded first")
        course = Course(attempt, record, report)
        course.start.sent = True
        with self._on_its_way(course):
            return await self.collect(attempt, course)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Find the step under way, and go on; refused steps are tried again here, as nobody submits the trial again."""
        trial = self._walker.begin(attempt)
        while True:
            try:
                return await self._walker.walk(trial, course)
            except SubmissionRefused as exc:
                if attempt.key not in self._walker.trials:
                    return trial.result("failed", str(exc))
                await anyio.sleep(self.retry.delay(trial.refusals, attempt.key))

    async def settled(self, attempt: Attempt) -> None:
        """Give the instruments of a trial to the next, safe: somebody has said what became of it.

        Raises:
            RunnerError: One could not be made safe.
        """
        trial = self._walker.trials.get(attempt.key)
        if trial is not None:
            trial.called_off = "it was settled"
            troubles = await made_safe(self._walker.own(trial, trial.touched))
            self._walker.forget(trial)
            tell(troubles)

    async def stop(self, attempt: Attempt) -> None:
        """Stop the steps under way, begin no other, and bring what the trial used into its safe state.

        Raises:
            RunnerError: A step could not be stopped, or an instrument not be made safe.
        """
        trial = self._walker.trials.get(attempt.key) or Progress.recalled(attempt, self.parts)
        trial.called_off = "it was stopped"
        troubles = await stopped(trial)
        troubles += await made_safe(self._walker.own(trial, trial.touched))
        self._walker.forget(trial)
        tell(troubles)
