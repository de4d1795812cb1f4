# ruff: noqa: E402 (threads are bounded before numpy is imported)
"""How long do 96 suggestions at once take?  All wells of a plate, in spaces and for goals of every kind.

    python benchmarks/plates.py --json benchmarks/results/plates.json
    python benchmarks/plates.py --only "4 objectives" --seeds 5

Directly from the generators, in one thread, after as many known trials as the table says; CPU seconds for all wells,
how many of them differ, and how many were found by a search of their own (docs/generators.md says how the others are).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"  # as in the worker process; before numpy is imported

from _machine import commit, machine, versions

from titrant.generators import dispatch
from titrant.generators.base import Point, Proposal, Request
from titrant.generators.gp.plate import Plate
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, SearchSpace, search_space

HERE = Path(__file__).parent
WELLS = 96
Values = dict[str, float]


def hill(p: Values) -> float:
    return -sum((value - 0.4) ** 2 for value in p.values())


def several(p: Values) -> Values:
    a, b, c, d, e, f = p.values()
    return {"u": hill(p), "v": a - b, "w": math.sin(3 * c), "x": e * f, "y": d, "z": -a * e}


def cube(count: int) -> SearchSpace:
    return search_space([RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(count)])


def names(count: int, between: str) -> str:
    return between.join(f"x{i}" for i in range(count))


def whole_numbers() -> SearchSpace:
    return search_space(
        [RangeParameterConfig(f"x{i}", (0, 20), "int") for i in range(6)],
        [f"{names(6, ' + ')} = 40"],
    )


def formulation(count: int, most: int, step: float | None) -> SearchSpace:
    return search_space(
        [RangeParameterConfig(f"x{i}", (0.0, 1.0), step_size=step) for i in range(count)],
        [f"{names(count, ' + ')} = 1", f"at most {most} of {names(count, ', ')}"],
    )


def with_fidelity() -> SearchSpace:
    mesh = RangeParameterConfig("mesh", (4, 400), "int", scaling="log", is_fidelity=True, target_value=400)
    return search_space([*(RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(5)), mesh])


def on_mesh(p: Values) -> Values:
    return {"y": hill({name: value for name, value in p.items() if name != "mesh"}) - 1 / p["mesh"]}


@dataclass(frozen=True)
class Case:
    """What a plate is asked for."""

    name: str
    known: int
    space: SearchSpace
    objective: str
    evaluate: Callable[[Values], Values]
    constraints: tuple[str, ...] = ()
    method: str = "fast"


def only(p: Values) -> Values:
    return {"y": hill(p)}


def bounded(p: Values) -> Values:
    return {"y": hill(p), "z": p["x0"] + p["x1"]}


def against(p: Values) -> Values:
    """What one objective gains another loses: no point is better than another."""
    a, b, c, *_ = p.values()
    return {"a": a, "b": b, "c": c, "d": -a - b - c, "e": -a}


CASES = (
    *(Case("one objective", known, cube(6), "y", only) for known in (30, 96, 200, 400)),
    *(Case("and an outcome constraint", known, cube(6), "y", bounded, ("z <= 1",)) for known in (60, 200, 2000)),
    Case("method quality", 60, cube(6), "y", only, method="quality"),
    Case("method thompson", 60, cube(6), "y", only, method="thompson"),
    *(Case("2 objectives", known, cube(6), "u, v", several) for known in (16, 60)),
    Case("3 objectives", 60, cube(6), "u, v, -w", several),
    Case("4 objectives", 60, cube(6), "u, v, -w, x", several),
    Case("6 objectives", 60, cube(6), "u, v, -w, x, y, z", several),
    Case("all on the front of 2", 400, cube(6), "a, e", against),
    Case("all on the front of 4", 100, cube(6), "a, b, c, d", against),
    Case("50 parameters", 60, cube(50), "y", only),
    Case("whole numbers, a sum", 60, whole_numbers(), "y", lambda p: {"y": -sum((v - 7) ** 2 for v in p.values())}),
    Case("20 components, at most 4", 60, formulation(20, 4, None), "y", only),
    Case("steps of 5 %, at most 3", 60, formulation(6, 3, 0.05), "y", only),
    Case("a fidelity", 60, with_fidelity(), "y", on_mesh),
)


def filled(case: Case, seed: int) -> tuple[float, tuple[Proposal, ...]]:
    """CPU seconds, and the wells."""
    points = dispatch.suggest(Request(space=case.space, count=case.known, seed=seed)).proposals
    observed = tuple(
        Point(i, one.parameters, tuple(Observation(*pair) for pair in case.evaluate(one.parameters).items()))
        for i, one in enumerate(points)
    )
    goal = optimization_config(case.objective, list(case.constraints))
    request = Request(
        space=case.space, node="bo", method=case.method, optimization=goal, observed=observed, seed=seed, count=WELLS
    )
    began = time.process_time()
    wells = dispatch.suggest(request).proposals
    return time.process_time() - began, wells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="cases whose name has this in it")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    dispatch.warm(torch=False)
    rows = []
    print(f"| | known trials | CPU s for {WELLS} | different | searched for one by one |\n|---|---|---|---|---|")
    for case in [one for one in CASES if not options.only or options.only in one.name]:
        found = [filled(case, seed) for seed in range(options.seeds)]
        different = min(len({tuple(one.parameters.values()) for one in wells}) for _, wells in found)
        searched = min(sum(Plate.name not in one.generator for one in wells) for _, wells in found)
        seconds = statistics.median(spent for spent, _ in found)
        print(f"| {case.name} | {case.known} | {seconds:.2f} | {different} | {searched} |", flush=True)
        spent = [round(one, 3) for one, _ in found]
        rows.append(
            {"case": case.name, "known": case.known, "cpu_s": spent, "different": different, "searched": searched}
        )
    if options.json is not None:
        head = {"machine": machine(), "versions": versions(sys.executable), "commit": commit(HERE), "wells": WELLS}
        options.json.write_text(json.dumps({**head, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
