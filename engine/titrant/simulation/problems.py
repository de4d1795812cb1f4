"""Problems with known optima: two test functions, and a reaction in a chemist's own units."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from titrant.model.space import ChoiceParameterConfig, ParameterConfig, RangeParameterConfig
from titrant.model.trial import Parameterization


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An objective function with its search space and its optimum.

    Attributes:
        name: What it is called.
        parameters: Its search space.
        objective: What is sought, as ``configure_optimization`` reads it.
        parameter_constraints: What its parameters keep.
        outcome_constraints: What must be kept meanwhile.
        evaluate: Conditions to the true value of every metric by name.
        optimal: Conditions of the optimum, to four digits.
        optimum: The objective metric's value there, in its own unit.
        units: Parameter or metric name to its unit; names without one are left out.
    """

    name: str
    parameters: tuple[ParameterConfig, ...]
    objective: str
    evaluate: Callable[[Parameterization], dict[str, float]]
    optimal: Parameterization
    optimum: float
    parameter_constraints: tuple[str, ...] = ()
    outcome_constraints: tuple[str, ...] = ()
    units: dict[str, str] = {}


# --- Hartmann's function in six dimensions --------------------------------------------------------------------------

_ALPHA = (1.0, 1.2, 3.0, 3.2)
_A = (
    (10.0, 3.0, 17.0, 3.5, 1.7, 8.0),
    (0.05, 10.0, 17.0, 0.1, 8.0, 14.0),
    (3.0, 3.5, 1.7, 10.0, 17.0, 8.0),
    (17.0, 8.0, 0.05, 10.0, 0.1, 14.0),
)
_P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann6(parameters: Parameterization) -> dict[str, float]:
    """Hartmann's function of x1 … x6, each in [0, 1]; to be minimized, six local minima."""
    xs = [float(parameters[f"x{i}"]) for i in range(1, 7)]
    wells = (
        alpha * math.exp(-math.fsum(a * (x - p) ** 2 for a, x, p in zip(row, xs, centre, strict=True)))
        for alpha, row, centre in zip(_ALPHA, _A, _P, strict=True)
    )
    return {"hartmann6": -math.fsum(wells)}


HARTMANN6 = Problem(
    name="hartmann6",
    parameters=tuple(RangeParameterConfig(name=f"x{i}", bounds=(0.0, 1.0)) for i in range(1, 7)),
    objective="-hartmann6",
    evaluate=hartmann6,
    optimal={"x1": 0.2017, "x2": 0.1500, "x3": 0.4769, "x4": 0.2753, "x5": 0.3117, "x6": 0.6573},
    optimum=-3.32237,
)


# --- Branin's function ----------------------------------------------------------------------------------------------


def branin(parameters: Parameterization) -> dict[str, float]:
    """Branin's function of x1 in [-5, 10] and x2 in [0, 15]; to be minimized, three equal minima."""
    x1, x2 = float(parameters["x1"]), float(parameters["x2"])
    valley = x2 - 5.1 / (4 * math.pi**2) * x1**2 + 5 / math.pi * x1 - 6
    return {"branin": valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10}


BRANIN = Problem(
    name="branin",
    parameters=(
        RangeParameterConfig(name="x1", bounds=(-5.0, 10.0)),
        RangeParameterConfig(name="x2", bounds=(0.0, 15.0)),
    ),
    objective="-branin",
    evaluate=branin,
    optimal={"x1": 3.1416, "x2": 2.275},
    optimum=0.397887,
)


# --- A reaction -----------------------------------------------------------------------------------------------------

_GAS_CONSTANT = 8.314462618e-3
"""kJ / (mol K)."""

_REFERENCE_K = 353.15
"""The rate constants below hold at 80 °C."""

_MAIN, _MAIN_KJ = 0.08, 62.0
"""The product's formation: per minute and equivalent in acetonitrile; activation energy in kJ/mol."""

_SIDE, _SIDE_KJ = 0.006, 98.0
"""The product's further reaction to the impurity: the same; favoured by heat."""

