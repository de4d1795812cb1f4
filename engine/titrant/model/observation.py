"""An observation: what was measured of one metric in one trial."""

from __future__ import annotations

from typing import Literal

import msgspec


class Observation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value of one metric.

    Attributes:
        metric: The metric's name.
        mean: The value in the metric's own unit; None where it is not a finite number (see ``status``).
        sem: Standard error of the mean; 0 where noiseless, None where unknown.
        progression: Where in the trial's course it was taken (step, epoch, second); None for the end result.
        status: ``"ok"``, or what came in place of a number: ``"nan"``, ``"inf"``, ``"-inf"``.
        arm: The well or sample, in batch trials.
    """

    metric: str
    mean: float | None
    sem: float | None = None
    progression: float | None = None
    status: Literal["ok", "nan", "inf", "-inf"] = "ok"
    arm: str | None = None
