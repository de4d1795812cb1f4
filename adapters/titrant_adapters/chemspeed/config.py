"""Which commands make a trial, as it is written down."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from titrant_adapters.shape import Config, Seconds, Setting, bad
from titrant_adapters.shape.folders import check_encoding, holes_in

Count = Annotated[int, Meta(ge=1, description="1 or more")]
Words = tuple[str, ...]


class ChemspeedConfig(Config, frozen=True, kw_only=True):
    """Where the files are, and which commands make a trial.

    Attributes:
        folder: Where the four files are.
        commands: Commands of a trial in their order: the name and its arguments; ``{name}`` is where a setting goes.
        settings: Parameter to setting; ``to`` is its name in the commands, ``read_back`` its place in ``status.csv``,
            from 1.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this platform's.
        measure: Metric to its place, from 1, in what the last command returns.
        safe: Commands that bring the platform into its safe state.
        stable: Looks that must agree on a command's being over.
        encoding: Of all files.
        poll_s: Seconds between two looks.
        timeout_s: Seconds one look may take, as a share may hang, and until a command must be taken.
        run_timeout_s: Seconds all commands of a trial may take.
    """

    folder: str
    commands: tuple[Words, ...]
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    measure: dict[str, Count]
    safe: tuple[Words, ...] = ()
    stable: Count = 3
    encoding: str = "utf-8"
    poll_s: Seconds = 0.1
    timeout_s: Seconds = 30.0
    run_timeout_s: Seconds = 86_400.0

    def check(self) -> None:
        """Every setting goes into a command, and every hole is filled by one."""
        check_encoding("encoding", self.encoding)
        if not self.commands or not self.measure:
            field = "measure" if self.commands else "commands"
            raise bad(field, getattr(self, field), "say what is done, and which of what comes back is measured")
        for command in (*self.commands, *self.safe):
            if not command or any(mark in word for word in command for mark in ",\r\n"):
                raise bad("commands", list(command), "write a name and its arguments as words without commas")
        asked = {hole for command in self.commands for word in command for hole in holes_in("commands", word)}
        sent = {str(one.to) for one in self.settings.values()}
        if strange := asked - sent:
            raise bad("commands", sorted(strange), f"nothing fills {{{min(strange)}}}: add a setting that goes to it")
        if lost := sent - asked:
            raise bad("settings", sorted(lost), f"write {{{min(lost)}}} where it belongs in a command")
        if any(holes_in("safe", word) for command in self.safe for word in command):
            raise bad("safe", [list(one) for one in self.safe], "the safe state depends on no parameter")
        for name, one in self.settings.items():
            if one.read_back is not None and (not isinstance(one.read_back, int) or one.read_back < 1):
                raise bad(f"settings.{name}.read_back", one.read_back, "give its place in status.csv, from 1")