_SOLVENTS = {"MeCN": (1.0, 1.0), "DMF": (1.7, 1.5), "EtOH": (0.6, 1.6), "toluene": (0.3, 0.5)}
"""How much faster the two reactions are than in acetonitrile."""


def reaction(parameters: Parameterization) -> dict[str, float]:
    """A substitution A + B → P whose product goes on to react with B: yield and impurity, both in per cent.

    Two consecutive reactions, each of first order in what it uses up: heat, time and reagent make the product and then
    spoil it.  B counts by its mean excess, the second addition by the square of what is left of it.

    Args:
        parameters: ``temperature_c`` (°C), ``time_min`` (min), ``equivalents`` (of B) and ``solvent``.
    """
    kelvin = float(parameters["temperature_c"]) + 273.15
    minutes = float(parameters["time_min"])
    equivalents = float(parameters["equivalents"])
    faster, spoils_faster = _SOLVENTS[str(parameters["solvent"])]
    main = faster * _MAIN * (equivalents - 0.5) * _arrhenius(_MAIN_KJ, kelvin)
    side = spoils_faster * _SIDE * (0.3 + (equivalents - 1.0) ** 2) * _arrhenius(_SIDE_KJ, kelvin)
    left = math.exp(-main * minutes)
    if math.isclose(main, side, rel_tol=1e-9):
        product = main * minutes * left
    else:
        product = main / (main - side) * (math.exp(-side * minutes) - left)
    return {"yield": 100.0 * product, "impurity": 100.0 * max(0.0, 1.0 - left - product)}


def _arrhenius(activation_kj: float, kelvin: float) -> float:
    return math.exp(-activation_kj / _GAS_CONSTANT * (1.0 / kelvin - 1.0 / _REFERENCE_K))


REACTION = Problem(
    name="reaction",
    parameters=(
        RangeParameterConfig(name="temperature_c", bounds=(30.0, 120.0)),
        RangeParameterConfig(name="time_min", bounds=(2.0, 40.0)),
        RangeParameterConfig(name="equivalents", bounds=(1.0, 3.0)),
        ChoiceParameterConfig(name="solvent", values=tuple(_SOLVENTS), parameter_type="str", is_ordered=False),
    ),
    objective="yield",
    outcome_constraints=("impurity <= 3",),
    evaluate=reaction,
    optimal={"temperature_c": 67.72, "time_min": 40.0, "equivalents": 1.4053, "solvent": "DMF"},
    optimum=86.99,
    units={"temperature_c": "°C", "time_min": "min", "equivalents": "eq", "yield": "%", "impurity": "%"},
)


# --- A mixture ------------------------------------------------------------------------------------------------------


def mixture(parameters: Parameterization) -> dict[str, float]:
    """A three-component electrolyte: its conductivity in mS/cm and its viscosity in mPa s.

    Scheffé's quadratic mixture model: what the components give on their own, and what they give together.

    Args:
        parameters: The mass fractions ``ec``, ``dmc`` and ``additive``, which add up to 1.
    """
    ec, dmc, additive = (float(parameters[name]) for name in ("ec", "dmc", "additive"))
    conductivity = 6.0 * ec + 4.0 * dmc + 2.0 * additive
    conductivity += 22.0 * ec * dmc + 26.0 * dmc * additive + 16.0 * ec * additive
    viscosity = 3.4 * ec + 0.8 * dmc + 1.4 * additive
    return {"conductivity": conductivity, "viscosity": viscosity}


MIXTURE = Problem(
    name="mixture",
    parameters=(
        RangeParameterConfig(name="ec", bounds=(0.1, 0.6)),
        RangeParameterConfig(name="dmc", bounds=(0.2, 0.9)),
        RangeParameterConfig(name="additive", bounds=(0.0, 0.3)),
    ),
    parameter_constraints=("ec + dmc + additive == 1",),
    objective="conductivity",
    outcome_constraints=("viscosity <= 1.7",),
    evaluate=mixture,
    optimal={"ec": 0.2825, "dmc": 0.442, "additive": 0.2755},
    optimum=11.1725,
    units={"conductivity": "mS/cm", "viscosity": "mPa s"},
)
