"""Which first points are good by themselves, before a result has told of anything?

    python benchmarks/first_points.py
    python benchmarks/first_points.py --problems hartmann6,reaction --seeds 600 --count 8

With as many slots as initial points nobody has anything to learn from until the first trials are over: whoever is ahead
until then is so by its points alone.  Seeds count from 1000 on, as wherever something was chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from _campaign import regrets
from _problems import PROBLEMS, Problem
from numpy.typing import NDArray
from scipy.stats import qmc

from titrant.generators.encoding import Encoding
from titrant.model.space import search_space

Floats = NDArray[np.float64]
Design = Callable[[int, int, int], Floats]


def sobol(count: int, dimensions: int, seed: int) -> Floats:
    return qmc.Sobol(dimensions, seed=seed).random(count)


def latin_hypercube(count: int, dimensions: int, seed: int) -> Floats:
    return qmc.LatinHypercube(dimensions, seed=seed).random(count)


def at_random(count: int, dimensions: int, seed: int) -> Floats:
    return np.random.default_rng(seed).random((count, dimensions))


def centre_first(count: int, dimensions: int, seed: int) -> Floats:
    return np.vstack([np.full((1, dimensions), 0.5), sobol(count, dimensions, seed)[: count - 1]])


def toward_the_middle(share: float) -> Design:
    """Sobol points in the middle *share* of each range."""
    return lambda *size: 0.5 + share * (sobol(*size) - 0.5)


DESIGNS: dict[str, Design] = {
    "random": at_random,
    "Sobol": sobol,
    "latin hypercube": latin_hypercube,
    "centre, then Sobol (titrant)": centre_first,
    "Sobol, middle 0.8": toward_the_middle(0.8),
    "Sobol, middle 0.6": toward_the_middle(0.6),
}


def found(problem: Problem, design: Design, count: int, seeds: range) -> Floats:
    """The regret after all points.

    Returns:
        Array of shape ``(seeds,)``.
    """
    encoding = Encoding(search_space(list(problem.parameters)), {})
    last = []
    for seed in seeds:
        points = [encoding.decode(u) for u in design(count, encoding.dimension, seed)]
        last.append(regrets(problem, [problem.evaluate(point) for point in points])[-1])
    return np.array(last)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--count", type=int, default=8)
    options = parser.parse_args()
    seeds = range(1000, 1000 + options.seeds)
    print(f"| problem | {' | '.join(DESIGNS)} |\n{'|---' * (len(DESIGNS) + 1)}|")
    for problem in [PROBLEMS[name] for name in options.problems.split(",")]:
        medians = [np.median(found(problem, design, options.count, seeds)) for design in DESIGNS.values()]
        print(f"| {problem.name} | {' | '.join(f'{one:.3g}' for one in medians)} |", flush=True)


if __name__ == "__main__":
    main()
