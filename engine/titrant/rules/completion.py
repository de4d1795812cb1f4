"""How a trial completes: once nothing of it is awaited any more, with what it still lacks named."""

from __future__ import annotations

from collections.abc import Iterable

from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.observation import Observation
from titrant.model.trial import Trial
from titrant.rules.state import State


def attached(state: State, trial: Trial, observations: tuple[Observation, ...]) -> tuple[Event, ...]:
    """Observations are recorded, from wherever they come; with the last that was awaited the trial is over."""
    if not observations:
        return ()
    data = e.DataAttached(trial=trial.index, observations=observations)
    named = {observation.metric for observation in observations}
    return (data, completion(state, trial, observations)) if _is_last(trial, named) else (data,)


def fetched(state: State, trial: Trial, metric: str, observations: tuple[Observation, ...]) -> tuple[Event, ...]:
    """What a fetch of *metric* brought; nothing of it counts as a fetch that failed."""
    if any(observation.metric == metric for observation in observations):
        return attached(state, trial, observations)
    data = (e.DataAttached(trial=trial.index, observations=observations),) if observations else ()
    return (*data, *fetch_failed(state, trial, metric, "the fetch gave no value of it", observations))


def fetch_failed(
    state: State, trial: Trial, metric: str, reason: str, observations: tuple[Observation, ...] = ()
) -> tuple[Event, ...]:
    """The metric is not awaited any more; the trial completes without it, and says so."""
    failed = e.FetchFailed(trial=trial.index, metric=metric, reason=reason)
    named = {observation.metric for observation in observations}
    if not _is_last(trial, named | {metric}):
        return (failed,)
    return (failed, completion(state, trial, observations, said=f"{metric}: {reason}"))


def completion(
    state: State, trial: Trial, new: tuple[Observation, ...] = (), *, said: str = "", reason: str | None = None
) -> e.TrialCompleted:
    """The end of a trial with what it still lacks: a value that is no number counts as missing.

    Args:
        state: The state before *new*.
        trial: The trial before *new*.
        new: Observations that come with the end.
        said: What the last fetch said, where it failed.
        reason: Why it is over, where a person said so; otherwise why metrics are missing.
    """
    needed = state.optimization.metric_names if state.optimization else ()
    seen = (*trial.observations, *new)
    good = {observation.metric for observation in seen if observation.mean is not None}
    missing = tuple(metric for metric in needed if metric not in good)
    if missing and reason is None:
        reason = _why(trial, missing, seen, said)
    return e.TrialCompleted(trial=trial.index, missing=missing, reason=reason)


def still_said(trial: Trial, missing: tuple[str, ...]) -> str | None:
    """What of a finished trial's reason holds once fewer metrics are *missing*; a person's words always do."""
    if trial.reason is None or missing == trial.missing:
        return trial.reason
    parts = trial.reason.split("; ")
    if not _is_of(parts[0], trial.missing):
        return trial.reason
    filled = [metric for metric in trial.missing if metric not in missing]
    return "; ".join(part for part in parts if not _is_of(part, filled)) or None if missing else None


def _is_of(part: str, metrics: Iterable[str]) -> bool:
    return any(part == f"no value for {name}" or part.startswith((f"{name} is ", f"{name}: ")) for name in metrics)


def _why(trial: Trial, missing: tuple[str, ...], seen: tuple[Observation, ...], said: str) -> str:
    """Why metrics are missing; once the run has finished the trial's reason tells of fetches that failed."""
    earlier = trial.reason if trial.run_done else None
    told = [part for part in (earlier, said) if part]
    bad = {observation.metric: observation.status for observation in seen if observation.mean is None}
    for metric in missing:
        if not any(part.startswith(f"{metric}: ") or f"; {metric}: " in part for part in told):
            told.append(f"{metric} is {bad[metric]}" if metric in bad else f"no value for {metric}")
    return "; ".join(told)


def _is_last(trial: Trial, named: set[str]) -> bool:
    return bool(trial.awaiting) and named.issuperset(trial.awaiting)
