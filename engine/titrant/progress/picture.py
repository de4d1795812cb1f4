"""A picture: everything a view shows, at one moment, as plain values."""

from __future__ import annotations

import msgspec

from titrant.progress.notices import Notice


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of a runner.

    Attributes:
        runner: Its name.
        slot: From 1.
        doing: ``"idle"``, ``"quarantined"``, ``"submitting"``, ``"running"``, ``"stopping"`` or ``"unknown"``.
        trial: The trial on it.
        attempt: Which attempt of it.
        conditions: The trial's, in words.
        elapsed_s: Seconds since the attempt began.
        expected_s: Seconds that trials of this runner take; None where none has finished yet.
    """

    runner: str
    slot: int
    doing: str
    trial: int | None = None
    attempt: int = 1
    conditions: str = ""
    elapsed_s: float = 0.0
    expected_s: float | None = None


class Leader(msgspec.Struct, frozen=True, kw_only=True):
    """The best trial so far, in words."""

    trial: int
    result: str
    conditions: str


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """See the module's docstring; counts of ``ended`` and ``asked`` are of this run, ``counts`` of the experiment.

    Attributes:
        name: The experiment's.
        virtual: Whether times are of a virtual calendar.
        began: When the run began, microseconds since 1970 UTC.
        elapsed_s: Seconds since then, to the run's end where it is over.
        left_s: Seconds until the end, roughly; None where nothing is known yet.
        asked: Trials that are to end in this run.
        ended: Trials that have.
        counts: Trials by state, in words.
        lanes: The runners' slots.
        leader: The best so far; None while there is none, or with several objectives.
        front: Trials on the Pareto front; None with one objective.
        trace: The first objective of the finished trials, the greater the better, and whether constraints are kept.
        waiting: What the loop waits for, and why.
        fetching: Trials whose data are on the way.
        notices: What was remarkable lately.
        unknown: Trials whose fate a person must settle.
        needs_person: Whether somebody must act.
        outcome: How the run ended; empty while it goes on.
        reason: The same in a sentence.
        failures: Index and reason of the trials that failed in it, once it is over.
    """

    name: str
    virtual: bool = False
    began: int | None = None
    elapsed_s: float = 0.0
    left_s: float | None = None
    asked: int = 0
    ended: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    lanes: tuple[Lane, ...] = ()
    leader: Leader | None = None
    front: int | None = None
    trace: tuple[tuple[float, bool], ...] = ()
    waiting: str = ""
    fetching: tuple[int, ...] = ()
    notices: tuple[Notice, ...] = ()
    unknown: tuple[int, ...] = ()
    needs_person: bool = False
    outcome: str = ""
    reason: str = ""
    failures: tuple[tuple[int, str], ...] = ()
