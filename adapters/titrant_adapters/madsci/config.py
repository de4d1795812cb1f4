"""Which action of a MADSci node, and what it gets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec

from titrant_adapters.shape import Seconds, Setting, bad
from titrant_adapters.shape.documents import is_pointer
from titrant_adapters.shape.http import HttpConfig


class MadsciConfig(HttpConfig, frozen=True, kw_only=True):
    """Which action, and what it gets; see also ``HttpConfig``.

    Attributes:
        action: Its name on the node.
        settings: Parameter to setting; ``to`` is the argument, ``read_back`` a pointer into the action's JSON result,
            which then must say what was carried out.
        otherwise: What to do where that is something else: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this node's.
        args: Arguments that are always the same.
        measure: Metric to pointer into the action's JSON result.
        reset: Reset a node that is in an error state before the next trial; else a person must.
        initialize_timeout_s: How long a node that was reset or restarted may take until it is initialized; a trial
            waits so long before it is begun.
        cancel: Trials can be stopped by the node's ``cancel``.
        safe: Admin commands that bring the node into its safe state, such as ``safety_stop``.
    """

    action: str
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    args: dict[str, Any] = msgspec.field(default_factory=dict)
    measure: dict[str, str] = msgspec.field(default_factory=dict)
    reset: bool = False
    initialize_timeout_s: Seconds = 60.0
    cancel: bool = False
    safe: tuple[str, ...] = ()

    def check(self) -> None:
        """Pointers are pointers."""
        super().check()
        pointers = {f"measure.{name}": pointer for name, pointer in self.measure.items()}
        backs = {f"settings.{name}.read_back": one.read_back for name, one in self.settings.items()}
        pointers |= {field: str(back) for field, back in backs.items() if back is not None}
        for field, pointer in pointers.items():
            if not is_pointer(pointer):
                raise bad(field, pointer, "a JSON pointer begins with a slash, or is empty for the whole")

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
        for command in self.safe:
            if command not in commands:
                raise bad("safe", command, f"the node has the admin commands {', '.join(commands)}")
        for command in ("cancel", "reset"):
            if getattr(self, command) and command not in commands:
                raise bad(command, True, f"the node has the admin commands {', '.join(commands)}")  # noqa: FBT003
