"""One campaign of an optimizer in virtual time."""

from __future__ import annotations

import heapq
import math
import statistics
import time
from typing import Any

import numpy as np
from _optimizers import OPTIMIZERS
from _problems import Problem, Values, hypervolume

from titrant.model.objective import optimization_config

DIGITS = 5


def run(name: str, problem: Problem, parallel: int, seed: int, budget: int, seconds: float = 0.0) -> dict[str, Any]:
    """*budget* trials, *parallel* at once; a slot that falls free asks at once.

    Args:
        name: Of the optimizer.
        problem: What it is to optimize.
        parallel: Slots.
        seed: Of the optimizer, the durations and the noise.
        budget: Trials.
        seconds: A trial's mean duration, where the optimizer's own time counts too: one that asks or tells holds up
            the clock for as long as it used the processor, and what ends meanwhile waits.  0: its time is free, and
            the clock counts mean durations.
    """
    slots = _Slots(name, problem, seed, budget, seconds)
    slots.work(parallel)
    regret = regrets(problem, [true for _, true in slots.told])
    settled = slots.optimizer.recommend()
    settle = getattr(slots.optimizer, "settle", None)
    peak = None if settle is None else settle()
    cpu = slots.asking
    found = {
        "optimizer": name,
        "problem": problem.name,
        "parallel": parallel,
        "seed": seed,
        "budget": budget,
        "seconds": seconds,
        "regret": [_short(one) for one in regret],
        "recommended": None if settled is None else regrets(problem, [slots.true[settled]])[0],
        "peak": None if peak is None else _short(regrets(problem, [problem.evaluate(peak)])[0]),
        "cpu_s": [_short(one) for one in (statistics.median(cpu), float(np.quantile(cpu, 0.95)), math.fsum(cpu))],
        "makespan": _short(slots.now),
        "refused": slots.refused,
    }
    return found | ({"times": [_short(when) for when, _ in slots.told]} if seconds else {})


class _Slots:
    """The laboratory's slots, the clock, and what the optimizer has been told by when."""

    def __init__(self, name: str, problem: Problem, seed: int, budget: int, seconds: float) -> None:
        self._durations = np.random.default_rng([seed, 777]).lognormal(-0.125, 0.5, budget) * (seconds or 1.0)
        self._noise = np.random.default_rng([seed, 778]).normal(size=budget) * problem.noise
        self._problem, self._budget, self._charged = problem, budget, seconds > 0
        self.optimizer = OPTIMIZERS[name](problem, seed)
        self._under_way: list[tuple[float, int, Any, Values]] = []
        self.now, self.begun, self.refused = 0.0, 0, 0
        self.told: list[tuple[float, dict[str, float]]] = []
        self.true: dict[int, dict[str, float]] = {}
        self.asking: list[float] = []

    def work(self, parallel: int) -> None:
        while True:
            self._settle()
            if len(self.told) == self._budget:
                return
            if not (len(self._under_way) < parallel and self.begun < self._budget and self._begin()):
                self.now = max(self.now, self._under_way[0][0])

    def _settle(self) -> None:
        """Tell of the trials that have ended by now."""
        while self._under_way and self._under_way[0][0] <= self.now:
            ended, trial, token, values = heapq.heappop(self._under_way)
            true, metric = self._problem.evaluate(values), self._problem.metric
            began = time.process_time()
            self.optimizer.tell(token, {**true, metric: true[metric] + self._noise[trial]})
            self._pass(time.process_time() - began)
            self.told.append((ended, true))
            self.true[trial] = true

    def _begin(self) -> bool:
        began = time.process_time()
        asked = self.optimizer.ask()
        self.asking.append(time.process_time() - began)
        self._pass(self.asking[-1])
        if asked is None:
            self.refused += 1
            return False
        token, values = asked
        heapq.heappush(self._under_way, (self.now + self._durations[self.begun], self.begun, token, values))
        self.begun += 1
        return True

    def _pass(self, seconds: float) -> None:
        if self._charged:
            self.now += seconds


def regrets(problem: Problem, truth: list[dict[str, float]]) -> list[float]:
    """The simple regret (or that of the hypervolume) after each trial."""
    if problem.reference:
        points = [tuple(one.values()) for one in truth]
        return [problem.optimum - hypervolume(points[:n], problem.reference) for n in range(1, len(points) + 1)]
    config = optimization_config(problem.objective, list(problem.constraints))
    best, found = math.inf, []
    for one in truth:
        if config.feasible(one):
            best = min(best, problem.sign * (one[problem.metric] - problem.optimum))
        found.append(best if math.isfinite(best) else problem.worst)
    return found


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
