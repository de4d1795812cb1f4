"""What a request holds of related problems: past experiments, and the trials of other tasks."""

from __future__ import annotations

import json

from msgspec.structs import replace

from titrant.generators.base import Point, Request, Sample
from titrant.model.trial import Parameterization, ParameterValue


def is_told(request: Request) -> bool:
    """Whether a request holds anything of related problems."""
    if request.past:
        return True
    tasks = request.space.having("task")
    return bool(tasks) and any(not _same(tasks, point, request.fixed) for point in request.observed)


def parted(request: Request) -> tuple[Request, tuple[Sample, ...]]:
    """The request as far as it is about its own task, and a sample of every related problem.

    Points of other tasks and of past experiments stand where they would in the task that is asked for.
    """
    tasks = request.space.having("task")
    held = {name: request.fixed[name] for name in tasks if name in request.fixed}
    past = tuple(replace(sample, points=tuple(_moved(one, held) for one in sample.points)) for sample in request.past)
    if not tasks:
        return request, past
    groups: dict[str, list[Point]] = {}
    for point in request.observed:
        if not _same(tasks, point, request.fixed):
            words = ", ".join(f"{name} {_word(point.parameters.get(name))}" for name in tasks)
            groups.setdefault(words, []).append(_moved(point, held))
    others = tuple(Sample(name=words, points=tuple(points)) for words, points in sorted(groups.items()))

    def own(points: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple(point for point in points if _same(tasks, point, request.fixed))

    mine = replace(request, observed=own(request.observed), pending=own(request.pending), failed=own(request.failed))
    return mine, (*others, *past)


def _same(tasks: tuple[str, ...], point: Point, fixed: Parameterization) -> bool:
    return all(point.parameters.get(name) == fixed.get(name) for name in tasks)


def _moved(point: Point, held: Parameterization) -> Point:
    return replace(point, parameters={**point.parameters, **held}) if held else point


def _word(value: ParameterValue | None) -> str:
    return value if isinstance(value, str) else json.dumps(value)
