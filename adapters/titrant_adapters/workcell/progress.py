"""How far a trial is, and what of it stands in the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import anyio
import msgspec

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Result
from titrant_adapters.shape import Course
from titrant_adapters.workcell.entries import Entry, attempt_at, executed, step_key
from titrant_adapters.workcell.parts import Part


class Progress:
    """One trial on its way through the steps.

    Attributes:
        attempt: The trial's.
        key: Its key.
        called_off: Why no further step may begin; empty while they may.
        refusals: How often an instrument refused a step.
    """

    def __init__(self, attempt: Attempt, parts: Mapping[str, Part]) -> None:
        self.attempt, self.key = attempt, attempt.key
        self.called_off = ""
        self.refusals = 0
        self._noting = anyio.Lock()
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
        called = {name: one.called for name, one in self._entries.items()}
        return {"key": self.key, **called, "steps": msgspec.to_builtins(self._entries)}

    async def note(self, course: Course) -> None:
        """Have in the log how far it is, one thing after the other.

        Raises:
            SubmissionRefused: No further step of it may begin.
        """
        async with self._noting:
            if self.called_off:
                raise SubmissionRefused(self.called_off)
            try:
                await course.begin(self.metadata)
            except SubmissionRefused as exc:
                self.called_off = str(exc)
                raise

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
        return attempt_at(part, self.attempt, self._entries.get(part.name))

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
        self._entries[part.name] = self._entries[part.name].ended(values, result)

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
        data = {name: value for one in self._entries.values() for name, value in one.values.items()}
        done = {name: value for one in self._entries.values() for name, value in one.executed.items()}
        if last is not None and part is not None:
            data |= part.called(last.data)
            done |= executed(last)
        return Result(status=status, data=data or None, reason=reason or None, executed=done or None)
