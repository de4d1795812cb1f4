# ruff: noqa: E402, PLC0415 (threads are set before numpy is imported, torch is loaded where it is needed)
"""How long a suggestion takes and how good it is, without an engine around it.

python benchmarks/generation.py start      # process start to first answer, and round trips
python benchmarks/generation.py cost       # CPU seconds per BO candidate, Hartmann6
python benchmarks/generation.py regret 10 100  # Hartmann6, 60 trials one after the other, seeds 100 to 109
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"  # as in the worker process; before numpy is imported

from titrant.generators import dispatch, wire
from titrant.generators.base import Point, Request
from titrant.generators.process import WorkerProcess
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space

SPACE = search_space([RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(6)])
GOAL = optimization_config("-y")
OPTIMUM = -3.32237


def observe(trial: int, parameters: dict, function: Callable[[list[float]], float]) -> Point:
    return Point(trial, parameters, (Observation("y", function(list(parameters.values()))),))


def hartmann6() -> Callable[[list[float]], float]:
    import torch
    from botorch.test_functions import Hartmann

    problem = Hartmann(6)
    return lambda x: float(problem(torch.tensor(x, dtype=torch.float64)))


def start() -> None:
    for node in ("centre", "sobol"):
        seconds = []
        for _ in range(9):
            began = time.perf_counter()
            with WorkerProcess() as worker:
                worker.call(Request(space=SPACE, node=node))
                seconds.append(time.perf_counter() - began)
        print(f"Popen to first {node} answer: median {statistics.median(seconds):.3f} s")
    with WorkerProcess() as worker:
        worker.call(Request(space=SPACE))
        began = time.perf_counter()
        for position in range(1000):
            worker.call(Request(space=SPACE, position=position))
        print(f"Sobol ask over the pipe: {time.perf_counter() - began:.3f} ms")
        points = worker.call(Request(space=SPACE, count=20)).proposals
        observed = tuple(observe(i, p.parameters, sum) for i, p in enumerate(points))
        for what in ("first BO ask, import and all", "second"):
            began = time.perf_counter()
            worker.call(Request(space=SPACE, node="bo", optimization=GOAL, observed=observed))
            print(f"{what}: {time.perf_counter() - began:.2f} s")
    began = time.perf_counter()
    with WorkerProcess() as worker:
        worker.call(wire.Warm())
        print(f"Popen to warmed: {time.perf_counter() - began:.2f} s")


def cost() -> None:
    dispatch.warm()
    function = hartmann6()
    for n in (20, 60, 300, 400):
        points = dispatch.suggest(Request(space=SPACE, count=n)).proposals
        observed = tuple(observe(i, p.parameters, function) for i, p in enumerate(points))
        for count in (1, 4):
            seconds = []
            for seed in range(5):
                began = time.process_time()
                dispatch.suggest(
                    Request(space=SPACE, node="bo", optimization=GOAL, observed=observed, seed=seed, count=count)
                )
                seconds.append((time.process_time() - began) / count)
            print(f"n = {n}, count = {count}: median {statistics.median(seconds):.3f} CPU s per candidate")


def regret(seeds: int, first: int) -> None:
    dispatch.warm()
    function = hartmann6()
    regrets = []
    for seed in range(first, first + seeds):
        observed: tuple[Point, ...] = ()
        position, seconds = 0, 0.0
        for trial in range(60):
            node = "centre" if trial == 0 else "sobol" if trial < 5 else "bo"
            request = Request(
                space=SPACE, node=node, optimization=GOAL, observed=observed, seed=seed, position=position
            )
            began = time.process_time()
            (proposal,) = dispatch.suggest(request).proposals
            seconds += time.process_time() - began
            position = proposal.position
            observed += (observe(trial, proposal.parameters, function),)
        trace = [min(p.observations[0].mean for p in observed[:n]) - OPTIMUM for n in (15, 30, 60)]
        regrets.append(trace[-1])
        print(
            f"seed {seed}: regret {' '.join(f'{r:.2g}' for r in trace)} at 15, 30, 60; {seconds / 55:.3f} CPU s per ask"
        )
    print(f"below 0.1: {sum(r < 0.1 for r in regrets)} of {seeds}; median {statistics.median(regrets):.2g}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["start"]:
            start()
        case ["cost"]:
            cost()
        case ["regret", seeds, first]:
            regret(int(seeds), int(first))
        case _:
            sys.exit(__doc__)
