"""The summary: one page that needs nothing else, for who was not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec

from titrant.analysis.results import Recipe, feasible, recipe_means, recipes
from titrant.export.acts import Act
from titrant.export.manifest import Counts
from titrant.export.tables import Trials, Values, when
from titrant.export.trace import Point, Trace, trace
from titrant.log.heads import PublishedHead
from titrant.model.objective import Objective, OptimizationConfig
from titrant.model.observation import means
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.state import State

if TYPE_CHECKING:
    from jinja2 import Template

ROWS = 1_000
"""Rows of a table on the page; the others are in the CSV files."""

_ENDED = (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)


class Told(msgspec.Struct, kw_only=True):
    """What the events told, gathered on the way through the log.

    Attributes:
        first_at: When the first event was recorded, microseconds since 1970 UTC.
        last_at: When the last one was.
        sessions: How often a process took the log over.
        acts: What people and agents did, as many as the page shows.
        acts_left: How many more there were.
        signatures: What people signed.
    """

    first_at: int = 0
    last_at: int = 0
    sessions: int = 0
    acts: list[Act] = msgspec.field(default_factory=list)
    acts_left: int = 0
    signatures: list[Act] = msgspec.field(default_factory=list)


def page(state: State, told: Told, head: PublishedHead, counts: Counts) -> bytes:
    """The page as HTML; everything in it that came from outside is escaped."""
    table = Trials(state)
    found = list(recipes(state)) if state.optimization is not None else []
    good = [recipe for recipe in found if feasible(state, recipe_means(recipe))]
    text = _template().render(
        state=state,
        told=told,
        head=head,
        counts=counts,
        title=state.experiment.name if state.experiment else "experiment without a name",
        parameters=[_parameter(config) for config in (state.experiment.space.parameters if state.experiment else ())],
        constraints=[one.text for one in (state.experiment.space.every_constraint if state.experiment else ())],
        statuses=sorted(Counter(trial.status.name for trial in _all(state)).items()),
        first=when(told.first_at),
        last=when(told.last_at),
        best=_best(state.optimization, good),
        traces=_traces(state, {recipe.trial.index for recipe in good}),
        columns=table.columns,
        rows=_some(table, state.next_index),
        left=max(0, state.next_index - ROWS),
        shown=_shown,
    )
    return text.encode("utf-8", "replace")


@cache
def _template() -> Template:
    import jinja2  # noqa: PLC0415  only for a page

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    source = resources.files("titrant.export").joinpath("summary.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source)


def _best(optimization: OptimizationConfig | None, good: Sequence[Recipe]) -> list[tuple[Recipe, str, str]]:
    """The best recipe, or those that no other beats in every objective, with conditions and values in words."""
    if optimization is None or optimization.is_preference:
        return []
    ranked = sorted(((optimization.utilities(recipe_means(one)), one) for one in good), key=lambda pair: pair[0])
    front: list[tuple[tuple[float, ...], Recipe]] = []
    for utilities, recipe in reversed(ranked):  # the first objective never grows: only those before can be better
        if not any(_dominates(other, utilities) for other, _ in front):
            front.append((utilities, recipe))
    if not optimization.is_multi_objective:
        front = front[:1]
    front.sort(key=lambda pair: pair[1].trial.index)
    return [(recipe, _conditions(recipe.trial), _values(recipe)) for _, recipe in front[:ROWS]]


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def _conditions(trial: Trial) -> str:
    done = {**trial.parameters, **(trial.executed or {})}
    return ", ".join(f"{name} = {_shown(value)}" for name, value in done.items())


def _values(recipe: Recipe) -> str:
    parts = [
        f"{name} = {mean:.6g}" + ("" if sem is None else f" ± {sem:.3g}") for name, (mean, sem) in recipe.values.items()
    ]
    many = f" (pooled over trials {', '.join(map(str, recipe.trials))})" if len(recipe.trials) > 1 else ""
    return ", ".join(parts) + many


def _traces(state: State, good: set[int]) -> list[Trace]:
    """One drawing an objective, of all finished trials that count."""
    if state.optimization is None or state.optimization.is_preference:
        return []
    finished = [(trial, means(trial.observations)) for trial in _all(state) if trial.status in _ENDED]
    drawn = [_trace(objective, finished, good) for objective in state.optimization.objectives]
    return [one for one in drawn if one is not None]


def _trace(objective: Objective, finished: list[tuple[Trial, dict[str, float]]], good: set[int]) -> Trace | None:
    sign = -1.0 if objective.minimizes else 1.0
    points = [
        Point(trial.index, sign * objective.utility(values), trial.index in good or trial.replicate_of in good)
        for trial, values in finished
        if all(name in values for name in objective.metric_names)
    ]
    name = objective.metric_names[0] if objective.minimizes else objective.text
    return trace(name, points, minimize=objective.minimizes)


def _parameter(config: Any) -> tuple[str, str]:
    fields = {name: getattr(config, name) for name in config.__struct_fields__ if name != "name"}
    return config.name, ", ".join(
        f"{name} {_shown(value)}" for name, value in fields.items() if value not in (None, "")
    )


def _some(table: Trials, count: int) -> Iterable[Values]:
    """The first and the last rows, as many as there is room for."""
    half = ROWS // 2
    places = range(count) if count <= ROWS else (*range(half), *range(count - half, count))
    return map(table.row, places)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return ", ".join(map(_shown, value)) if isinstance(value, tuple) else str(value)


def _all(state: State) -> Iterable[Trial]:
    return (state.trial(index) for index in range(state.next_index))
