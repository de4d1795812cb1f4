"""What optimizers are compared on: test functions with their optima away from the centre, and a simulated reaction."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
from _functions import (
    Values,
    ackley,
    camel,
    dtlz2,
    griewank,
    hartmann3,
    levy,
    mixed_ackley,
    numbers,
    powell,
    rosenbrock,
    shifted_hartmann6,
    tension_compression,
    three_hump_camel,
    vehicle_safety,
    welded_beam,
)

from titrant.model.space import ParameterConfig, RangeParameterConfig
from titrant.simulation.problems import REACTION, branin


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem, to be maximized or minimized as its objective says.

    Attributes:
        name: What it is called.
        parameters: Its search space.
        objective: As titrant and Ax read it; the metric's name, with a minus where it is minimized.
        constraints: Bounds on further metrics, the same.
        evaluate: Conditions to the true values of all metrics.
        optimum: The best value of the objective's metric; of several objectives the greatest hypervolume.
        budget: How many trials there are.
        noise: Standard deviation of the objective's metric when it is measured.
        worst: The regret while nothing feasible was found.
        reference: The point that the hypervolume of several minimized objectives refers to.
    """

    name: str
    parameters: tuple[ParameterConfig, ...]
    objective: str
    evaluate: Callable[[Values], dict[str, float]]
    optimum: float
    budget: int
    constraints: tuple[str, ...] = ()
    noise: float = 0.0
    worst: float = math.nan
    reference: tuple[float, ...] = ()

    @property
    def metric(self) -> str:
        """The first objective's metric."""
        return self.objective.split(",")[0].strip().lstrip("-")

    @property
    def sign(self) -> float:
        """1 where it is minimized."""
        return 1.0 if self.objective.startswith("-") else -1.0


def cube(low: float, high: float, dimension: int) -> tuple[RangeParameterConfig, ...]:
    return tuple(RangeParameterConfig(f"x{i}", (low, high)) for i in range(1, dimension + 1))


def gramacy(values: Values) -> dict[str, float]:
    x1, x2 = numbers(values)
    c1 = 1.5 - x1 - 2 * x2 - 0.5 * math.sin(2 * math.pi * (x1 * x1 - 2 * x2))
    return {"y": x1 + x2, "c1": c1, "c2": x1 * x1 + x2 * x2 - 1.5}


def branin_currin(values: Values) -> dict[str, float]:
    x1, x2 = numbers(values)
    first = 1 - math.exp(-1 / (2 * x2)) if x2 > 1e-9 else 1.0
    currin = first * (2300 * x1**3 + 1900 * x1**2 + 2092 * x1 + 60) / (100 * x1**3 + 500 * x1**2 + 4 * x1 + 20)
    return {"y": branin({"x1": 15 * x1 - 5, "x2": 15 * x2})["branin"], "z": currin}


def reaction(values: Values) -> dict[str, float]:
    """The simulated reaction; Ax cannot read the name ``yield``."""
    found = REACTION.evaluate(values)
    return {"y": found["yield"], "impurity": found["impurity"]}


def stepped_hartmann6(values: Values) -> dict[str, float]:
    """Hartmann6 of which two parameters have four levels, 0 to 3, that stand for thirds of the cube's side."""
    return _UNMOVED({name: float(value) / 3 if name in ("x1", "x2") else value for name, value in values.items()})


def few_levels() -> tuple[ParameterConfig, ...]:
    return (*(RangeParameterConfig(f"x{i}", (0, 3), "int") for i in (1, 2)), *cube(0.0, 1.0, 6)[2:])


_HARTMANN = {"parameters": cube(0.0, 1.0, 6), "objective": "-y", "optimum": -3.32237, "budget": 60}
_UNMOVED = shifted_hartmann6([0.0] * 6)
# The least of stepped_hartmann6, by many descents for each of the sixteen pairs of levels.
_STEPPED = -2.899819

PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem(name="hartmann6", evaluate=_UNMOVED, **_HARTMANN),
        Problem(name="hartmann6s", evaluate=shifted_hartmann6((0.07, -0.05, 0.08, -0.09, 0.06, -0.04)), **_HARTMANN),
        Problem(name="hartmann6n", evaluate=_UNMOVED, noise=0.2, **_HARTMANN),
        # Fourteen of its parameters do nothing.
        Problem(name="hartmann20", evaluate=_UNMOVED, **_HARTMANN | {"parameters": cube(0.0, 1.0, 20)}),
        Problem(name="hartmann50", evaluate=_UNMOVED, **_HARTMANN | {"parameters": cube(0.0, 1.0, 50)}),
        Problem(
            name="branin",
            parameters=(RangeParameterConfig("x1", (-5.0, 10.0)), RangeParameterConfig("x2", (0.0, 15.0))),
            objective="-branin",
            evaluate=branin,
            optimum=0.397887,
            budget=30,
        ),
        Problem(name="ackley5", parameters=cube(-5, 10, 5), objective="-y", evaluate=ackley, optimum=0.0, budget=60),
        Problem(name="levy8", parameters=cube(-10, 10, 8), objective="-y", evaluate=levy, optimum=0.0, budget=60),
        # Of every parameter something depends.
        Problem(name="ackley20", parameters=cube(-5, 10, 20), objective="-y", evaluate=ackley, optimum=0.0, budget=120),
        Problem(name="levy20", parameters=cube(-10, 10, 20), objective="-y", evaluate=levy, optimum=0.0, budget=120),
        Problem(
            name="rosenbrock4", parameters=cube(-5, 10, 4), objective="-y", evaluate=rosenbrock, optimum=0.0, budget=40
        ),
        Problem(
            name="griewank4", parameters=cube(-10, 10, 4), objective="-y", evaluate=griewank, optimum=0.0, budget=40
        ),
        Problem(name="powell4", parameters=cube(-4, 5, 4), objective="-y", evaluate=powell, optimum=0.0, budget=40),
        Problem(name="ackley4", parameters=cube(-5, 10, 4), objective="-y", evaluate=ackley, optimum=0.0, budget=40),
        Problem(name="levy4", parameters=cube(-10, 10, 4), objective="-y", evaluate=levy, optimum=0.0, budget=40),
        Problem(
            name="hartmann3", parameters=cube(0, 1, 3), objective="-y", evaluate=hartmann3, optimum=-3.86278, budget=30
        ),
        Problem(
            name="six_hump_camel",
            parameters=(RangeParameterConfig("x1", (-3.0, 3.0)), RangeParameterConfig("x2", (-2.0, 2.0))),
            objective="-y",
            evaluate=camel,
            optimum=-1.031628,
            budget=30,
        ),
        Problem(
            name="three_hump_camel",
            parameters=cube(-5, 5, 2),
            objective="-y",
            evaluate=three_hump_camel,
            optimum=0.0,
            budget=30,
        ),
        Problem(
            name="stepped_hartmann6",
            parameters=few_levels(),
            objective="-y",
            evaluate=stepped_hartmann6,
            optimum=_STEPPED,
            budget=50,
        ),
        Problem(
            name="gramacy",
            parameters=cube(0, 1, 2),
            objective="-y",
            constraints=("c1 <= 0", "c2 <= 0"),
            evaluate=gramacy,
            optimum=0.59979,
            budget=30,
            worst=2.0 - 0.59979,
        ),
        # Engineering designs of Coello's, with bounds that leave little; no trial among the first may keep them.
        Problem(
            name="tension_compression",
            parameters=(*cube(0.01, 1, 2), RangeParameterConfig("x3", (0.01, 20.0))),
            objective="-y",
            constraints=tuple(f"c{i} <= 0" for i in range(1, 5)),
            evaluate=tension_compression,
            optimum=0.012665,
            budget=50,
            worst=0.306081,
        ),
        Problem(
            name="welded_beam",
            parameters=(RangeParameterConfig("x1", (0.125, 10.0)), *cube(0.1, 10, 4)[1:]),
            objective="-y",
            constraints=tuple(f"c{i} <= 0" for i in range(1, 7)),
            evaluate=welded_beam,
            optimum=1.7248,
            budget=50,
            worst=19.01859,
        ),
        Problem(
            name="mixed_ackley13",
            parameters=(*(RangeParameterConfig(f"x{i}", (0, 1), "int") for i in range(1, 11)), *cube(0, 1, 13)[10:]),
            objective="-y",
            evaluate=mixed_ackley,
            optimum=0.0,
            budget=60,
        ),
        Problem(
            name="reaction",
            parameters=REACTION.parameters,
            objective="y",
            constraints=REACTION.outcome_constraints,
            evaluate=reaction,
            optimum=REACTION.optimum,
            budget=30,
            worst=REACTION.optimum,
        ),
        Problem(
            name="branincurrin",
            parameters=cube(0, 1, 2),
            objective="-y, -z",
            evaluate=branin_currin,
            optimum=59.36011874867746,
            budget=40,
            reference=(18.0, 6.0),
        ),
        Problem(
            name="dtlz2",
            parameters=cube(0, 1, 6),
            objective="-y, -z",
            evaluate=dtlz2,
            optimum=1.1**2 - math.pi / 4,
            budget=50,
            reference=(1.1, 1.1),
        ),
        Problem(
            name="vehicle_safety",
            parameters=cube(1, 3, 5),
            objective="-mass, -acceleration, -intrusion",
            evaluate=vehicle_safety,
            optimum=246.81607081187002,
            budget=40,
            reference=(1864.72022, 11.81993945, 0.2903999384),
        ),
    )
}


def hypervolume(points: Sequence[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    """Of minimized objectives: the last one's levels cut it into slabs."""
    better = [point for point in points if all(p < r for p, r in zip(point, reference, strict=True))]
    if len(reference) == 1:
        return reference[0] - min((first for (first,) in better), default=reference[0])
    levels = sorted({point[-1] for point in better})
    return math.fsum(
        (upper - lower) * hypervolume([point[:-1] for point in better if point[-1] <= lower], reference[:-1])
        for lower, upper in pairwise([*levels, reference[-1]])
    )
