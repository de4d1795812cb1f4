"""A call of run_trials, the hands that people have on it, and the actors that carry it out."""

from __future__ import annotations

from titrant.messages.commands.base import Wish
from titrant.model.experiment import RunOptions

# --- the closed loop ------------------------------------------------------------------------------------------------


class StartRun(Wish, frozen=True, kw_only=True):
    """Begin a closed loop; ``alive`` are the trials this process already carries out."""

    options: RunOptions
    alive: frozenset[int] = frozenset()


class ExpireRun(Wish, frozen=True, kw_only=True):
    """The time of the run that began at ``run`` is up."""

    run: int


class ExhaustRun(Wish, frozen=True, kw_only=True):
    """No new trial can be made any more: finish what runs, then end."""

    reason: str


class ExpireTrial(Wish, frozen=True, kw_only=True):
    """The trial's time to live is up."""

    trial: int
    attempt: int


class Pause(Wish, frozen=True, kw_only=True):
    """Start no new trials."""


class Unpause(Wish, frozen=True, kw_only=True):
    """Start new trials again."""


class Drain(Wish, frozen=True, kw_only=True):
    """Finish what runs, start nothing new, end the run."""


class Stop(Wish, frozen=True, kw_only=True):
    """Stop what runs and end the run."""


class RecordHalt(Wish, frozen=True, kw_only=True):
    """Safe state was ordered everywhere (the act comes first here, the record after)."""

    reached: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Reset(Wish, frozen=True, kw_only=True):
    """Release the latch of a halt."""


# --- supervision ----------------------------------------------------------------------------------------------------


class RecordRestart(Wish, frozen=True, kw_only=True):
    """An actor was started anew; ``alive`` are the open trials its failure did not touch."""

    name: str
    reason: str
    restarts: int
    alive: frozenset[int] = frozenset()


class QuarantineRunner(Wish, frozen=True, kw_only=True):
    """Give a runner no more trials; ``lost`` says that nobody watches the trials on it any more."""

    name: str
    reason: str
    lost: bool = False


class RestoreRunner(Wish, frozen=True, kw_only=True):
    """Use a quarantined runner again."""

    name: str


class RecordGenerationFailure(Wish, frozen=True, kw_only=True):
    """A request for suggestions failed."""

    node: str
    reason: str
    fallback: str = ""


RunningCommand = (
    StartRun
    | ExpireRun
    | ExhaustRun
    | ExpireTrial
    | Pause
    | Unpause
    | Drain
    | Stop
    | RecordHalt
    | Reset
    | RecordRestart
    | QuarantineRunner
    | RestoreRunner
    | RecordGenerationFailure
)
"""Every command to the closed loop, and of those who run it."""
