"""What changed between two moments of an experiment, as data and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from titrant.analysis import results
from titrant.errors import ObjectiveError
from titrant.model.observation import by_metric
from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, RangeParameterConfig
from titrant.model.trial import Trial, TrialStatus
from titrant.progress import words
from titrant.rules.state import State

TOLD = ("metrics", "tracking", "baseline", "log_id", "seed", "backfill", "paused", "halted", "comparisons")
"""Fields of the state that are compared as they are."""

ELSEWHERE = (
    "experiment",
    "optimization",
    "strategy",
    "runners",
    "quarantined",
    "open",
    "closed",
    "counts",
    "run",
    "last_run",
    "approval",
    "definition",
    "past",
)
"""Fields that are told in parts."""

FOLLOWS = (
    "next_index",
    "queue",
    "busy",
    "in_loop",
    "unknown",
    "inherited",
    "position",
    "attached",
    "replicates",
    "results",
    "proposed",
    "proposed_in_loop",
    "domain",
    "space_changes",
    "made_by",
)
"""Fields that only keep count of what is told otherwise."""


class Change(msgspec.Struct, frozen=True):
    """One thing that is not as it was.

    Attributes:
        path: What: ``"trials/7/status"``, ``"space/temperature/bounds"``, ``"objective"``, ``"best"``.
        old: As it was, in plain values; None where it was not there.
        new: As it is.
        words: The same for people.
    """

    path: str
    old: Any
    new: Any
    words: str

    def __str__(self) -> str:
        return self.words


def changes(before: State, after: State, trials: Iterable[int] | None = None) -> list[Change]:
    """What is different in *after*: configuration, control, counts, the best, then each trial.

    Args:
        before: The earlier state (or the later one: then what is told runs backwards).
        after: The later one.
        trials: The only trials to look at; all where None.  The best is told only where all are looked at.
    """
    found = [*_configuration(before, after), *_control(before, after)]
    if trials is None:
        found += [*_counts(before, after), *_best(before, after)]
    for index in range(max(before.next_index, after.next_index)) if trials is None else sorted(set(trials)):
        one, other = _trial(before, index), _trial(after, index)
        if one is not other:
            found += _of_trial(index, one, other)
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it; None for what is left open."""
    if value is msgspec.UNSET:
        return None
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=dict))


def _change(path: str, name: str, old: Any, new: Any) -> Iterator[Change]:
    """A change in a single value, if it is one."""
    one, other = plain(old), plain(new)
    if one != other:
        yield Change(path, one, other, f"{name}: {_shown(one)} → {_shown(other)}")


# --- the experiment -------------------------------------------------------------------------------------------------


def _configuration(before: State, after: State) -> Iterator[Change]:
    if before.experiment is not after.experiment:
        for field in ("name", "description", "owner", "experiment_type"):
            old, new = (getattr(state.experiment, field, None) for state in (before, after))
            yield from _change(f"experiment/{field}", field.replace("_", " "), old or None, new or None)
        yield from _space(before, after)
    one, other = before.optimization, after.optimization
    yield from _change("objective", "objective", one and one.text, other and other.text)
    yield from _change("outcome_constraints", "outcome constraints", _texts(one), _texts(other))
    yield from _fields("strategy", before.strategy, after.strategy)
    rules = ([plain(rule) for rule in state.approval.rules] for state in (before, after))
    yield from _change("approval", "approval rules", *rules)
    yield from _fields("definition", before.definition, after.definition)
    learned = ([str(past) for past in state.past] for state in (before, after))
    yield from _change("past", "learned from", *learned)
    for spec in dict.fromkeys(spec.name for spec in (*before.runners, *after.runners)):
        yield from _fields(f"runners/{spec}", before.runner(spec), after.runner(spec), name=f"runner {spec}")
    for field in TOLD:
        old, new = getattr(before, field), getattr(after, field)
        if old is not new:
            yield from _change(field, field.replace("_", " "), old, new)


def _space(before: State, after: State) -> Iterator[Change]:
    spaces = [None if state.experiment is None else state.experiment.space for state in (before, after)]
    one, other = ({} if space is None else {config.name: config for config in space.parameters} for space in spaces)
    for name in dict.fromkeys((*one, *other)):
        yield from _fields(f"space/{name}", one.get(name), other.get(name), name=f"parameter {name}")
    held = [[] if space is None else [constraint.text for constraint in space.every_constraint] for space in spaces]
    yield from _change("space/constraints", "parameter constraints", *held)
    pools = [repr(space.candidates) if space is not None and space.candidates else "none" for space in spaces]
    yield from _change("space/candidates", "candidates", *pools)


def _fields(path: str, old: Any, new: Any, *, name: str = "") -> Iterator[Change]:
    """Two Structs of one kind field by field; another kind, or none, as a whole."""
    name = name or path
    if old is new:
        return
    if type(old) is not type(new):
        yield Change(path, plain(old), plain(new), f"{name}: {_brief(old)} → {_brief(new)}")
        return
    for field in type(new).__struct_fields__:
        title = f"{name}, {field.replace('_', ' ')}"
        yield from _change(f"{path}/{field}", title, getattr(old, field), getattr(new, field))


def _texts(optimization: Any) -> list[str]:
    return [] if optimization is None else [constraint.text for constraint in optimization.constraints]


# --- control --------------------------------------------------------------------------------------------------------


