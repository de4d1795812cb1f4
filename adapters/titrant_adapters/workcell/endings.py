"""How steps end otherwise than well, and which of several endings counts."""

from __future__ import annotations

from titrant.errors import ConfigurationError, NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.ports import Result
from titrant_adapters.workcell.parts import Part

Outcome = tuple[Part, Result | Exception]


def gravity(outcome: Outcome) -> int:
    """The most serious first: what may still run, then a fault of code or log, a failure, a refusal."""
    match outcome[1]:
        case OutcomeUnknown() | NeverSeen():
            return 0
        case SubmissionRefused():
            return 3
        case RunnerError() | ConfigurationError() | Result():
            return 2
        case _:
            return 1
