"""What an experiment would have given: a model of the log's data, asked at any conditions, and how far it is right."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Hashable

from msgspec.structs import replace

from titrant.generators.process import WorkerProcess
from titrant.model.observation import by_metric, means
from titrant.model.trial import Parameterization
from titrant.whatif.basis import Basis
from titrant.whatif.report import Trust

Predicted = dict[str, tuple[float, float]]
"""Metric name to (mean, SEM of the mean), in the metric's own unit."""

LEAVE_ONE_OUT = 40
"""Trials up to which each is left out by itself; of more, a fifth at a time."""
FOLDS = 5
WIDE = 2.0
"""Standardized residuals beyond this are rare (5 %) where the model is right."""


class Oracle:
    """The model's answers; each place is asked once.

    Args:
        basis: The log's data.
        worker: A running worker process.
        told: Called with folds done and all folds while the fit is examined.
    """

    def __init__(self, basis: Basis, worker: WorkerProcess, told: Callable[[int, int], None]) -> None:
        self._basis, self._worker = basis, worker
        self._known: dict[Hashable, Predicted] = {}
        self._space = basis.request.space
        self.fit_seconds = 0.0
        self._left_out = self._examine(told)
        self.metrics = basis.request.optimization.metric_names
        self.sem_known = {name: all(sem is not None for sem in self._sems(name)) for name in self.metrics}
        self.noise = {name: self._noise(name) for name in self.metrics}
        if self._space.size() is not None:
            self._look_up()

    def at(self, parameters: Parameterization) -> Predicted:
        """The prediction at *parameters*: measured values where the space is finite and they were measured.

        Raises:
            GenerationError: The model failed.
        """
        key = self._space.signature(parameters)
        if key not in self._known:
            request = replace(self._basis.request, points=(parameters,))
            self._known[key] = self._worker.call(request).predictions[0]
        return self._known[key]

    def sem(self, predicted: Predicted) -> float:
        """The SEM of the objective's value."""
        terms = self._basis.request.optimization.objectives[0].terms
        return math.hypot(*(weight * predicted[name][1] for name, weight in terms))

    def utilities(self) -> list[float]:
        """The observed objective of every trial, the greater the better."""
        objective = self._basis.request.optimization.objectives[0]
        return [objective.utility(means(point.observations)) for point in self._basis.points]

    def trust(self) -> Trust:
        """How well the model predicts trials that it has not seen."""
        objective = self._basis.request.optimization.objectives[0]
        seen = self.utilities()
        noise = math.hypot(*(weight * self.noise[name] for name, weight in objective.terms))
        errors = [
            value - objective.utility({name: mean for name, (mean, _) in predicted.items()})
            for value, predicted in zip(seen, self._left_out, strict=True)
        ]
        scales = [math.hypot(self.sem(predicted), noise) for predicted in self._left_out]
        mean = statistics.fmean(seen)
        total = math.fsum((value - mean) ** 2 for value in seen)
        standardized = [error / scale for error, scale in zip(errors, scales, strict=True) if scale > 0]
        return Trust(
            trials=len(seen),
            method="leave-one-out" if len(seen) <= LEAVE_ONE_OUT else f"{FOLDS}-fold",
            r2=1 - math.fsum(error**2 for error in errors) / total if total > 0 else None,
            residual_sd=math.sqrt(statistics.fmean(one**2 for one in standardized)) if standardized else None,
            wide=sum(abs(one) > WIDE for one in standardized) / len(standardized) if standardized else 0.0,
            spread=statistics.stdev(seen),
            noise=noise,
        )

    def _examine(self, told: Callable[[int, int], None]) -> list[Predicted]:
        """The prediction of each trial by a model that has not seen it."""
        points = self._basis.points
        folds = len(points) if len(points) <= LEAVE_ONE_OUT else FOLDS
        found: dict[int, Predicted] = {}
        for fold in range(folds):
            told(fold, folds)
            held = range(fold, len(points), folds)
            rest = tuple(point for place, point in enumerate(points) if place % folds != fold)
            asked = tuple(points[place].parameters for place in held)
            began = time.perf_counter()
            answer = self._worker.call(replace(self._basis.request, observed=rest, points=asked))
            # The latest: the first loads the libraries.
            self.fit_seconds = time.perf_counter() - began
            found.update(zip(held, answer.predictions, strict=True))
        told(folds, folds)
        return [found[place] for place in range(len(points))]

    def _sems(self, name: str) -> list[float | None]:
        return [by_metric(point.observations)[name].sem for point in self._basis.points]

    def _noise(self, name: str) -> float:
        """The standard deviation of a measurement: as told, or what the model's own uncertainty leaves unexplained."""
        sems = [sem for sem in self._sems(name) if sem is not None]
        if self.sem_known[name]:
            return math.sqrt(statistics.fmean(sem**2 for sem in sems))
        values = [means(point.observations)[name] for point in self._basis.points]
        unexplained = [
            (value - predicted[name][0]) ** 2 - predicted[name][1] ** 2
            for value, predicted in zip(values, self._left_out, strict=True)
        ]
        return math.sqrt(max(0.0, statistics.fmean(unexplained)))

    def _look_up(self) -> None:
        measured: dict[Hashable, list[dict[str, float]]] = {}
        for point in self._basis.points:
            measured.setdefault(self._space.signature(point.parameters), []).append(means(point.observations))
        for key, values in measured.items():
            self._known[key] = {name: (statistics.fmean(one[name] for one in values), 0.0) for name in self.metrics}
