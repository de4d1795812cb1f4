"""What optimizers are compared on: test functions with their optima away from the centre, and a simulated reaction."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from titrant.model.space import ParameterConfig, RangeParameterConfig
from titrant.simulation.problems import REACTION, branin, hartmann6

Values = dict[str, bool | int | float | str]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem, to be maximized or minimized as its objective says.

    Attributes:
        name: What it is called.
        parameters: Its search space.
        objective: As titrant and Ax read it; the metric's name, with a minus where it is minimized.
        constraints: Bounds on further metrics, the same.
        evaluate: Conditions to the true values of all metrics.
        optimum: The best value of the objective's metric; of two objectives the greatest hypervolume.
        budget: How many trials there are.
        noise: Standard deviation of the objective's metric when it is measured.
        worst: The regret while nothing feasible was found.
        reference: The point that the hypervolume of two minimized objectives refers to.
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


def numbers(values: Values) -> list[float]:
    return [float(value) for value in values.values()]


def shifted_hartmann6(by: Sequence[float]) -> Callable[[Values], dict[str, float]]:
    def evaluate(values: Values) -> dict[str, float]:
        moved = [x - s for x, s in zip(numbers(values)[:6], by, strict=True)]
        return {"y": hartmann6({f"x{i}": x for i, x in enumerate(moved, start=1)})["hartmann6"]}

    return evaluate


def ackley(values: Values) -> dict[str, float]:
    z = [x - s for x, s in zip(numbers(values), (0.7, -1.9, 4.6, -3.1, 6.2), strict=True)]
    root = math.sqrt(math.fsum(v * v for v in z) / len(z))
    waves = math.fsum(math.cos(2 * math.pi * v) for v in z) / len(z)
    return {"y": -20 * math.exp(-0.2 * root) - math.exp(waves) + 20 + math.e}


# The box is [-10, 10]; Levy's optimum lies at 1 in every direction, and the box's centre near it.
_LEVY_SHIFT = (3.1, -4.2, 5.4, -6.3, 2.2, -3.7, 6.1, -2.4)


def levy(values: Values) -> dict[str, float]:
    w = [1 + (x - s - 1) / 4 for x, s in zip(numbers(values), _LEVY_SHIFT, strict=True)]
    middle = math.fsum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
    last = (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return {"y": math.sin(math.pi * w[0]) ** 2 + middle + last}


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


_HARTMANN = {"parameters": cube(0.0, 1.0, 6), "objective": "-y", "optimum": -3.32237, "budget": 60}
_UNMOVED = shifted_hartmann6([0.0] * 6)

PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem(name="hartmann6", evaluate=_UNMOVED, **_HARTMANN),
        Problem(name="hartmann6s", evaluate=shifted_hartmann6((0.07, -0.05, 0.08, -0.09, 0.06, -0.04)), **_HARTMANN),
        Problem(name="hartmann6n", evaluate=_UNMOVED, noise=0.2, **_HARTMANN),
        # Fourteen of its parameters do nothing.
        Problem(name="hartmann20", evaluate=_UNMOVED, **_HARTMANN | {"parameters": cube(0.0, 1.0, 20)}),
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
    )
}


def hypervolume(points: Sequence[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    """Of two minimized objectives."""
    total, ceiling = 0.0, reference[1]
    for first, second in sorted(point for point in points if all(p < r for p, r in zip(point, reference, strict=True))):
        if second < ceiling:
            total += (reference[0] - first) * (ceiling - second)
            ceiling = second
    return total
