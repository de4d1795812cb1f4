"""What can go wrong in the simulated lab, and when: one seeded plan for every protocol.

A fault belongs to a run, the next physical start or a numbered one.  What spoils a *reply* acts on the run's start
exchange unless the fault names another; what spoils the *run* acts while it lasts or on its result.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args

import msgspec

from titrant.errors import ConfigurationError

FaultKind = Literal[
    "delay",
    "mute",
    "half_frame",
    "late_reply",
    "duplicate",
    "drop",
    "refuse",
    "alarm",
    "defined_error",
    "crash_in_run",
    "crash_after_done",
    "drift",
    "stuck",
]
"""The thirteen faults.

========================  ==============================================================================
``delay``                 the reply comes ``seconds`` late, within the deadline of whoever asked
``mute``                  no reply, the line stays open
``half_frame``            half of the reply, then silence on an open line
``late_reply``            the reply comes ``seconds`` late, when whoever asked has given up
``duplicate``             the reply is sent twice
``drop``                  the line is closed in place of the reply
``refuse``                a clear no before anything starts
``alarm``                 the result comes with bad quality
``defined_error``         the run ends with the error that the protocol defines for it
``crash_in_run``          lines and run are lost in mid-run; up again after ``seconds``
``crash_after_done``      the run is done, then lines are lost before anyone is told; up again after ``seconds``
``drift``                 the values of the run are off by ``size``, a share of their size
``stuck``                 settings are accepted and not taken, until a run has begun or one is set again
========================  ==============================================================================
"""

Exchange = Literal["identify", "set", "read", "start", "status", "result", "stop"]
"""What a reply answers, in every protocol."""

KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
REPLY: frozenset[FaultKind] = frozenset({"delay", "mute", "half_frame", "late_reply", "duplicate", "drop"})
"""The faults of a reply; all others are faults of a run."""

BEFORE_A_RUN: frozenset[Exchange] = frozenset({"identify", "set", "read"})


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong.

    Attributes:
        kind: What.
        run: Which physical start it belongs to, from 1; None for each, with ``probability``.
        probability: How often it happens to a run it belongs to.
        seconds: How late, or how long down, in real seconds.
        size: Of a drift, as a share of the value.
        on: Which exchange a fault of a reply spoils.
    """

    kind: FaultKind
    run: int | None = None
    probability: float = 1.0
    seconds: float = 0.0
    size: float = 0.1
    on: Exchange = "start"

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ConfigurationError(f"probability is {self.probability!r}: a probability is between 0 and 1")
        if self.seconds < 0:
            raise ConfigurationError(f"seconds is {self.seconds!r}: give 0 or more")
        if self.run is not None and self.run < 1:
            raise ConfigurationError(f"run is {self.run!r}: runs are counted from 1")
        if self.on != "start" and self.kind not in REPLY:
            raise ConfigurationError(f"on is {self.on!r}: {self.kind} belongs to a run, not to an exchange")


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Faults by run; what happens to a run depends on the seed and the run's number alone."""

    seed: int = 0
    faults: tuple[Fault, ...] = ()

    def of(self, run: int) -> list[Fault]:
        """The faults of a run, by its number."""
        return [
            fault
            for place, fault in enumerate(self.faults)
            if fault.run in (None, run) and _draw(f"{self.seed}/{place}/{run}") < fault.probability
        ]


def _draw(seed: str) -> float:
    return Random(seed).random()  # noqa: S311  # a simulation


def read_plan(path: Path) -> FaultPlan:
    """Read a plan from TOML: ``seed = 1`` and a table ``[[faults]]`` for each fault.

    Raises:
        ConfigurationError: It cannot be read; the message says where.
    """
    try:
        content: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(content, FaultPlan)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        raise ConfigurationError(f"the fault plan {path} cannot be read: {exc}. Kinds: {', '.join(KINDS)}") from exc
