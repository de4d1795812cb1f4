"""What a log tells that a variation of its experiment is made from; the log is only read."""

from __future__ import annotations

from pathlib import Path

import msgspec

from titrant.analysis import results
from titrant.errors import CommandRefused, ConfigurationError
from titrant.generators.base import Point, PredictionRequest
from titrant.generators.requests import ENDED, observed, prediction_request
from titrant.log.heads import PublishedHead, head
from titrant.model.observation import by_metric
from titrant.model.trial import Trial, TrialStatus
from titrant.replay.moment import When, sequence_number, state_at
from titrant.rules.state import State

LEAST_TRIALS = 5
"""Finished trials with data that a model is trusted to say anything from."""


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the experiment.

    Attributes:
        head: Where the log ended when it was read, and its identity.
        state: The state there.
        start: The sequence number the variations begin from; 0 for the very beginning.
        request: A prediction request that holds the space, the objective and all data, and no points.
        points: Finished trials with a value of every metric that is sought.
        given: Of these, those that were finished at *start*: variations know them from the first.
        left_out: Trials finished at *start* that have no place in the present search space.
        budget: Trials that ended in the log after *start*.
        seconds: What trials took that gave data.
        seconds_failed: What those took that failed.
    """

    head: PublishedHead
    state: State
    start: int
    request: PredictionRequest
    points: tuple[Point, ...]
    given: tuple[Point, ...]
    left_out: int
    budget: int
    seconds: tuple[float, ...]
    seconds_failed: tuple[float, ...]

    @property
    def failure_rate(self) -> float:
        """The share of trials that failed."""
        return len(self.seconds_failed) / (len(self.seconds) + len(self.seconds_failed))


def read_basis(path: str | Path, from_seq: When = None) -> Basis:
    """Read a log for what variations of its experiment need.

    Args:
        path: The log; it may be written meanwhile.
        from_seq: The moment that variations begin from; None for the beginning.

    Raises:
        CommandRefused: There are too few data, no objective, or several.
        ConfigurationError: *from_seq* cannot be read, or lies outside the log.
        LogError: The log is missing or damaged.
    """
    published = head(path)
    state = state_at(path, published.seq).state
    request = prediction_request(state, ())
    if request is None or state.experiment is None:
        raise CommandRefused(f"{path}: the experiment has no search space and objective yet: there is nothing to vary")
    if request.optimization.is_multi_objective:
        raise CommandRefused(
            f"{path}: the experiment has {len(request.optimization.objectives)} objectives; what-if compares the best "
            "value, so experiments with several objectives are not supported yet"
        )
    if request.optimization.is_preference:
        raise CommandRefused(f"{path}: a preference is sought, of which nothing is measured that what-if could vary")
    needed = request.optimization.metric_names
    points = tuple(point for point in observed(state) if all(name in by_metric(point.observations) for name in needed))
    if len(points) < LEAST_TRIALS:
        raise CommandRefused(
            f"{path}: {len(points)} finished trials have data of {', '.join(needed)}, and what-if needs {LEAST_TRIALS}"
            ": run more trials first"
        )
    start = 0 if from_seq is None else sequence_number(path, from_seq) or 0
    before = _ended(state_at(path, start).state) if start else {}
    known = [point for point in points if point.trial in before]
    given = tuple(point for point in known if state.experiment.space.contains(point.parameters))
    ended = _ended(state)
    done, failed = _spans(ended, ENDED), _spans(ended, (TrialStatus.FAILED,))
    if not done:
        raise CommandRefused(
            f"{path}: no finished trial has a beginning and an end: there are no durations to draw from"
        )
    return Basis(
        head=published,
        state=state,
        start=start,
        request=request,
        points=points,
        given=given,
        left_out=len(known) - len(given),
        budget=len(ended) - len(before),
        seconds=done,
        seconds_failed=failed,
    )


def _ended(state: State) -> dict[int, Trial]:
    """Trials that gave a result or failed; those given up or rejected tell nothing of how experiments go."""
    return {one.index: one for one in state.trials() if one.status in (*ENDED, TrialStatus.FAILED, TrialStatus.VOIDED)}


def _spans(trials: dict[int, Trial], statuses: tuple[TrialStatus, ...]) -> tuple[float, ...]:
    """Seconds that trials took: on the instrument, or in a person's hands from the proposal to the result."""
    return tuple(
        max(0.0, (one.ended_at - (one.started_at or one.created_at)) / 1e6)
        for one in trials.values()
        if one.status in statuses and one.ended_at is not None
    )


def utility_of(basis: Basis, means: dict[str, float]) -> float | None:
    """The objective's value, the greater the better; None where an outcome constraint is broken."""
    return basis.request.optimization.utilities(means)[0] if results.feasible(basis.state, means) else None


def budget_of(basis: Basis, max_trials: int | None) -> int:
    """Trials of a variation: as many as were made in the log after its start, where nothing else is said.

    Raises:
        ConfigurationError: There are none.
    """
    budget = basis.budget if max_trials is None else max_trials
    if budget < 1:
        raise ConfigurationError(
            f"{budget} trials are to be made after event {basis.start}: give max_trials, 1 or more"
        )
    return budget
