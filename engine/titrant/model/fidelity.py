"""What a trial costs at a fidelity, and which trials are at the one that is sought."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from titrant.model.space import FixedParameterConfig, ParameterConfig, SearchSpace
from titrant.model.trial import ParameterValue

FIXED_SHARE = 0.05
"""Where nothing is said of costs: what the cheapest trial costs, of what one at the target costs."""


class AffineCost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """``fixed_cost + sum of weight * fidelity``, BoTorch's ``AffineFidelityCostModel`` in the parameters' own units.

    Attributes:
        fidelity_weights: Parameter with ``is_fidelity`` to what one unit of it costs.
        fixed_cost: What every trial costs beside that.
    """

    fidelity_weights: dict[str, float]
    fixed_cost: float = 0.01

    def of(self, values: Mapping[str, ParameterValue]) -> float:
        """The cost at values of the fidelities; what is not among them costs nothing."""
        parts = (weight * float(values[name]) for name, weight in self.fidelity_weights.items() if name in values)
        return self.fixed_cost + math.fsum(parts)


Cost = AffineCost | Annotated[str, Meta(min_length=1)]
"""What trials cost: as a function of the fidelities, or the name of a metric that measures it."""


def cost_of(space: SearchSpace, cost: Cost | None, values: Mapping[str, ParameterValue]) -> float:
    """What a trial is taken to cost by its fidelities alone; measured costs are told by their metric instead.

    Where nothing is said of costs, one at the target costs 1, and the others the less the farther they are from it,
    down to ``FIXED_SHARE``: with several fidelities by their mean distance.  One that is not active (older logs may
    have such) makes nothing cheaper.

    Args:
        space: The search space.
        cost: What is said of costs.
        values: At least the fidelities of the trial, as far as they are active.
    """
    if isinstance(cost, AffineCost):
        return cost.of(values)
    shares = [
        1.0 - distance(space.parameter(name), values[name]) if name in values else 1.0
        for name in space.having("fidelity")
    ]
    return FIXED_SHARE + (1.0 - FIXED_SHARE) * (math.fsum(shares) / len(shares)) if shares else 1.0


def distance(parameter: ParameterConfig, value: ParameterValue) -> float:
    """How far a fidelity is from its target: 0 at the target, 1 at the value that is farthest from it, or beyond."""
    low, high = parameter.interval or (0.0, 0.0)
    target = float(getattr(parameter, "target_value"))  # noqa: B009 - fixed parameters have none, and no fidelity
    farthest = max(high - target, target - low)
    return min(1.0, abs(float(value) - target) / farthest) if farthest > 0 else 0.0


def at_target(space: SearchSpace, values: Mapping[str, ParameterValue]) -> bool:
    """Whether a parameterization is at the target of every fidelity, to 1e-9 of the range; True without any."""
    return all(
        name in values and distance(space.parameter(name), values[name]) <= 1e-9 for name in space.having("fidelity")
    )


def target(space: SearchSpace) -> dict[str, ParameterValue]:
    """The fidelities at which the best is sought, by name."""
    targets = space.targets()
    return {name: targets[name] for name in space.having("fidelity")}


def at_its_target(space: SearchSpace) -> SearchSpace:
    """The space without candidates, with each fidelity fixed at its target.

    Raises:
        SearchSpaceError: Its constraints clash there.
    """
    wanted = target(space)
    parameters = tuple(
        FixedParameterConfig(one.name, wanted[one.name], getattr(one, "dependent_parameters", msgspec.UNSET))
        if one.name in wanted
        else one
        for one in space.parameters
    )
    return msgspec.structs.replace(space, parameters=parameters, candidates=msgspec.UNSET)


def told(space: SearchSpace) -> str:
    """The same in words: ``"minutes = 60"``."""
    return ", ".join(f"{name} = {value:g}" for name, value in target(space).items())


def flaw(space: SearchSpace, cost: Cost | None) -> str | None:
    """What is wrong with what is said of costs in that space, and what to do; None where nothing is."""
    if cost is None:
        return None
    names = space.having("fidelity")
    if not names:
        return "there is a cost and no fidelity: mark the parameter that trials cost more or less by with is_fidelity"
    if isinstance(cost, str):
        return None
    if not cost.fidelity_weights:
        return f"the cost is the same at every fidelity: give fidelity_weights, such as {{{names[0]!r}: 1.0}}"
    if strange := [name for name in cost.fidelity_weights if name not in names]:
        return f"the cost has a weight of {strange[0]!r}, which is no fidelity: there are {', '.join(map(repr, names))}"
    if not all(map(math.isfinite, (cost.fixed_cost, *cost.fidelity_weights.values()))):
        return "the cost is not finite: give finite numbers as fixed_cost and fidelity_weights"
    least = dict(_cheapest(space.parameter(name), weight) for name, weight in cost.fidelity_weights.items())
    if cost.of(least) > 0:
        return None
    at = ", ".join(f"{name} = {value:g}" for name, value in least.items())
    return f"a trial at {at} would cost {cost.of(least):g}: costs must be above 0, so give a larger fixed_cost"


def _cheapest(parameter: ParameterConfig, weight: float) -> tuple[str, float]:
    low, high = parameter.interval or (0.0, 0.0)
    return parameter.name, low if weight >= 0 else high
