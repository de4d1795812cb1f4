"""What the log says of one step."""

from __future__ import annotations

import math
from typing import Any, Literal, cast

import msgspec

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

    @property
    def values(self) -> Values:
        """What it gave: metric to mean and standard error."""
        return {name: (float(mean), sem) for name, (mean, sem) in self.data.items()}

    @property
    def called(self) -> str:
        """What its run is called, for whoever looks for what it left behind."""
        name = next((name for name in CALLED if name in self.metadata), None)
        return self.key if name is None else str(self.metadata[name])

    def ended(self, values: Values, result: Result) -> Entry:
        """The same step when it has ended well."""
        data = {name: (mean if math.isfinite(mean) else str(mean), sem) for name, (mean, sem) in values.items()}
        return msgspec.structs.replace(self, state="done", data=data, executed=executed(result))


def executed(result: Result) -> Parameterization:
    """What was carried out otherwise than planned, as plain values."""
    return {name: cast("ParameterValue", plain(value)) for name, value in (result.executed or {}).items()}


def step_key(key: str, step: str) -> str:
    """The key of a step, always the same; whoever sees it at the instrument sees which trial it belongs to."""
    return f"{key}-{step}"


def attempt_at(part: Part, own: Attempt, entry: Entry | None) -> Attempt:
    """The attempt of one step of a trial, with what its adapter recorded."""
    return Attempt(
        trial=own.trial,
        parameters={name: own.parameters[name] for name in part.takes(tuple(own.parameters))},
        key=step_key(own.key, part.name),
        number=own.number,
        metadata=(entry.metadata or None) if entry else None,
        started_at=own.started_at,
    )
