"""How the simulated lab behaves apart from its physics: times, noise, drift, fouling, lag and failures."""

from __future__ import annotations

import math
from random import Random

import msgspec
from msgspec.structs import replace

from titrant.errors import ConfigurationError
from titrant_adapters.twin.faults import Fault

SECONDS_PER_HOUR = 3600.0
STALLED = "pump stalled: no flow"


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is true of every run; a fault is what happens to one.

    Attributes:
        duration_s: Seconds of the lab that a run takes.
        latency_s: Real seconds before each reply.
        noise_sd: Standard deviation of the measurement, in the output's unit.
        drift_per_hour: What the values gain in an hour of the lab, as a share of their size.
        fouling_per_run: The share of their size that the values lose with each run before.
        lag_s: Time constant with which what was set is followed, as by a tank that must warm up.
        failure_probability: How often a run fails on its way.
        stall_probability: How often the pump stalls on its way.
        places: How many runs there may be at once.
        honours_keys: A key that was started before gives that run again, instead of a new one.
    """

    duration_s: float = 1.0
    latency_s: float = 0.0
    noise_sd: float = 0.0
    drift_per_hour: float = 0.0
    fouling_per_run: float = 0.0
    lag_s: float = 0.0
    failure_probability: float = 0.0
    stall_probability: float = 0.0
    places: int = 1
    honours_keys: bool = False

    def __post_init__(self) -> None:
        for name in ("failure_probability", "stall_probability", "fouling_per_run"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigurationError(f"{name} is {getattr(self, name)!r}: give a number from 0 to 1")
        for name in ("duration_s", "latency_s", "noise_sd", "lag_s"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigurationError(f"{name} is {getattr(self, name)!r}: give a number of at least 0")
        if self.places < 1:
            raise ConfigurationError(f"places is {self.places!r}: a lab has at least one")


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What is going to happen to a run.

    Attributes:
        seconds: Of the lab, until it ends one way or the other.
        failure: Why it fails then, or None.
        crash: The lab goes down at its end.
        done: Its result is in the lab's memory then.
        alarm: Its result is of bad quality.
        drift: What its values are off by, as a share of their size.
        down_s: Real seconds that the lab is down after a crash.
    """

    seconds: float
    failure: str | None = None
    crash: bool = False
    done: bool = True
    alarm: bool = False
    drift: float = 0.0
    down_s: float = 0.0


DEFINED_ERROR = "the nozzle is clogged"


def course_of(behaviour: Behaviour, faults: list[Fault], draws: Random) -> Course:
    """What happens to a run with these faults; chance is drawn in a fixed order, whatever the faults are."""
    part, fails, stalls = draws.random(), draws.random(), draws.random()
    seconds, failure = behaviour.duration_s, None
    if fails < behaviour.failure_probability:
        failure = "the run failed"
    elif stalls < behaviour.stall_probability:
        failure = STALLED
    course = Course(seconds=seconds * (part if failure else 1.0), failure=failure)
    for fault in faults:
        match fault.kind:
            case "alarm":
                course = replace(course, alarm=True)
            case "drift":
                course = replace(course, drift=fault.size)
            case "defined_error":
                course = Course(seconds=seconds / 2, failure=DEFINED_ERROR)
            case "crash_in_run":
                course = Course(seconds=seconds / 2, crash=True, done=False, down_s=fault.seconds)
            case "crash_after_done":
                course = replace(course, crash=True, down_s=fault.seconds)
            case _:
                pass
    return course
