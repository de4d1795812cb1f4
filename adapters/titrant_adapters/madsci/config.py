"""Which action of a MADSci node, and what it gets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from titrant_adapters.shape import Setting, bad
from titrant_adapters.shape.documents import is_pointer
from titrant_adapters.shape.http import HttpConfig


class MadsciConfig(HttpConfig, frozen=True, kw_only=True):
    """Which action, and what it gets; see also ``HttpConfig``.

    Attributes:
        action: Its name on the node.
        settings: Parameter to setting; ``to`` is the argument.
        ignored: Parameters that are not this node's.
        args: Arguments that are always the same.
        measure: Metric to pointer into the action's JSON result.
        reset: Reset a node that is in an error state before the next trial; else a person must.
        cancel: Trials can be stopped by the node's ``cancel``.
        safe: Admin commands that bring the node into its safe state, such as ``safety_stop``.
    """

    action: str
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    args: dict[str, Any] = msgspec.field(default_factory=dict)
    measure: dict[str, str] = msgspec.field(default_factory=dict)
    reset: bool = False
    cancel: bool = False
    safe: tuple[str, ...] = ()

    def check(self) -> None:
        """Pointers are pointers; what is read back would never be looked at."""
        super().check()
        for name, pointer in self.measure.items():
            if not is_pointer(pointer):
                raise bad(f"measure.{name}", pointer, "a JSON pointer begins with a slash, or is empty for the whole")
        for name, setting in self.settings.items():
            if setting.read_back is not None:
                raise bad(f"settings.{name}.read_back", setting.read_back, "a node takes arguments and has no settings")

    def hold_against(self, action: Mapping[str, Any], commands: Collection[str]) -> None:
        """Hold the arguments against what a node says of its action, and the admin commands against those it has.

        Raises:
            ConfigurationError: They do not fit.
        """
        known, given = action["args"], {*self.args, *(str(one.to) for one in self.settings.values())}
        if lacking := [name for name, one in known.items() if one["required"] and name not in given]:
            raise bad("args", self.args, f"{self.action} wants {', '.join(lacking)}: add it, or a setting for it")
        if (extra := given - known.keys()) and not action.get("accepts_var_kwargs"):
            raise bad("args", sorted(given), f"{self.action} takes {', '.join(known)}, and no {min(extra)}")
        asked = {"cancel": self.cancel, "reset": self.reset}
        for command in (*self.safe, *(name for name, wanted in asked.items() if wanted)):
            if command not in commands:
                raise bad("safe", command, f"the node has the admin commands {', '.join(commands)}")
