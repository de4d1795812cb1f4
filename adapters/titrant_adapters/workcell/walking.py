"""The way of trials through the steps: what is begun, awaited, recorded, left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import anyio

from titrant.errors import ConfigurationError, NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused, TitrantError
from titrant.ports import Result
from titrant.runtime.calls import RetryPolicy, retrying
from titrant_adapters.shape import Course
from titrant_adapters.workcell.endings import Outcome, gravity
from titrant_adapters.workcell.parts import Part
from titrant_adapters.workcell.progress import Progress
from titrant_adapters.workcell.safety import made_safe, safe
from titrant_adapters.workcell.trials import Trials


class Walker(Trials):
    """Takes trials through the steps.

    Args:
        parts: The steps by name, in their order.
        stages: The same, those that begin together in one.
        retry: How often refused steps are tried again.
    """

    def __init__(
        self, parts: Mapping[str, Part], stages: Sequence[Sequence[Part]], retry: Callable[[], RetryPolicy]
    ) -> None:
        super().__init__(parts)
        self._stages, self._retry = stages, retry

    async def walk(self, trial: Progress, course: Course) -> Result:
        """From where the trial is to its end.

        Raises:
            SubmissionRefused: An instrument refused a step; the trial waits there to be submitted again.
            OutcomeUnknown: Nobody can say what became of a step; its instruments stay the trial's.
        """
        for stage in self._stages:
            bad = await self._carried_out(trial, [part for part in stage if not trial.over(part)], course)
            for part in self._parts.values():
                if not bad and trial.keeps(part) and part.step.until in [one.name for one in stage]:
                    bad = await self._left(trial, part, course)
            if bad:
                return await self._broken_off(trial, *min(bad, key=gravity))
        self.forget(trial)
        return trial.result("completed")

    async def _carried_out(self, trial: Progress, parts: Sequence[Part], course: Course) -> list[Outcome]:
        """Carry steps out at once and await them all, as no run ends because another failed; those that ended badly."""
        for part in parts:
            await self.places[part.place].take(trial.key)
        fresh = [part for part in parts if not trial.begun(part)]
        if fresh:
            try:
                await self._intended(trial, fresh, course)
            except SubmissionRefused as exc:
                return [(fresh[0], exc)]
        bad: list[Outcome] = []
        async with anyio.create_task_group() as tasks:
            for part in parts:
                tasks.start_soon(self._one, trial, part, part in fresh, course, bad)
        return bad

    async def _intended(self, trial: Progress, parts: Sequence[Part], course: Course) -> None:
        """Have in the log that steps are about to begin.

        Raises:
            SubmissionRefused: They are not to.
        """
        for part in parts:
            trial.begin(part)
        try:
            await trial.note(course)
        except SubmissionRefused:
            for part in parts:
                trial.not_begun(part)
            raise

    async def _one(self, trial: Progress, part: Part, fresh: bool, course: Course, bad: list[Outcome]) -> None:
        """One step; what it raises is told, and not raised among those that go on beside it."""

        async def record(metadata: Any) -> None:
            trial.name(part, metadata)
            await trial.note(course)

        async def report(data: Any, progression: float | None) -> None:
            await course.report(part.called(data), progression)

        try:
            result = await part.carried_out(trial.of(part), record, report, begun=not fresh)
            if result.status == "completed":
                trial.finish(part, result)
                await self._happened(trial, course)
            else:
                bad.append((part, result))
        except SubmissionRefused as exc:
            trial.not_begun(part)
            bad.append((part, exc))
        except Exception as exc:  # noqa: BLE001  # an adapter's, or the log's
            bad.append((part, exc))

    async def _left(self, trial: Progress, part: Part, course: Course) -> list[Outcome]:
        """Bring the instrument of a step into its safe state, and give it to the next trial."""
        still = any(one is not part and one.place == part.place and trial.keeps(one) for one in self._parts.values())
        if not still and self.own(trial, [part]):
            try:
                await retrying(lambda: safe(part), policy=self._retry(), key=f"{trial.key}/safe")
            except Exception as exc:  # noqa: BLE001  # an adapter's
                return [(part, RunnerError(f"it could not be brought to its safe state: {exc or type(exc).__name__}"))]
        trial.leave(part)
        await self._happened(trial, course)
        return []

    async def _broken_off(self, trial: Progress, part: Part, why: Result | Exception) -> Result:
        """What it means for the trial that a step did not end well."""
        if isinstance(why, OutcomeUnknown | NeverSeen):
            raise OutcomeUnknown(f"{part.where}: {why}") from why
        if isinstance(why, SubmissionRefused):
            trial.refusals += 1
            if not trial.called_off and self._retry().again(trial.refusals, why):
                raise part.named(why) from why
        elif isinstance(why, TitrantError) and not isinstance(why, RunnerError | ConfigurationError):
            raise why  # the engine's own: its log is away, or it is being closed
        troubles = await made_safe(self.own(trial, [one for one in trial.touched if one.place in trial.occupied]))
        self.forget(trial)
        if isinstance(why, Exception) and not isinstance(why, TitrantError):
            raise why
        if isinstance(why, SubmissionRefused) and not trial.touched:
            raise part.named(why) from why
        last = why if isinstance(why, Result) else Result(status="failed", reason=str(why))
        reason = "; ".join([f"{part.where}: {last.reason or last.status}", *troubles])
        return trial.result(last.status, reason, last, part)

    async def _happened(self, trial: Progress, course: Course) -> None:
        """Have in the log what cannot be called off any more; what became free goes to the next trial."""
        with suppress(SubmissionRefused):
            await trial.note(course)
        for place in self.places.keys() - trial.occupied:
            self.places[place].give(trial.key)
