"""How good is what a judge is led to?  Preferential optimization beside BoTorch's and beside random pairs.

    python benchmarks/preference.py --quick                       # half a minute, titrant and random pairs
    python benchmarks/preference.py --json benchmarks/results/preference.json
    python benchmarks/preference.py --sides titrant,botorch,random --problems branin --seeds 10

Nothing is measured: a judge sees two points, each utility with normal noise of its own, and names the better one.  All
sides begin with the same four Sobol points and the same judge, and are asked for one point and one comparison a round:

- *titrant*: a suggestion of the node ``bo``, then the pair of ``get_next_comparison``.
- *botorch*: ``PairwiseGP``, fitted by ``fit_gpytorch_mll``; ``AnalyticExpectedUtilityOfBestOption`` against the point
  of greatest posterior mean, maximized by ``optimize_acqf`` (4 starts, 256 raw samples); the two are compared.
- *random*: a Sobol point, compared with one of the others at random.  Whom that leads to is said by titrant's model.

Reported is the regret of the point that each would recommend, that of the greatest posterior mean, in the function's
own unit, after each comparison; and the seconds of CPU for each suggestion.  Tuned on seeds from 1000, reported on 0
to 9.
"""

# ruff: noqa: E402 (threads are bounded before numpy is loaded)

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np
from _functions import hartmann3
from _machine import commit, machine, versions

from titrant.generators import dispatch
from titrant.generators.base import Examination, Point, PredictionRequest, Request
from titrant.model.comparison import Verdict
from titrant.model.insight import Pairing
from titrant.model.objective import PREFERENCE
from titrant.model.space import RangeParameterConfig, SearchSpace, search_space
from titrant.simulation.problems import branin, hartmann6

Values = dict[str, Any]
START = 4


class Problem:
    """A function to be small, and a judge who sees it with noise.

    The utility is the function turned round, in units in which it has the standard deviation ``sure`` over the space; a
    judge's noise has the standard deviation 1 for each point.
    """

    def __init__(self, function: Callable[[Values], float], space: SearchSpace, least: float, sure: float) -> None:
        self.function, self.space, self.least = function, space, least
        # The range of the function over quasi-random points.
        reply = dispatch.suggest(Request(space=space, node="sobol", count=1024, seed=0))
        values = [function(one.parameters) for one in reply.proposals]
        self.unit = statistics.stdev(values) / sure

    def regret(self, parameters: Values) -> float:
        return self.function(parameters) - self.least

    def prefers(self, one: Values, other: Values, rng: np.random.Generator) -> bool:
        """Whether the first of two is said to be better."""
        noise = rng.standard_normal(2)
        return -self.function(one) / self.unit + noise[0] > -self.function(other) / self.unit + noise[1]


def _box(bounds: Sequence[tuple[float, float]]) -> SearchSpace:
    return search_space([RangeParameterConfig(f"x{i}", b) for i, b in enumerate(bounds, start=1)])


def problems() -> dict[str, Problem]:
    """All of them; two judges of Branin."""
    plane, cube, six = _box([(-5.0, 10.0), (0.0, 15.0)]), _box([(0.0, 1.0)] * 3), _box([(0.0, 1.0)] * 6)
    return {
        "branin": Problem(lambda x: branin(x)["branin"], plane, 0.397887, sure=10.0),
        "branin, unsure judge": Problem(lambda x: branin(x)["branin"], plane, 0.397887, sure=3.0),
        "hartmann3": Problem(lambda x: hartmann3(x)["y"], cube, -3.86278, sure=5.0),
        "hartmann6": Problem(lambda x: hartmann6(x)["hartmann6"], six, -3.32237, sure=5.0),
    }


class Side:
    """Who suggests: keeps the points and the verdicts of one run."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.seed = problem, seed
        self.points: list[Values] = []
        self.verdicts: list[Verdict] = []

    def begin(self, points: Sequence[Values]) -> None:
        """Take the first points."""
        self.points.extend(points)

    def next(self) -> tuple[int, int]:
        """Make a point, and name the pair to be compared."""
        raise NotImplementedError

    def tell(self, better: int, worse: int) -> None:
        """Take a verdict."""
        self.verdicts.append(Verdict(better, worse))

    def recommended(self) -> Values:
        """The point that it likes best."""
        request = PredictionRequest(
            space=self.problem.space,
            optimization=PREFERENCE,
            observed=self.observed,
            points=tuple(self.points),
            comparisons=tuple(self.verdicts),
        )
        means = [one["utility"][0] for one in dispatch.predict(request).predictions]
        return self.points[max(range(len(means)), key=means.__getitem__)]

    @property
    def observed(self) -> tuple[Point, ...]:
        """The points as titrant's generators see them."""
        return tuple(Point(trial=place, parameters=point) for place, point in enumerate(self.points))

    def request(self, node: Any = "bo") -> Request:
        """What titrant's generators are asked."""
        return Request(
            space=self.problem.space,
            optimization=PREFERENCE,
            node=node,
            seed=self.seed,
            position=len(self.points),
            observed=self.observed,
            comparisons=tuple(self.verdicts),
        )


class Titrant(Side):
    """titrant's suggestions and pairs."""

    def next(self) -> tuple[int, int]:
        if self.verdicts:
            self.points.append(dispatch.suggest(self.request()).proposals[0].parameters)
        found = dispatch.examine(Examination(question="pairing", basis=self.request()))
        assert isinstance(found, Pairing)
        return found.trials


