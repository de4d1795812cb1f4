"""What a person writes down for a workcell: steps in their order, each with an adapter of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta

from titrant_adapters.shape import Config, bad
from titrant_adapters.workcell.waiting import circle

KEPT = frozenset({"key", "steps", "run", "trial"})
"""Names that metrics find other things under than a step's."""


class Unshown(dict[str, Any]):
    """Fields of another adapter's configuration: secrets may be among them, so only their names are shown."""

    def __repr__(self) -> str:
        return f"{{{', '.join(map(str, self))}}}"


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"with_": "with"}):
    """One step of every trial.

    Attributes:
        name: What it is called in messages and in the log; metrics find by it what the instrument calls the run.
        use: The adapter that carries it out: an entry point's name, or ``module:Class``.
        with_: Its configuration; ``with`` in a file.
        instrument: What it takes place on, where steps share that; the step's own name where empty.
        parameters: Those of the trial that it takes; those that the adapter has settings for where left out, and all
            where it has none.
        prefix: What is put before the names of its data.
        rename: Its data to their names in the experiment, without prefix; "" leaves one out.
        together: Whether it begins with the step before it; the next one waits for both.
        until: The step with whose end the trial leaves the instrument, in its safe state; it is the trial's until then.
        rerun_safe: Whether it may be carried out twice without harm, as setting a voltage; as the adapter says where
            left out.
    """

    name: str
    use: str
    with_: dict[str, Any] = msgspec.field(default_factory=dict)
    instrument: str = ""
    parameters: tuple[str, ...] | None = None
    prefix: str = ""
    rename: dict[str, str] = msgspec.field(default_factory=dict)
    together: bool = False
    until: str = ""
    rerun_safe: bool | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "with_", Unshown(self.with_))

    @property
    def place(self) -> str:
        """The name of the instrument."""
        return self.instrument or self.name


class WorkcellConfig(Config, frozen=True, kw_only=True):
    """What is done with every trial, on which instruments.

    Attributes:
        steps: In their order.
        ignored: Parameters of the experiment that no step takes.
        places: Trials at once; the least of the instruments' capacities where left out.  With more than one, the next
            trial begins while this one is at a later instrument; each instrument keeps its own capacity.
    """

    steps: tuple[Step, ...]
    ignored: tuple[str, ...] = ()
    places: Annotated[int, Meta(ge=1, description="1 or more")] | None = None

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """As every configuration; what goes on to other adapters is not shown in errors."""
        steps = values.get("steps")
        if isinstance(steps, list | tuple):
            values = {**values, "steps": [_unshown(step) for step in steps]}
        return super().read(values)

    def check(self) -> None:
        """The steps have names, an order, and no way to wait for each other for ever."""
        names = [step.name for step in self.steps]
        if not names:
            raise bad("steps", [], "give at least one")
        for at, step in enumerate(self.steps):
            field = f"steps[{at}]"
            if not re.fullmatch(r"[\w-]+", step.name) or step.name in KEPT:
                raise bad(f"{field}.name", step.name, f"write letters and digits; not {', '.join(sorted(KEPT))}")
            if names.index(step.name) != at:
                raise bad(f"{field}.name", step.name, "another step is called so: give each a name of its own")
            if step.until and step.until not in [one.name for stage in self._after(step) for one in stage]:
                raise bad(f"{field}.until", step.until, "name a step that comes after this one")
        if self.steps[0].together:
            raise bad("steps[0].together", self.steps[0].together, "there is no step before the first")
        for stage in self.stages:
            places = [step.place for step in stage]
            if twice := [place for place in places if places.count(place) > 1]:
                raise bad("steps", twice[0], "steps that begin together cannot be on one instrument")
        if found := circle(self.stages):
            first, second = found
            raise bad("steps", f"{first} and {second}", "trials that hold one would wait for the other, for ever")

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Its JSON Schema; what a step's ``with`` may be follows from its ``use``."""
        from titrant_adapters.workcell.schema import with_adapters  # noqa: PLC0415  # it imports all adapters

        return with_adapters(super().schema(), apart_from="workcell")

    @property
    def stages(self) -> tuple[tuple[Step, ...], ...]:
        """The steps in their order, those that begin together in one."""
        found: list[list[Step]] = []
        for step in self.steps:
            if step.together and found:
                found[-1].append(step)
            else:
                found.append([step])
        return tuple(map(tuple, found))

    def _after(self, step: Step) -> tuple[tuple[Step, ...], ...]:
        at = next(at for at, stage in enumerate(self.stages) if step in stage)
        return self.stages[at + 1 :]


def _unshown(step: Any) -> Any:
    if isinstance(step, Mapping) and isinstance(step.get("with"), Mapping):
        return {**step, "with": Unshown(step["with"])}
    return step
