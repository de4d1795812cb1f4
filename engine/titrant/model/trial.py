"""A trial: one proposed set of conditions, carried out once; its states keep Ax's names."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Literal

import msgspec

from titrant.model.observation import Observation

ParameterValue = bool | int | float | str
Parameterization = dict[str, ParameterValue]
Origin = Literal["suggested", "attached", "baseline", "replicate"]
"""Where a trial comes from: a generator, a person's own conditions, or another trial's conditions once more."""


class TrialStatus(IntEnum):
    """Where a trial stands.

    The members up to STALE have Ax's names and numbers; the others are titrant's own::

        CANDIDATE → (PROPOSED → APPROVED | REJECTED) → STAGED → SUBMITTING → RUNNING
                  → COMPLETED | FAILED | EARLY_STOPPED | ABANDONED
        UNKNOWN   contact was lost and the trial may have run: a person decides
        VOIDED    a finished result, withdrawn: kept in the history, forgotten by the model
    """

    CANDIDATE = 0
    STAGED = 1
    FAILED = 2
    COMPLETED = 3
    RUNNING = 4
    ABANDONED = 5
    DISPATCHED = 6
    EARLY_STOPPED = 7
    STALE = 8
    SUBMITTING = 9
    UNKNOWN = 10
    VOIDED = 11
    PROPOSED = 12
    APPROVED = 13
    REJECTED = 14

    @property
    def is_terminal(self) -> bool:
        """True if the trial's course is over (a finished result may still be voided)."""
        return self in _TERMINAL

    @property
    def is_open(self) -> bool:
        """True if something is still to happen to the trial."""
        return self not in _TERMINAL


_TERMINAL = frozenset(
    {
        TrialStatus.FAILED,
        TrialStatus.COMPLETED,
        TrialStatus.ABANDONED,
        TrialStatus.EARLY_STOPPED,
        TrialStatus.STALE,
        TrialStatus.VOIDED,
        TrialStatus.REJECTED,
    }
)


class Suggestion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a generator proposes, and what it was made from.

    Attributes:
        parameters: The proposed conditions, canonical for the search space.
        node: The node of the generation strategy that made it (``"centre"``, ``"sobol"``, ``"grid"``, ``"bo"`` …).
        generator: The generator and its parts in words (``"SingleTaskGP + qLogNEI"``).
        position: Points of the quasi-random sequence used up once this one is taken.
        seed: The seed it was drawn with.
        data_seq: The sequence number of the last event the generator had seen.
        pending: Indices of the trials that were taken into account as pending.
        predicted: Metric name to (mean, SEM) where a model predicted it, in the metric's units.
        acquisition_value: The value of the acquisition function, where there was one.
        fallback: Why another node than planned made it, or None.
        seconds: How long it took on the engine's clock.
        versions: Package name to version, of what had a part in it.
        request: SHA-256 (hex) of the request it answers: the data, pending points, bounds, seed and all else it saw.
        count: How many suggestions that request asked for.
        place: Which of these this one is, from 0.
        fixed: Parameters that were held at a value.
        held: Suggestions made before and not yet trials then, taken into account as pending.
        results: The experiment's count of results when the request was made (see ``State.results``); 0 where no result
            was shown to the generator.
        asked_of: The node that the request named, where another one made it (see ``fallback``).
        start: Points of the quasi-random sequence used up when it was asked for, where ``held`` ones had taken some.
        parts: The beginnings of the SHA-256 of the request's parts, to tell which one differs.
        maker: ``module:class`` of the generator that was brought along; empty for titrant's own.
        strategy_node: The name of the strategy's node it was made for, where the strategy was given as a graph.
        ahead: Whether it was made before a slot was free for it.
        unseen: How many changes of the results a model had not seen yet when the suggestion became a trial.
    """

    parameters: Parameterization
    node: str
    generator: str
    position: int = 0
    seed: int = 0
    data_seq: int = 0
    pending: tuple[int, ...] = ()
    predicted: dict[str, tuple[float, float]] = {}
    acquisition_value: float | None = None
    fallback: str | None = None
    seconds: float = 0.0
    versions: dict[str, str] = {}
    request: str = ""
    count: int = 1
    place: int = 0
    fixed: Parameterization = {}
    held: tuple[Parameterization, ...] = ()
    results: int = 0
    asked_of: str = ""
    start: int = 0
    parts: dict[str, str] = {}
    maker: str = ""
    strategy_node: str = ""
    ahead: bool = False
    unseen: int = 0


class Trial(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Everything the engine knows of one trial; times are microseconds since 1970, UTC.

    ``parameters`` are the plan.  The last fields tell of results withdrawn and corrected, each moment being the
    experiment's count of results then (see ``State.results``).

    Attributes:
        executed: What was really carried out, where that was recorded; parameters not named were done as planned.
        replicate_of: The trial whose conditions it carries out once more.
        seen: The count when a model suggested it; 0 where none did.
        result: The count when its present result came in; 0 while it has none.
        withdrawn: Spans of the count, each from and up to but not at, in which a value stood that counts no more.
        absent: Spans in which its result was withdrawn that counts again since.
        voided_from: The status it had before its result was withdrawn.
        reason_before: The reason it had then.
        proposer: The actor who brought it in; empty for the generator of the closed loop.
        rule: Why it awaits approval, in words; empty where it does not.
        approvers: Who may approve it then; any person where empty.
        approved: The rules by which a person has approved it.
        informative: Whether its failure says something of the conditions (see ``events.TrialFailed``).
        strategy_node: The name of the strategy's node it was made for, where the strategy was given as a graph.
    """

    index: int
    parameters: Parameterization
    status: TrialStatus = TrialStatus.CANDIDATE
    arm_name: str = ""
    origin: Origin = "suggested"
    node: str = ""
    asked: bool = False
    runner: str | None = None
    attempt: int = 0
    key: str | None = None
    metadata: dict[str, Any] | None = None
    run_done: bool = False
    awaiting: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()
    stop_requested: Literal["", "stop", "ttl", "early"] = ""
    reason: str | None = None
    created_at: int = 0
    submitted_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    executed: Parameterization | None = None
    replicate_of: int | None = None
    seen: int = 0
    result: int = 0
    withdrawn: tuple[tuple[int, int], ...] = ()
    absent: tuple[tuple[int, int], ...] = ()
    voided_from: TrialStatus | None = None
    reason_before: str | None = None
    proposer: str = ""
    rule: str = ""
    approvers: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()
    informative: bool = False
    strategy_node: str = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One submission of a trial, as a runner sees it.

    Attributes:
        trial: The trial's index.
        parameters: The conditions to carry out.
        key: The idempotency key, in the log before the first call and the same for every retry of it.
        number: 1 for the first submission, 2 for the next …
        metadata: What the runner returned when the attempt began; None until then.
        started_at: When the runner said it began, microseconds since 1970 UTC; None until then.
    """

    trial: int
    parameters: Parameterization
    key: str
    number: int = 1
    metadata: dict[str, Any] | None = None
    started_at: int | None = None