class Random(Side):
    """Quasi-random points, compared at random."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        self._rng = np.random.default_rng([seed, 2])

    def next(self) -> tuple[int, int]:
        self.points.append(dispatch.suggest(self.request("sobol")).proposals[0].parameters)
        return len(self.points) - 1, int(self._rng.integers(len(self.points) - 1))


class BoTorch(Side):
    """BoTorch's model and acquisition function, put together as in its tutorial."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        import torch  # noqa: PLC0415 - only where this side takes part

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self._torch = torch
        self._bounds = np.array([one.bounds for one in problem.space.parameters]).T
        self._model: Any = None

    def next(self) -> tuple[int, int]:
        from botorch.acquisition.preference import AnalyticExpectedUtilityOfBestOption  # noqa: PLC0415
        from botorch.optim import optimize_acqf  # noqa: PLC0415

        if not self.verdicts:
            return 0, 1
        torch = self._torch
        best = self._leader()
        acquisition = AnalyticExpectedUtilityOfBestOption(self._model, previous_winner=self._x()[best : best + 1])
        cube = torch.stack([torch.zeros(self._bounds.shape[1]), torch.ones(self._bounds.shape[1])]).double()
        found, _ = optimize_acqf(acquisition, cube, q=1, num_restarts=4, raw_samples=256)
        low, high = self._bounds
        x = low + found[0].numpy() * (high - low)
        self.points.append({f"x{i}": float(v) for i, v in enumerate(x, start=1)})
        return best, len(self.points) - 1

    def tell(self, better: int, worse: int) -> None:
        from botorch.fit import fit_gpytorch_mll  # noqa: PLC0415
        from botorch.models.pairwise_gp import PairwiseGP, PairwiseLaplaceMarginalLogLikelihood  # noqa: PLC0415

        super().tell(better, worse)
        pairs = self._torch.tensor([[one.better, one.worse] for one in self.verdicts])
        self._model = PairwiseGP(self._x(), pairs)
        fit_gpytorch_mll(PairwiseLaplaceMarginalLogLikelihood(self._model.likelihood, self._model))

    def recommended(self) -> Values:
        return self.points[self._leader()]

    def _leader(self) -> int:
        with self._torch.no_grad():
            return int(self._model.posterior(self._x()).mean.argmax())

    def _x(self) -> Any:
        low, high = self._bounds
        return self._torch.tensor((np.array([list(one.values()) for one in self.points]) - low) / (high - low))


SIDES: dict[str, type[Side]] = {"titrant": Titrant, "random": Random, "botorch": BoTorch}


def run(name: str, problem: Problem, seed: int, rounds: int) -> dict[str, Any]:
    """One run: the regret of what is recommended after each comparison, and what suggestions cost."""
    side = SIDES[name](problem, seed)
    first = dispatch.suggest(Request(space=problem.space, node="sobol", count=START, seed=seed))
    side.begin([one.parameters for one in first.proposals])
    rng = np.random.default_rng([seed, 1])
    regret, spent = [], []
    for _ in range(rounds):
        began = time.process_time()
        one, other = side.next()
        better = problem.prefers(side.points[one], side.points[other], rng)
        side.tell(*((one, other) if better else (other, one)))
        spent.append(time.process_time() - began)
        regret.append(problem.regret(side.recommended()))
    return {"side": name, "seed": seed, "regret": regret, "cpu_seconds": spent}


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Median [quartiles] of the regret half-way and at the end, and the median cost, by problem and side."""
    lines = [f"{'problem':22} {'side':8} {'runs':>4}  {'half-way':>8}  {'at the end [quartiles]':>26}  {'CPU s':>7}"]
    for problem in dict.fromkeys(one["problem"] for one in runs):
        for side in dict.fromkeys(one["side"] for one in runs):
            found = [one for one in runs if (one["problem"], one["side"]) == (problem, side)]
            if not found:
                continue
            rounds = len(found[0]["regret"])
            half = statistics.median(one["regret"][rounds // 2 - 1] for one in found)
            low, middle, high = np.quantile([one["regret"][-1] for one in found], [0.25, 0.5, 0.75])
            cost = statistics.median(second for one in found for second in one["cpu_seconds"][1:])
            end = f"{middle:.3g} [{low:.3g}, {high:.3g}]"
            lines.append(f"{problem:22} {side:8} {len(found):4}  {half:8.3g}  {end:>26}  {cost:7.3f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", default=",".join(SIDES), help="of titrant, random, botorch")
    parser.add_argument("--problems", default="", help="by name, set apart by ;")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=40, help="comparisons")
    parser.add_argument("--quick", action="store_true", help="one problem, three seeds, without BoTorch")
    parser.add_argument("--json", type=Path, help="where to write every run")
    given = parser.parse_args()
    sides = ["titrant", "random"] if given.quick else given.sides.split(",")
    wanted = problems()
    if names := [name for name in given.problems.split(";") if name]:
        wanted = {name: wanted[name] for name in names}
    if given.quick:
        wanted, given.seeds, given.rounds = {"branin": wanted["branin"]}, 3, 20
    runs: list[dict[str, Any]] = []
    for name, problem in wanted.items():
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            runs += [{"problem": name, **run(side, problem, seed, given.rounds)} for side in sides]
            sys.stderr.write(f"\r{name}, seed {seed}   ")
    sys.stderr.write("\r")
    print(table(runs))
    if given.json:
        assert all(math.isfinite(value) for one in runs for value in one["regret"])
        document = {
            "machine": machine(),
            "commit": commit(Path(__file__).resolve().parent),
            "versions": versions(sys.executable),
            "rounds": given.rounds,
            "start": START,
            "runs": runs,
        }
        given.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
