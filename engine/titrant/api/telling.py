"""Asking for trials and telling their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from titrant.api.base import OnEngine, by, by_name
from titrant.api.circumstances import context_of
from titrant.errors import ApprovalRequired
from titrant.messages import commands as c
from titrant.model.given import listed
from titrant.model.trial import Parameterization, TrialStatus


class Telling(OnEngine):
    """Trials that people and other programs carry out."""

    async def get_next_trials(
        self,
        max_trials: int = 1,
        fixed_parameters: Parameterization | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> dict[int, Parameterization]:
        """Make trials to carry out oneself; they are RUNNING from here on, and durable before this returns.

        Args:
            max_trials: How many.
            fixed_parameters: Parameters held at a value.
            context: What the context parameters are now; all of them.

        Returns:
            Trial index to conditions; fewer than asked only when a finite search space is used up, or where some of
            them await a person's approval: once approved these are RUNNING in the caller's hands as well.

        Raises:
            GenerationError: Nothing could be suggested.
            ApprovalRequired: All that were made await approval.
        """
        fixed = {**by_name("fixed_parameters", fixed_parameters), **context_of(self.state, context)}
        made = await self.engine.ask_trials(max_trials, fixed, by())
        trials = [self.state.trial(index) for index in made]
        awaiting = {trial.index: trial.rule for trial in trials if trial.status is TrialStatus.PROPOSED}
        if made and len(awaiting) == len(made):
            raise ApprovalRequired(awaiting)
        return {trial.index: dict(trial.parameters) for trial in trials if trial.index not in awaiting}

    async def complete_trial(
        self,
        trial_index: int,
        raw_data: Any = None,
        progression: float | None = None,
        executed: Mapping[str, Any] | None = None,
    ) -> TrialStatus:
        """Tell a trial's result.

        Args:
            trial_index: The trial.
            raw_data: A number, ``(mean, sem)``, or a mapping of metric names to these.
            progression: Where in the trial's course the data were taken; None for the end result.
            executed: Parameters that were carried out otherwise than planned, with their true values; see
                ``record_executed``.
        """
        data = await self.observed("CompleteTrial", by(), trial_index, raw_data, progression)
        command = c.CompleteTrial(trial=trial_index, observations=data, executed=by_name("executed", executed))
        state = await self.engine.do(command, by())
        return state.trial(trial_index).status

    async def attach_data(self, trial_index: int, raw_data: Any, progression: float | None = None) -> None:
        """Add data to a trial without ending it; a late result is always recorded."""
        data = await self.observed("AttachData", by(), trial_index, raw_data, progression)
        await self.engine.do(c.AttachData(trial=trial_index, observations=data), by())

    async def attach_trial(self, parameters: Parameterization, arm_name: str | None = None) -> int:
        """Add a trial with conditions of one's own; returns its index.

        It is RUNNING in the caller's hands; where the approval policy asks for a person it is PROPOSED until then.
        """
        return await self._attach(c.AttachTrial(parameters=by_name("parameters", parameters), arm_name=arm_name))

    async def attach_baseline(self, parameters: Parameterization, arm_name: str | None = None) -> int:
        """Add the trial that relative outcome constraints refer to; returns its index."""
        return await self._attach(
            c.AttachTrial(parameters=by_name("parameters", parameters), arm_name=arm_name, baseline=True)
        )

    async def replicate_trial(self, trial_index: int, count: int = 1) -> list[int]:
        """Carry a trial's conditions out again, *count* times; returns the new trials' indices.

        While a closed loop takes new trials they wait for a runner there, and do not count against its ``max_trials``;
        otherwise they are RUNNING in the caller's hands.  A model sees each as an observation of its own;
        ``get_best_parameterization`` and the Pareto front rank the mean over all of them, but for those that were
        carried out elsewhere (``record_executed``) by more than a hundredth of a parameter's range.

        Raises:
            CommandRefused: The trial's conditions do not fit the search space as it is now.
        """
        made = (await self.engine.do(c.Replicate(trial=trial_index, count=count), by())).next_index
        return list(range(made - count, made))

    async def _attach(self, command: c.AttachTrial) -> int:
        return (await self.engine.do(command, by())).next_index - 1

    async def mark_trial_failed(self, trial_index: int, failed_reason: str | None = None) -> None:
        """The trial failed; its conditions may be suggested again."""
        await self.engine.do(c.MarkFailed(trial=trial_index, reason=failed_reason or "marked as failed"), by())

    async def mark_trial_abandoned(self, trial_index: int, reason: str | None = None) -> None:
        """The trial is given up; its conditions are not suggested again."""
        await self.engine.do(c.MarkAbandoned(trial=trial_index, reason=reason or "marked as abandoned"), by())

    async def mark_trial_early_stopped(self, trial_index: int, reason: str | None = None) -> None:
        """The trial was stopped before its end; its data count."""
        await self.engine.do(c.MarkEarlyStopped(trial=trial_index, reason=reason or "marked as stopped early"), by())

    async def fetch_data(self, trial_index: int, metric_names: Sequence[str] = ()) -> None:
        """Fetch the metrics of a finished trial again; those that are missing where none is named."""
        await self.engine.do(
            c.RefetchData(trial=trial_index, metrics=tuple(listed("metric_names", metric_names, "texts"))), by()
        )
