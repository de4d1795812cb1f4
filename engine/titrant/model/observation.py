"""An observation: what was measured of one metric in one trial, and how raw data become observations."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from titrant.errors import ObservationError
from titrant.model.expressions import as_float

_KEPT = 2_000
"""Characters that are kept of what could not be read; whatever is longer belongs into a file."""

_FORMS = "give a number, or a tuple (mean, sem) with sem None where unknown"


class Observation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
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


def observations(
    raw_data: object, *, objective: tuple[str, ...], known: Collection[str], progression: object = None
) -> tuple[Observation, ...]:
    """Read raw data in any of Ax's forms.

    Args:
        raw_data: A number, ``(mean, sem)``, or a mapping of metric names to these; numbers of numpy and others,
            and arrays without dimensions, count as numbers.  NaN and infinity become a status without a mean.
        objective: The metrics of the objectives; a value without a name belongs to the only one of them.
        known: All metrics that may be given.
        progression: Where in the trial's course the data were taken; None for the end result.

    Raises:
        ObservationError: A value has none of these forms, or a metric is unknown.
    """
    at = _progression(progression)
    if isinstance(raw_data, Mapping):
        for name in raw_data:
            if name not in known and name not in objective:
                names = ", ".join(dict.fromkeys((*objective, *sorted(known)))) or "none"
                raise ObservationError(
                    f"there is no metric {name!r}; known are: {names}. "
                    f"To record it as well, call configure_tracking_metrics([{name!r}]) first"
                )
        return tuple(_observation(name, value, at) for name, value in raw_data.items())
    if len(objective) != 1:
        names = ", ".join(map(repr, objective)) or "none yet; call configure_optimization first"
        raise ObservationError(
            f"a value without a name, {_shown(raw_data)}, needs exactly one objective metric; they are: {names}. "
            "Give a mapping of metric names to values"
        )
    return (_observation(objective[0], raw_data, at),)


class Readings(msgspec.Struct, frozen=True):
    """What could be read of what an instrument told.

    Attributes:
        observations: Of each metric that could be read.
        unread: The rest, in words that hold the values, 2,000 characters of each; empty where there is none.
    """

    observations: tuple[Observation, ...] = ()
    unread: str = ""


def readings(
    raw_data: object, *, objective: tuple[str, ...], known: Collection[str], progression: object = None
) -> Readings:
    """Read raw data as ``observations`` does, each metric by itself: one that cannot be read costs no other."""
    parts = [{name: value} for name, value in raw_data.items()] if isinstance(raw_data, Mapping) else [raw_data]
    read: list[Observation] = []
    unread: list[str] = []
    for part in parts:
        try:
            read.extend(observations(part, objective=objective, known=known, progression=progression))
        except ObservationError as exc:
            unread.append(f"{_shown(part, _KEPT)}: {exc}")
    return Readings(tuple(read), "; ".join(unread))


def fetched(metric: str, value: object) -> tuple[Observation, ...]:
    """Read what a metric's ``fetch`` returned.

    As in Ax a tuple of two is always ``(progression, value)``, the value a number or ``(mean, sem)``: a fetch that
    returns a bare ``(mean, sem)`` is read as a progression and a mean.  A bare number is the end result.

    Raises:
        ObservationError: It is something else.
    """
    match value:
        case tuple() if len(value) == 2:
            return (_observation(metric, value[1], _progression(value[0], f"metric {metric!r}: ")),)
        case _ if as_float(value) is not None:
            return (_observation(metric, value, None),)
    raise ObservationError(
        f"the fetch of metric {metric!r} returned {_shown(value)}: return (progression, value), "
        "value being a number or (mean, sem), or a number alone for the end result"
    )


def by_metric(observations: Iterable[Observation]) -> dict[str, Observation]:
    """The latest usable observation of each metric of one trial, in the order the metrics first appear.

    End results (without progression) come after all others, then the highest progression counts; of equals the last.
    """
    latest: dict[str, Observation] = {}
    for one in observations:
        if one.mean is not None and (one.metric not in latest or _order(one) >= _order(latest[one.metric])):
            latest[one.metric] = one
    return latest


def means(observations: Iterable[Observation]) -> dict[str, float]:
    """The latest usable mean of each metric of one trial."""
    return {name: one.mean for name, one in by_metric(observations).items() if one.mean is not None}


def _order(one: Observation) -> float:
    return math.inf if one.progression is None else one.progression


def _observation(metric: str, value: object, progression: float | None) -> Observation:
    if isinstance(value, tuple) and len(value) == 2:
        mean, sem = _number(metric, value[0], "mean"), _sem(metric, value[1])
    else:
        mean, sem = _number(metric, value, "value"), None
    if math.isnan(mean):
        return Observation(metric, None, progression=progression, status="nan")
    if math.isinf(mean):
        return Observation(metric, None, progression=progression, status="inf" if mean > 0 else "-inf")
    return Observation(metric, mean, sem, progression)


def _number(metric: str, value: object, what: str) -> float:
    number = as_float(value)
    if number is not None:
        return number
    raise ObservationError(f"metric {metric!r} has the {what} {_shown(value)}: {_FORMS}")


def _sem(metric: str, value: object) -> float | None:
    if value is None:
        return None
    sem = _number(metric, value, "sem")
    if math.isnan(sem):
        return None
    if sem < 0 or math.isinf(sem):
        raise ObservationError(f"metric {metric!r} has the sem {sem!r}: it is a standard error, finite and at least 0")
    return abs(sem)  # no -0.0


def _progression(value: object, where: str = "") -> float | None:
    if value is None:
        return None
    number = as_float(value)
    if number is None or not math.isfinite(number):
        raise ObservationError(f"{where}the progression is {_shown(value)}: give a finite number, or None at the end")
    return number + 0.0  # no -0.0


def _shown(value: object, most: int = 80) -> str:
    text = repr(value)
    return f"{text if len(text) <= most else text[: most - 1] + '…'} ({type(value).__name__})"
