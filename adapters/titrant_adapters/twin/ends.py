"""How a run of the simulated lab ends: what it measured, or why there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from titrant_adapters.twin.behaviour import Behaviour, Course
from titrant_adapters.twin.ledger import End, Value
from titrant_adapters.twin.physics import MaterialError, Physics


def end_of(
    number: int,
    conditions: Mapping[str, Value],
    course: Course,
    draws: Random,
    physics: Physics,
    behaviour: Behaviour,
    hours: float,
) -> End:
    """How run *number* will end, *hours* after the lab's first.  Material is used up whatever becomes of it."""
    try:
        truth = physics.measure(conditions, draws)
    except MaterialError as exc:
        return End(number=number, state="failed", reason=str(exc))
    if not course.done:
        return End(number=number, state="lost", reason="the lab went down")
    if course.failure is not None:
        return End(number=number, state="failed", reason=course.failure)
    if course.alarm:
        return End(number=number, state="done", quality="bad")
    fouled = (1 - behaviour.fouling_per_run) ** (number - 1)
    gain = fouled * (1 + behaviour.drift_per_hour * hours + course.drift)
    sd = behaviour.noise_sd
    values = {name: value * gain + (draws.normalvariate(0.0, sd) if sd else 0.0) for name, value in truth.items()}
    return End(number=number, state="done", values=values)
