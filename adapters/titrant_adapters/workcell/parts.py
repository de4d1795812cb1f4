"""A step with the adapter that carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from titrant.errors import (
    ConfigurationError,
    NeverSeen,
    ObservationError,
    OutcomeUnknown,
    RunnerError,
    SubmissionRefused,
    TitrantError,
)
from titrant.model.observation import observations
from titrant.model.space import SearchSpace
from titrant.model.trial import Attempt
from titrant.ports import Record, Report, Result
from titrant_adapters.shape import AdapterRunner
from titrant_adapters.workcell.adapters import adapter_named
from titrant_adapters.workcell.config import Step

KINDS = (SubmissionRefused, OutcomeUnknown, NeverSeen, RunnerError, ConfigurationError)

Values = dict[str, tuple[float, float | None]]
"""Metric to mean and standard error."""


class Part:
    """One step as it is carried out.

    Args:
        step: What is written of it.
        at: Which it is, from 1.
        of: How many there are.

    Raises:
        ConfigurationError: Its adapter is not there, or cannot work as it is configured.
    """

    def __init__(self, step: Step, at: int, of: int) -> None:
        self.step, self.name, self.place = step, step.name, step.place
        self.where = f"step {step.name!r} ({at} of {of}, {step.use})"
        try:
            kind = adapter_named(step.use)
            self.adapter: AdapterRunner[Any] = kind(kind.config_type.read(step.with_), name=step.name)
        except TitrantError as exc:
            raise self.named(exc) from exc
        self.again = self.adapter.rerun_safe if step.rerun_safe is None else step.rerun_safe
        self.found = self.adapter.can_report_status or self.adapter.honours_keys or self.again

    def named(self, exc: Exception) -> TitrantError:
        """The same error, with the step in its text."""
        kind = next((kind for kind in KINDS if isinstance(exc, kind)), RunnerError)
        return kind(f"{self.where}: {exc or type(exc).__name__}")

    # --- parameters and data ----------------------------------------------------------------------------------------

    def takes(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those parameters of the trial that go to this step."""
        if self.step.parameters is not None:
            return self.step.parameters
        return names if self.adapter.settings is None else tuple(self.adapter.settings.by_name)

    def check_space(self, space: SearchSpace) -> None:
        """Hold what it takes against the search space.

        Raises:
            ConfigurationError: It takes what there is not, or the adapter cannot send it.
        """
        taken = self.takes(space.names)
        if unknown := [name for name in taken if name not in space.names]:
            said = f"it takes {unknown[0]!r}, which the experiment does not vary (it has {', '.join(space.names)})"
            raise self.named(ConfigurationError(f"{said}: remove it, or add the parameter"))
        if taken:
            try:
                self.adapter.check_space(SearchSpace(tuple(space.parameter(name) for name in taken)))
            except ConfigurationError as exc:
                raise self.named(exc) from exc

    def called(self, data: Any) -> Values:
        """Its data by their names in the experiment; a number without a name is called as the step is.

        Raises:
            RunnerError: They cannot be read.
        """
        try:
            read = () if data is None else observations(data, objective=(self.name,), known=_Any())
        except ObservationError as exc:
            raise RunnerError(f"its data cannot be read: {exc}") from exc
        rename, prefix = self.step.rename, self.step.prefix
        names = [(rename.get(one.metric, prefix + one.metric), one) for one in read]
        return {name: (float(one.status) if one.mean is None else one.mean, one.sem) for name, one in names if name}

    @property
    def gives(self) -> list[str]:
        """Names of its data, as far as its configuration says them."""
        measured = getattr(self.adapter.config, "measure", None)
        own = list(measured) if isinstance(measured, Mapping) else []
        return [name for name in (self.step.rename.get(one, self.step.prefix + one) for one in own) if name]

    # --- one run ----------------------------------------------------------------------------------------------------

    async def carried_out(self, attempt: Attempt, record: Record, report: Report, *, begun: bool) -> Result:
        """Carry it out; where an earlier process had *begun* or was about to, see that to its end.

        Raises:
            OutcomeUnknown: Nobody can say what became of it.
        """
        if not begun:
            return await self.adapter.run(attempt, record, report)
        again = self.again or self.adapter.honours_keys
        if self.adapter.can_report_status and attempt.metadata:
            try:
                return await self.adapter.reattach(attempt)
            except NeverSeen as exc:
                if not (again or self.adapter.absence_is_proof):
                    raise OutcomeUnknown(f"the instrument does not know it: {exc}") from exc
        elif not (again or self.adapter.can_report_status):
            said = "the engine went down as it was about to begin or had begun"
            raise OutcomeUnknown(f"{said}, and {self.step.use} cannot say what became of it")
        # Whoever can be asked records what names a run before it begins: where nothing is recorded, nothing has begun.
        return await self.adapter.run(attempt, record, report)

    async def stop(self, attempt: Attempt) -> None:
        """Stop it on its instrument.

        Raises:
            RunnerError: The adapter cannot.
        """
        stop = getattr(self.adapter, "stop", None)
        if not callable(stop):
            raise RunnerError(f"{self.step.use} cannot stop it; it is told to be safe")
        await stop(attempt)


class _Any(tuple[str, ...]):
    """All names are known here: the engine will see whether they are."""

    __slots__ = ()

    def __contains__(self, _name: object) -> bool:
        return True