def _control(before: State, after: State) -> Iterator[Change]:
    yield from _change("quarantined", "quarantined runners", dict(before.quarantined), dict(after.quarantined))
    yield from _change("run", "run", _run(before), _run(after))


def _run(state: State) -> str | None:
    """The run under way, or how the last one ended."""
    if state.run is not None:
        draining = "" if state.run.draining is None else f", ending: {state.run.draining}"
        return f"under way ({words.count(state.run.options.max_trials, 'new trial')}{draining})"
    return None if state.last_run is None else f"ended: {state.last_run.outcome}"


# --- counts and the best --------------------------------------------------------------------------------------------


def _counts(before: State, after: State) -> Iterator[Change]:
    yield from _change("counts/all", "trials", before.next_index, after.next_index)
    for status in TrialStatus:
        yield from _change(f"counts/{status.name}", f"trials {status.name}", before.count(status), after.count(status))


def _best(before: State, after: State) -> Iterator[Change]:
    old, new = leading(before), leading(after)
    if old != new:
        yield Change("best", old, new, f"best: {lead_words(old)} → {lead_words(new)}")


def leading(state: State) -> dict[str, Any] | None:
    """The trial that leads and what it reached, or the front."""
    if state.optimization is None:
        return None
    if state.optimization.is_multi_objective:
        return {"front": [trial.index for trial in results.pareto_observed(state)]}
    try:
        best = results.best_observed(state)
    except ObjectiveError:  # relative to a baseline without data
        return None
    if best is None:
        return None
    if state.optimization.is_preference:
        reached = f"{best.values['won'][0]:.0%} of its comparisons won"
    else:
        reached = words.result(state.optimization, {name: mean for name, (mean, _) in best.values.items()})
    return {"trial": best.trial.index, "utility": best.utility, "result": reached}


def lead_words(found: Mapping[str, Any] | None) -> str:
    """What leads, for people."""
    match found:
        case None:
            return "none"
        case {"front": front}:
            return f"{words.count(len(front), 'trial')} that no other beats"
        case _:
            return f"{found['result']} in trial {found['trial']}"


# --- trials ---------------------------------------------------------------------------------------------------------


def _trial(state: State, index: int) -> Trial | None:
    return state.open.get(index) or state.closed.get(index)


def _of_trial(index: int, old: Trial | None, new: Trial | None) -> Iterator[Change]:
    if old is None or new is None:
        yield _appeared(index, old, new)
        return
    path, name = f"trials/{index}", f"trial {index}"
    yield from _change(f"{path}/status", name, old.status.name, new.status.name)
    one, other = observed(old), observed(new)
    for metric in dict.fromkeys((*one, *other)):
        yield from _change(f"{path}/data/{metric}", f"{name}, {metric}", one.get(metric), other.get(metric))
    for field in ("parameters", "executed", "runner", "attempt", "stop_requested", "reason", "rule", "missing"):
        was, is_now = getattr(old, field), getattr(new, field)
        if was is not is_now:
            yield from _change(f"{path}/{field}", f"{name}, {field.replace('_', ' ')}", was, is_now)


def _appeared(index: int, old: Trial | None, new: Trial | None) -> Change:
    trial = new if new is not None else old
    assert trial is not None
    values = "; ".join(f"{metric} = {_shown(value)}" for metric, value in observed(trial).items())
    made = trial.node or trial.origin
    is_new = "is new" if new is not None else "is not there"
    words_of = f"trial {index} {is_new}: {trial.status.name}, {made}, {words.conditions(trial.parameters)}"
    return Change(
        f"trials/{index}",
        None if old is None else _facts(old),
        None if new is None else _facts(new),
        f"{words_of}; {values}" if values else words_of,
    )


def _facts(trial: Trial) -> dict[str, Any]:
    return {
        "status": trial.status.name,
        "origin": trial.origin,
        "node": trial.node,
        "parameters": dict(trial.parameters),
        "data": observed(trial),
    }


def observed(trial: Trial) -> dict[str, dict[str, float | None]]:
    """Metric name to mean and SEM, of the values that stand now."""
    return {name: {"mean": one.mean, "sem": one.sem} for name, one in by_metric(trial.observations).items()}


# --- words ----------------------------------------------------------------------------------------------------------


def _brief(value: Any) -> str:
    """A Struct as a whole, its name left out, which stands before it."""
    match value:
        case None:
            return "none"
        case RangeParameterConfig(bounds=(low, high), scaling=scaling):
            return f"{words.value(low)} to {words.value(high)}" + (" (log)" if scaling == "log" else "")
        case ChoiceParameterConfig(values=values):
            return "one of " + ", ".join(map(words.value, values))
        case FixedParameterConfig(value=held):
            return f"fixed at {words.value(held)}"
        case _:
            told = plain(value)
            return _shown({name: one for name, one in told.items() if name not in ("name", "type")}) or "there"


def _shown(value: Any) -> str:
    """A plain value for people: numbers with four digits, a mean with its SEM as ``mean ± SEM``."""
    match value:
        case None | "" | []:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return words.value(value)
        case {"mean": mean, "sem": sem}:
            return _shown(mean) if sem is None else f"{_shown(mean)} ± {_shown(sem)}"
        case list():
            return ", ".join(map(_shown, value))
        case dict():
            return ", ".join(f"{name} {_shown(one)}" for name, one in value.items()) or "none"
        case _:
            return str(value)
