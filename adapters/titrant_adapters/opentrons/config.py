"""What an Opentrons robot is to do."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from titrant_adapters.shape import Seconds, Setting, bad
from titrant_adapters.shape.documents import holes, is_pointer
from titrant_adapters.shape.http import HttpConfig


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One command to the robot.

    Attributes:
        do: The robot's word for it: ``"aspirate"``.
        name: By which later commands and ``measure`` mean its result; ``do`` where empty.
        params: Its parameters; ``{volume}`` is filled in, and so is ``{plate/labwareId}``, from an earlier result.
    """

    do: str
    name: str = ""
    params: dict[str, Any] = {}


class OpentronsConfig(HttpConfig, frozen=True, kw_only=True):
    """What the robot is to do; see also ``HttpConfig``.

    Attributes:
        settings: Parameter to setting; ``to`` is the protocol's run-time parameter, or the name of a hole in
            ``commands``; ``read_back`` the run-time parameter whose value in force is to be compared, or a pointer into
            the commands' results.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this robot's.
        protocol: The id of a protocol on the robot.
        commands: What to do instead, in this order.
        measure: Metric to pointer into the commands' results: ``"/aspirate/volume"``.
        stop_timeout_s: Seconds after which a run that was stopped must be over.
    """

    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    protocol: str = ""
    commands: tuple[Command, ...] = ()
    measure: dict[str, str] = msgspec.field(default_factory=dict)
    stop_timeout_s: Seconds = 30.0

    def check(self) -> None:
        """A protocol or commands, and every hole in these can be filled."""
        super().check()
        if bool(self.protocol) == bool(self.commands):
            raise bad("protocol", self.protocol, "give either the id of a protocol, or commands")
        if self.protocol and self.measure:
            raise bad("measure", self.measure, "a protocol's run has no results: let a metric fetch the data")
        known = {str(one.to) for one in self.settings.values()}
        for command in self.commands:
            for hole in holes(command.params):
                if hole.partition("/")[0] not in known:
                    raise bad(command.do, command.params, f"nothing before it fills {{{hole}}}")
            known.add(command.name or command.do)
        for name, pointer in self.measure.items():
            if not is_pointer(pointer) or pointer.split("/")[1] not in known:
                raise bad(f"measure.{name}", pointer, "point into the result of a command: /aspirate/volume")
