"""BayBE as a generator: ``Client(generator=BayBEGenerator())``, or ``use = "baybe"`` in a file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators import dispatch
from titrant.generators.base import Reply, Request
from titrant.generators.external import settled
from titrant.generators.gp.asked import mixed
from titrant.generators.peers.calm import one_thread, quiet
from titrant.generators.peers.told import Axis, Told, told
from titrant.model.space import ChoiceParameterConfig
from titrant.model.trial import Parameterization, ParameterValue

# Wishes for each suggestion: some cannot be mended, or were tried before.
_WISHES = 2


class BayBEGenerator:
    """BayBE's Bayesian recommender in the place of the model; centre and initial design stay titrant's.

    It is asked with the request's data each time, so nothing is lost with a process.  BayBE is told of several
    objectives, pending trials, and of constraints ``<=`` and ``>=`` on ranges; equalities, steps and what else
    restricts a space are kept by moving what it wishes for.  It knows no outcome constraints.  It loads torch into the
    engine's process and needs seconds of it for a suggestion.

    Raises:
        ConfigurationError: BayBE is not installed.
    """

    def __init__(self) -> None:
        try:
            with quiet():
                import pandas as pd  # noqa: PLC0415 - an extra
                from baybe import (  # noqa: PLC0415
                    constraints,
                    objectives,
                    parameters,
                    recommenders,
                    searchspace,
                    settings,
                    targets,
                )
        except ModuleNotFoundError as exc:
            raise ConfigurationError("BayBE is not installed: pip install 'titrant[baybe]'") from exc
        self._frame: Any = pd.DataFrame
        self._constraints: Any = constraints
        self._objectives: Any = objectives
        self._parameters: Any = parameters
        self._recommenders: Any = recommenders
        self._searchspace: Any = searchspace
        self._settings: Any = settings
        self._targets: Any = targets

    def suggest(self, request: Request) -> Reply:
        """Make ``request.count`` suggestions.

        Raises:
            GenerationError: Nothing is sought yet, there are outcome constraints, or nothing keeps the constraints.
        """
        if request.node != "bo":
            return dispatch.suggest(request)
        known = told(request, "BayBE")
        if any(row.excesses for row in known.rows):
            raise GenerationError("BayBE knows no outcome constraints: take another generator, or leave them out")
        versions = {name: metadata.version(name) for name in ("baybe", "botorch", "torch")}
        seed = mixed(request.seed, len(request.observed), len(request.pending))
        with quiet(), one_thread(), self._settings.Settings(random_seed=seed):
            return settled(request, self._wishes(request, known), "BayBE", versions)

    def _wishes(self, request: Request, known: Told) -> Iterator[Parameterization]:
        if not known.axes:
            yield {}
        if not known.axes or not known.rows:
            return  # nothing to choose, or nothing to learn from: Sobol points go, and say so
        space = self._searchspace.SearchSpace.from_product(
            [self._parameter(axis) for axis in known.axes],
            [
                self._constraints.ContinuousLinearConstraint(
                    [name for name, _ in terms], "<=", [weight for _, weight in terms], bound
                )
                for terms, bound in known.limits
            ],
        )
        targets = [self._targets.NumericalTarget(f"utility {k}") for k in range(len(known.rows[0].utilities))]
        sought = (
            self._objectives.SingleTargetObjective(targets[0])
            if len(targets) == 1
            else self._objectives.ParetoObjective(targets)
        )
        measured = self._frame(
            [
                {**self._told(known, row.place), **{f"utility {k}": value for k, value in enumerate(row.utilities)}}
                for row in known.rows
            ]
        )
        pending = [self._told(known, place) for place in known.pending]
        recommender = self._recommenders.BotorchRecommender()
        for _ in range(_WISHES * request.count):
            under_way = self._frame(pending) if pending else None
            made = recommender.recommend(1, space, sought, measured, under_way).iloc[0].to_dict()
            pending.append(made)
            yield {axis.name: _read(axis, made[axis.name]) for axis in known.axes}

    def _parameter(self, axis: Axis) -> Any:
        if isinstance(axis, ChoiceParameterConfig):
            # The places of the values, as texts: BayBE tells True from 1 as little as Python does.
            return self._parameters.CategoricalParameter(axis.name, [str(k) for k in range(len(axis.allowed))])
        low, high = axis.interval
        bounds = (math.log(low), math.log(high)) if axis.scaling == "log" else (low, high)
        return self._parameters.NumericalContinuousParameter(axis.name, bounds)

    @staticmethod
    def _told(known: Told, place: Parameterization) -> dict[str, float | str]:
        """A place in BayBE's terms."""
        return {axis.name: _written(axis, place[axis.name]) for axis in known.axes}


def _written(axis: Axis, value: ParameterValue) -> float | str:
    if isinstance(axis, ChoiceParameterConfig):
        return str(axis.allowed.index(axis.check(value)))
    number = float(value)
    return math.log(number) if axis.scaling == "log" else number


def _read(axis: Axis, found: Any) -> ParameterValue:
    if isinstance(axis, ChoiceParameterConfig):
        return axis.allowed[int(found)]
    return math.exp(float(found)) if axis.scaling == "log" else float(found)
