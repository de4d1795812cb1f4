"""How far a trial is, and what of it stands in the log."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, cast

import anyio
import msgspec

from titrant.errors import OutcomeUnknown, RunnerError
from titrant.model.expressions import plain
from titrant.model.trial import Attempt, Parameterization, ParameterValue
from titrant.ports import Result
from titrant_adapters.workcell.parts import Part, Values

CALLED = ("key", "job", "name", "id", "uuid")
"""Under which adapters record what a run is called, the best first: those that we gave it ourselves."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the log says of a step.

    Attributes:
        state: ``"begun"`` (or about to), ``"done"``, or ``"left"``: its instrument is free, and in its safe state.
        key: The step's own.
        metadata: What its adapter recorded.
        data: What it gave: metric to mean, as a text where that is no finite number, and standard error.
        executed: What was carried out otherwise than planned.
    """

    state: Literal["begun", "done", "left"]
    key: str
    metadata: dict[str, Any] = {}
    data: dict[str, tuple[float | str, float | None]] = {}
    executed: Parameterization = {}


class Progress:
    """One trial on its way through the steps.

    Attributes:
        attempt: The trial's.
        key: Its key.
        called_off: Why no further step may begin; empty while they may.
        refusals: How often an instrument refused a step.
        noting: What is recorded of it is recorded one after the other.
    """

    def __init__(self, attempt: Attempt, parts: Mapping[str, Part]) -> None:
        self.attempt, self.key = attempt, attempt.key
        self.called_off = ""
        self.refusals = 0
        self.noting = anyio.Lock()
        self._parts = parts
        self._entries: dict[str, Entry] = {}

    @classmethod
    def recalled(cls, attempt: Attempt, parts: Mapping[str, Part]) -> Progress:
        """What an earlier process recorded.

        Raises:
            OutcomeUnknown: It is not of these steps.
        """
        found = cls(attempt, parts)
        try:
            found._entries = msgspec.convert((attempt.metadata or {}).get("steps", {}), dict[str, Entry])
        except msgspec.ValidationError as exc:
            raise OutcomeUnknown(f"what was recorded of trial {attempt.trial} is not a workcell's: {exc}") from exc
        if strange := [name for name in found._entries if name not in parts]:
            raise OutcomeUnknown(f"the log tells of a step {strange[0]!r}, which the workcell has no more")
        return found

    @property
    def metadata(self) -> dict[str, Any]:
        """What goes into the log; by a step's name, metrics find what the instrument calls its run."""
        called = {
            name: one.metadata.get(next((w for w in CALLED if w in one.metadata), ""), one.key)
            for name, one in self._entries.items()
        }
        return {"key": self.key, **called, "steps": msgspec.to_builtins(self._entries)}

    # --- what is asked ----------------------------------------------------------------------------------------------

    def begun(self, part: Part) -> bool:
        """Whether it has begun, or was about to."""
        return part.name in self._entries

    def over(self, part: Part) -> bool:
        """Whether it has ended well."""
        return self.begun(part) and self._entries[part.name].state != "begun"

    def keeps(self, part: Part) -> bool:
        """Whether it has ended, and its instrument is still the trial's."""
        return bool(part.step.until) and self.begun(part) and self._entries[part.name].state == "done"

    @property
    def under_way(self) -> list[Part]:
        """Steps that have begun, or were about to, and are not known to have ended."""
        return [self._parts[name] for name, one in self._entries.items() if one.state == "begun"]

    @property
    def touched(self) -> list[Part]:
        """Steps that have begun."""
        return [self._parts[name] for name in self._entries]

    @property
    def occupied(self) -> set[str]:
        """Instruments that are the trial's now."""
        parts = [part for part in self.touched if not self.over(part) or self.keeps(part)]
        return {part.place for part in parts}

    def of(self, part: Part) -> Attempt:
        """The attempt of one step."""
        own, entry = self.attempt, self._entries.get(part.name)
        return Attempt(
            trial=own.trial,
            parameters={name: own.parameters[name] for name in part.takes(tuple(own.parameters))},
            key=step_key(own.key, part.name),
            number=own.number,
            metadata=(entry.metadata or None) if entry else None,
            started_at=own.started_at,
        )

    # --- what happens -----------------------------------------------------------------------------------------------

    def begin(self, part: Part) -> None:
        """It is about to begin."""
        self._entries[part.name] = Entry(state="begun", key=step_key(self.key, part.name))

    def not_begun(self, part: Part) -> None:
        """It certainly did not."""
        self._entries.pop(part.name, None)

    def name(self, part: Part, metadata: Mapping[str, Any]) -> None:
        """Its adapter says what names it."""
        self._change(part, metadata=dict(metadata))

    def finish(self, part: Part, result: Result) -> None:
        """It has ended well.

        Raises:
            RunnerError: Its data cannot be read, or another step's are called the same.
        """
        values = part.called(result.data)
        for name, entry in self._entries.items():
            if name != part.name and (twice := values.keys() & entry.data.keys()):
                raise RunnerError(f"{min(twice)!r} is already given by step {name!r}: write prefix or rename")
        data = {name: (_kept(mean), sem) for name, (mean, sem) in values.items()}
        self._change(part, state="done", data=data, executed=_plain(result))

    def leave(self, part: Part) -> None:
        """Its instrument is in its safe state, and the trial's no more."""
        self._change(part, state="left")

    def _change(self, part: Part, **fields: Any) -> None:
        self._entries[part.name] = msgspec.structs.replace(self._entries[part.name], **fields)

    def result(
        self,
        status: Literal["completed", "failed", "abandoned", "early_stopped"],
        reason: str = "",
        last: Result | None = None,
        part: Part | None = None,
    ) -> Result:
        """What the trial gave so far, with what the step that ended it gave, where one did."""
        data: Values = {
            name: (float(mean), sem) for one in self._entries.values() for name, (mean, sem) in one.data.items()
        }
        executed = {name: value for one in self._entries.values() for name, value in one.executed.items()}
        if last is not None and part is not None:
            data |= part.called(last.data)
            executed |= _plain(last)
        return Result(status=status, data=data or None, reason=reason or None, executed=executed or None)


def step_key(key: str, step: str) -> str:
    """The key of a step, always the same; whoever sees it at the instrument sees which trial it belongs to."""
    return f"{key}-{step}"


def _plain(result: Result) -> Parameterization:
    return {name: cast("ParameterValue", plain(value)) for name, value in (result.executed or {}).items()}


def _kept(mean: float) -> float | str:
    return mean if math.isfinite(mean) else str(mean)
