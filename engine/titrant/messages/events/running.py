"""A call of run_trials, the hands that people have on it, and the actors that carry it out."""

from __future__ import annotations

from typing import Literal

from titrant.messages.events.base import Fact
from titrant.model.experiment import RunOptions

# --- a call of run_trials -------------------------------------------------------------------------------------------


class RunStarted(Fact, frozen=True, kw_only=True, tag="run.started"):
    """A closed loop began."""

    options: RunOptions


class RunEnded(Fact, frozen=True, kw_only=True, tag="run.ended"):
    """The closed loop ended, and why."""

    outcome: Literal[
        "finished", "timeout", "drained", "stopped", "halted", "failure_rate", "stuck", "exhausted", "interrupted"
    ]
    reason: str = ""


class FailureRateTripped(Fact, frozen=True, kw_only=True, tag="run.failure_rate_tripped"):
    """Too many trials failed: nothing new is started, what runs is finished."""

    failed: int
    total: int
    tolerated: float


# --- control and supervision ----------------------------------------------------------------------------------------


class ExperimentPaused(Fact, frozen=True, kw_only=True, tag="experiment.paused"):
    """No new trials are started."""


class ExperimentUnpaused(Fact, frozen=True, kw_only=True, tag="experiment.unpaused"):
    """New trials may be started again."""


class ExperimentDraining(Fact, frozen=True, kw_only=True, tag="experiment.draining"):
    """What runs is finished, nothing new is started, then the run ends."""


class ExperimentStopping(Fact, frozen=True, kw_only=True, tag="experiment.stopping"):
    """Running trials are stopped and the run ends."""


class ExperimentHalted(Fact, frozen=True, kw_only=True, tag="experiment.halted"):
    """Safe state everywhere, latched until a person resets it.  Written after the act, which waits for nothing."""

    reached: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class ExperimentReset(Fact, frozen=True, kw_only=True, tag="experiment.reset"):
    """The latch of a halt was released by a person; nothing is started by it."""


class ActorRestarted(Fact, frozen=True, kw_only=True, tag="actor.restarted"):
    """An actor failed and was started anew."""

    name: str
    reason: str
    restarts: int


class RunnerQuarantined(Fact, frozen=True, kw_only=True, tag="runner.quarantined"):
    """A runner gets no more trials until a person restores it."""

    name: str
    reason: str


class RunnerRestored(Fact, frozen=True, kw_only=True, tag="runner.restored"):
    """A quarantined runner may be used again."""

    name: str


class GenerationFailed(Fact, frozen=True, kw_only=True, tag="generation.failed"):
    """A request for suggestions failed, and what was done instead."""

    node: str
    reason: str
    fallback: str = ""


class GenerationExhausted(Fact, frozen=True, kw_only=True, tag="generation.exhausted"):
    """No new trial can be made: a finite space is used up, or nothing feasible is found."""

    reason: str


RunningEvent = (
    RunStarted
    | RunEnded
    | FailureRateTripped
    | ExperimentPaused
    | ExperimentUnpaused
    | ExperimentDraining
    | ExperimentStopping
    | ExperimentHalted
    | ExperimentReset
    | ActorRestarted
    | RunnerQuarantined
    | RunnerRestored
    | GenerationFailed
    | GenerationExhausted
)
"""Every event of the closed loop, and of those who run and steer it."""
