"""Making a suggestion again from its request, and holding it against the one on record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import msgspec

from titrant.errors import GenerationError, WorkerDied
from titrant.generators.base import Generator, Proposal, Reply, Request
from titrant.generators.process import InProcess, WorkerProcess
from titrant.model.space import RangeParameterConfig, SearchSpace
from titrant.model.trial import Parameterization, ParameterValue, Suggestion

Answer = Reply | str
"""What a generator answers when asked again: a reply, or why there is none."""


class Deriver:
    """Asks the generators again, each request once: equal requests have equal answers.

    Args:
        generator: Stands for the generator that somebody brought along when the log was made.
    """

    def __init__(self, generator: Generator | None = None) -> None:
        self._brought = None if generator is None else InProcess(generator)
        self._worker: WorkerProcess | None = None
        self._known: dict[tuple[str, bool], Answer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _exc: BaseException | None, _t: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the worker process; what is known stays known."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def can(self, maker: str) -> bool:
        """Whether the generator that made a suggestion is at hand; an empty name is titrant's own."""
        return not maker or self._brought is not None

    def answer(self, digest: str, request: Request, maker: str) -> Answer:
        """What the generator answers.

        Raises:
            WorkerDied: The worker process ended.
        """
        key = (digest, bool(maker))
        if key not in self._known:
            self._known[key] = self._ask(request, self._brought if maker else None)
        return self._known[key]

    def _ask(self, request: Request, brought: InProcess | None) -> Answer:
        if brought is None and self._worker is None:
            self._worker = WorkerProcess()
            self._worker.start()
        asked = brought or self._worker
        assert asked is not None
        try:
            return asked.call(request)
        except WorkerDied:
            raise
        except GenerationError as exc:
            return str(exc)


class Difference(msgspec.Struct, frozen=True):
    """Something that came out otherwise; ``size`` is relative to its scale, infinite where it is not of degree."""

    what: str
    size: float = math.inf


def differences(space: SearchSpace, recorded: Suggestion, derived: Proposal) -> list[Difference]:
    """How a suggestion made again differs from the one on record, bit for bit; nothing where it does not.

    Parameters are measured by the width of their range, predictions and values by their own magnitude.
    """
    found = _parameters(space, recorded.parameters, derived.parameters)
    found += _predictions(recorded.predicted, derived.predicted)
    before, after = recorded.acquisition_value, derived.acquisition_value
    if before != after:
        size = math.inf if before is None or after is None else _relative(before, after)
        found.append(Difference(_told("the value of the acquisition function", before, after), size))
    for name in ("node", "generator", "position"):
        if getattr(recorded, name) != getattr(derived, name):
            found.append(Difference(_told(f"the {name}", getattr(recorded, name), getattr(derived, name))))
    return found


def _parameters(space: SearchSpace, before: Parameterization, after: Parameterization) -> list[Difference]:
    return [
        Difference(_told(name, before.get(name), after.get(name)), _distance(space, name, before, after))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _distance(space: SearchSpace, name: str, before: Parameterization, after: Parameterization) -> float:
    """How far apart two values of a parameter are, as a share of its range."""
    config = next((one for one in space.parameters if one.name == name), None)
    values = (before.get(name), after.get(name))
    if not isinstance(config, RangeParameterConfig) or not all(isinstance(value, float) for value in values):
        return math.inf
    a, b = (float(value) for value in values if value is not None)
    low, high = config.bounds
    if config.scaling == "log" and a > 0 < b:
        a, b, low, high = (math.log(number) for number in (a, b, low, high))
    return abs(a - b) / (high - low) if high > low else math.inf


def _predictions(
    before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]
) -> list[Difference]:
    found = []
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        size = math.inf
        if one is not None and other is not None:
            scale = max(abs(one[0]), abs(other[0]), one[1], other[1])
            size = max(abs(one[0] - other[0]), abs(one[1] - other[1])) / scale if scale else 0.0
        found.append(Difference(_told(f"the prediction of {name}", one, other), size))
    return found


def _relative(one: float, other: float) -> float:
    return abs(one - other) / max(1.0, abs(one), abs(other))


def _told(
    what: str,
    before: ParameterValue | tuple[float, float] | None,
    after: ParameterValue | tuple[float, float] | None,
    show: Callable[[object], str] = repr,
) -> str:
    return f"{what} is {show(before)} in the log and {show(after)} when derived again"
