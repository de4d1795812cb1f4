"""The feature of the lab twin's SiLA 2 server, made for the settings and values of a lab."""

# No ``from __future__ import annotations`` here: the CDK reads the annotations as types.
import inspect
from collections import deque
from types import GenericAlias
from typing import TYPE_CHECKING, Any

import msgspec

from titrant_adapters.twin.doors.base import need
from titrant_adapters.twin.runs import Run

if TYPE_CHECKING:
    from titrant_adapters.twin.doors.sila import SilaDoor

ORIGINATOR = "org.titrant"


class CloggedNozzle(Exception):  # the class's name is the error's
    """The nozzle is clogged; the run ended without a result."""


def identifier(name: str) -> str:
    """A name as SiLA writes it: ``residence_time`` is ResidenceTime."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def reactor(door: "SilaDoor", executions: dict[str, int]) -> Any:
    """The feature, made for the settings and values of this lab; it tells which run each execution is."""
    sila = need("unitelabs.cdk.sila")
    lab, accepted = door.lab, deque[Run]()

    async def run(self: Any, *, status: Any, **_values: Any) -> Any:
        # Executions begin in the order in which they were accepted.
        begun = accepted.popleft()
        executions[status.command_execution.command_execution_uuid] = begun.number
        return await door.see_through(begun, status)

    run.__signature__ = _signature(door, sila.Status)  # type: ignore[attr-defined]  # read by the CDK
    run.__doc__ = _docstring(door)
    command = sila.ObservableCommand(errors=[CloggedNozzle])(run)

    def accept(self: Any, **values: Any) -> None:
        accepted.append(door.accept(values))

    command.validator(accept)

    async def set_value(self: Any, name: str, value: float) -> None:  # noqa: D417  # the CDK's form, as below
        """Set one input, for all runs to come.

        Args:
          Name: Which.
          Value: To what.
        """
        lab.settings.set(name, value)
        door.about_to_reply("set")

    async def read_value(self: Any, name: str) -> float:  # noqa: D417
        """Read back what an input is set to.

        Args:
          Name: Which.

        Returns:
          Value: What it is set to.
        """
        lab.settings.check({name: lab.settings.inputs[name].initial} if name in lab.settings.inputs else {name: 0.0})
        door.about_to_reply("read")
        return float(lab.settings.points[name])

    async def find_run(self: Any, key: str) -> str:  # noqa: D417
        """Say what became of the latest run with a key.

        Args:
          Key: The key.

        Returns:
          Run: A JSON object, or null where there is none.
        """
        door.about_to_reply("status")
        found = lab.find(key)
        return msgspec.json.encode(found).decode()

    async def stop(self: Any) -> None:
        """Stop every run and go back to the first settings."""
        lab.safe_state()
        door.about_to_reply("stop")

    plain = {"SetValue": set_value, "ReadValue": read_value, "FindRun": find_run, "Stop": stop}
    members = {name: sila.UnobservableCommand(identifier=name)(function) for name, function in plain.items()}

    def begin(self: Any) -> None:
        sila.Feature.__init__(self, originator=ORIGINATOR, category="laboratory", version="1.0")

    return type("Reactor", (sila.Feature,), {"__init__": begin, "__doc__": "A reactor.", "run": command, **members})()


def _signature(door: "SilaDoor", status: type) -> inspect.Signature:
    kinds: dict[str, type] = {one.name: str if one.choices else float for one in door.lab.physics.inputs}
    plain = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
        for name, kind in {"self": Any, **kinds, "key": str}.items()
    ]
    told = inspect.Parameter("status", inspect.Parameter.KEYWORD_ONLY, annotation=status)
    results = GenericAlias(tuple, (*[float] * len(door.lab.physics.outputs), str, str))
    return inspect.Signature([*plain, told], return_annotation=results)


def _docstring(door: "SilaDoor") -> str:
    inputs = [f"  {identifier(one.name)}: In {one.unit or 'no unit'}." for one in door.lab.physics.inputs]
    outputs = [f"  {identifier(one.name)}: In {one.unit or 'no unit'}." for one in door.lab.physics.outputs]
    lines = [
        "Run an experiment.",
        "",
        "Args:",
        *inputs,
        "  Key: The caller's own name for it.",
        "",
        "Returns:",
        *outputs,
    ]
    return "\n".join([*lines, "  Quality: Good or bad.", "  Conditions: What was really carried out, a JSON object."])
