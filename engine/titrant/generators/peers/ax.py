"""Ax as a generator: ``Client(generator=AxGenerator())``, or ``use = "ax"`` in a file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import metadata
from typing import Any, Literal

from titrant.errors import ConfigurationError
from titrant.generators import dispatch
from titrant.generators.base import Reply, Request
from titrant.generators.external import settled
from titrant.generators.gp.asked import mixed
from titrant.generators.peers.calm import one_thread, quiet
from titrant.generators.peers.told import Axis, Row, Told, told
from titrant.model.space import ChoiceParameterConfig
from titrant.model.trial import Parameterization

# Wishes for each suggestion: some cannot be mended, or were tried before.
_WISHES = 2


class AxGenerator:
    """Ax's ``Client`` in the place of the model; centre and initial design stay titrant's.

    An Ax experiment is made anew from each request, so nothing is lost with a process.  Ax is told of outcome
    constraints, several objectives, pending trials, and of constraints ``<=`` and ``>=`` on ranges; equalities, steps
    and what else restricts a space are kept by moving what it wishes for.  It loads torch into the engine's process and
    needs seconds of it for a suggestion.

    Args:
        method: Ax's own: ``"fast"``, or ``"quality"``, which needs the extra ``fully_bayesian`` of Ax.

    Raises:
        ConfigurationError: Ax is not installed.
    """

    def __init__(self, method: Literal["fast", "quality"] = "fast") -> None:
        if method not in ("fast", "quality"):
            raise ConfigurationError(f"method is {method!r}, and must be 'fast' or 'quality'")
        try:
            with quiet():
                from ax.api import client, configs  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as exc:
            raise ConfigurationError("Ax is not installed: pip install 'titrant[ax]'") from exc
        self._client: Any = client.Client
        self._configs: Any = configs
        self._method = method

    def suggest(self, request: Request) -> Reply:
        """Make ``request.count`` suggestions.

        Raises:
            GenerationError: Nothing is sought yet, or nothing keeps the constraints.
        """
        if request.node != "bo":
            return dispatch.suggest(request)
        known = told(request, "Ax")
        versions = {name: metadata.version(name) for name in ("ax-platform", "botorch", "torch")}
        _silence()
        with quiet(), one_thread():
            return settled(request, self._wishes(request, known), f"Ax {self._method}", versions)

    def _wishes(self, request: Request, known: Told) -> Iterator[Parameterization]:
        if not known.axes:
            yield {}
        if not known.axes or not known.rows:
            return  # nothing to choose, or nothing to learn from: Sobol points go, and say so
        # Ax reads names as parts of formulas: whatever ours are, its own are plain.
        names = {axis.name: f"p{place}" for place, axis in enumerate(known.axes)}
        client = self._client(random_seed=mixed(request.seed, len(request.observed), len(request.pending)))
        limits = [
            f"{' + '.join(f'{weight!r} * {names[name]}' for name, weight in terms)} <= {bound!r}"
            for terms, bound in known.limits
        ]
        parameters = [self._parameter(axis, names[axis.name]) for axis in known.axes]
        client.configure_experiment(parameters=parameters, parameter_constraints=limits)
        first = known.rows[0]
        client.configure_optimization(
            objective=", ".join(f"u{place}" for place in range(len(first.utilities))),
            outcome_constraints=[f"e{place} <= 0" for place in range(len(first.excesses))] or None,
        )
        # The initial design was titrant's.
        client.configure_generation_strategy(
            method=self._method,
            initialization_budget=0,
            initialize_with_center=False,
            min_observed_initialization_trials=0,
        )
        sems = all(row.sems is not None for row in known.rows)  # Ax takes those of all trials, or of none
        for number, row in enumerate(known.rows):
            index = client.attach_trial({names[name]: value for name, value in row.place.items()}, f"t{number}")
            client.complete_trial(index, raw_data=_data(row, sems=sems))
        for number, place in enumerate(known.pending):
            client.attach_trial({names[name]: value for name, value in place.items()}, f"r{number}")
        for _ in range(_WISHES * request.count):
            for wish in client.get_next_trials(max_trials=1).values():
                yield {name: wish[own] for name, own in names.items()}

    def _parameter(self, axis: Axis, name: str) -> Any:
        if isinstance(axis, ChoiceParameterConfig):
            return self._configs.ChoiceParameterConfig(
                name=name, values=list(axis.allowed), parameter_type=axis.parameter_type, is_ordered=axis.ordered
            )
        low, high = axis.interval
        return self._configs.RangeParameterConfig(
            name=name,
            bounds=(int(low), int(high)) if axis.parameter_type == "int" else (low, high),
            parameter_type=axis.parameter_type,
            scaling=axis.scaling or "linear",
        )


def _data(row: Row, *, sems: bool) -> dict[str, Any]:
    values: dict[str, Any] = {f"e{place}": excess for place, excess in enumerate(row.excesses)}
    for place, utility in enumerate(row.utilities):
        values[f"u{place}"] = (utility, row.sems[place]) if sems and row.sems is not None else utility
    return values


def _silence() -> None:
    """Ax has many log lines, and each of its modules tells them on stderr by itself."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "ax":
            logging.getLogger(name).setLevel(logging.CRITICAL)
