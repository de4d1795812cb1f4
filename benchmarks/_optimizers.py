"""titrant's generators and its peers behind one ask and tell.

``ask`` gives a token and conditions, or None where the optimizer refuses until it has seen more; ``tell`` gives it what
was measured.  ``recommend`` says which of the told ones it would settle on, or None where it does not say; ``settle``,
where there is one, which conditions, tried or not.
"""

# ruff: noqa: PLC0415 (peers are imported where they take part; most people have none of them)

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from _problems import Problem, Values

from titrant.generators import dispatch
from titrant.generators.base import Examination, Point, PredictionRequest, Request
from titrant.model.experiment import GenerationStrategy
from titrant.model.insight import Optimality
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, search_space


class Optimizer(Protocol):
    def ask(self) -> tuple[Any, Values] | None: ...
    def tell(self, token: Any, measured: dict[str, float]) -> None: ...
    def recommend(self) -> int | None: ...


class Titrant:
    """The generators as the engine asks them, with the strategy's defaults."""

    def __init__(self, problem: Problem, seed: int, method: str = "fast") -> None:
        self._space = search_space(list(problem.parameters))
        self._goal = optimization_config(problem.objective, list(problem.constraints))
        self._method, self._seed, self._strategy = method, seed, GenerationStrategy()
        self._position = 0
        self._made: list[Values] = []
        self._observed: dict[int, Point] = {}

    def ask(self) -> tuple[int, Values]:
        trial, observed = len(self._made), tuple(self._observed[i] for i in sorted(self._observed))
        enough = trial >= self._strategy.budget and len(observed) >= self._strategy.observed
        node = "centre" if not trial else "bo" if enough and self._method != "sobol" else "sobol"
        under_way = [i for i in range(trial) if i not in self._observed]
        request = Request(
            space=self._space,
            optimization=self._goal,
            node=node,
            method=self._method,
            seed=self._seed,
            position=self._position,
            observed=observed,
            pending=tuple(Point(i, self._made[i]) for i in under_way),
            taken=tuple(self._made) if self._space.size() is not None else (),
        )
        (proposal,) = dispatch.suggest(request).proposals
        self._position = proposal.position
        self._made.append(proposal.parameters)
        return trial, proposal.parameters

    def tell(self, token: int, measured: dict[str, float]) -> None:
        observations = tuple(Observation(name, value) for name, value in measured.items())
        self._observed[token] = Point(token, self._made[token], observations)

    def settle(self) -> Values | None:
        """Where the model expects the best, tried or not: ``Optimality.peak``, as ``client.optimality()`` has it."""
        if self._goal.is_multi_objective or self._goal.constraints or self._method == "sobol":
            return None
        observed = tuple(self._observed[i] for i in sorted(self._observed))
        basis = Request(
            space=self._space, optimization=self._goal, node="bo", count=1, seed=self._seed, observed=observed
        )
        answer = dispatch.examine(Examination(question="optimality", basis=basis, candidates=observed))
        return dict(answer.peak.at) if isinstance(answer, Optimality) else None

    def recommend(self) -> int | None:
        """The point with the best prediction, of those that were tried."""
        if self._goal.is_multi_objective or self._goal.constraints or self._method == "sobol":
            return None
        observed = tuple(self._observed[i] for i in sorted(self._observed))
        points = tuple(point.parameters for point in observed)
        request = PredictionRequest(space=self._space, optimization=self._goal, observed=observed, points=points)
        means = [
            self._goal.objectives[0].utility({name: pair[0] for name, pair in one.items()})
            for one in dispatch.predict(request).predictions
        ]
        return max(range(len(means)), key=means.__getitem__)


class Ax:
    def __init__(self, problem: Problem, seed: int) -> None:
        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig as Choice
        from ax.api.configs import RangeParameterConfig as Range

        for name in [name for name in logging.root.manager.loggerDict if name.startswith("ax")]:
            logging.getLogger(name).setLevel(logging.ERROR)
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(
            parameters=[
                Choice(name=p.name, values=list(p.values), parameter_type=p.parameter_type, is_ordered=False)
                if isinstance(p, ChoiceParameterConfig)
                else Range(name=p.name, parameter_type=p.parameter_type, bounds=p.bounds)
                for p in problem.parameters
            ],
            name=problem.name,
        )
        self._client.configure_optimization(
            objective=problem.objective, outcome_constraints=list(problem.constraints) or None
        )
        self._told: list[int] = []
        self._plain = not problem.constraints and not problem.reference

    def ask(self) -> tuple[int, Values] | None:
        from ax.exceptions.core import DataRequiredError
        from ax.exceptions.generation_strategy import MaxParallelismReachedException

        try:
            made = self._client.get_next_trials(max_trials=1)
        except (MaxParallelismReachedException, DataRequiredError):
            return None
        return next(iter(made.items()), None)

    def tell(self, token: int, measured: dict[str, float]) -> None:
        self._client.complete_trial(trial_index=token, raw_data=measured)
        self._told.append(token)

    def recommend(self) -> int | None:
        """Ax's own answer, by the order in which results came in."""
        if not self._plain:
            return None
        index = self._client.get_best_parameterization(use_model_predictions=True)[2]
        return sorted(self._told).index(index)


class Optuna:
    def __init__(self, problem: Problem, seed: int, kind: str = "gp") -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        kinds: dict[str, Callable[..., Any]] = {"gp": optuna.samplers.GPSampler, "tpe": optuna.samplers.TPESampler}
        directions = [
            "minimize" if part.strip().startswith("-") else "maximize" for part in problem.objective.split(",")
        ]
        self._study = optuna.create_study(sampler=kinds[kind](seed=seed), directions=directions)
        self._metrics = [part.strip().lstrip("-") for part in problem.objective.split(",")]
        self._bounds = [(text.split()[0], float(text.split()[2])) for text in problem.constraints]
        self._space = {
            p.name: optuna.distributions.CategoricalDistribution(p.values)
            if isinstance(p, ChoiceParameterConfig)
            else optuna.distributions.IntDistribution(*map(int, p.bounds))
            if p.parameter_type == "int"
            else optuna.distributions.FloatDistribution(*p.bounds)
            for p in problem.parameters
        }

    def ask(self) -> tuple[Any, Values]:
        trial = self._study.ask(self._space)
        return trial, dict(trial.params)

    def tell(self, token: Any, measured: dict[str, float]) -> None:
        for name, bound in self._bounds:
            token.set_constraint(name, measured[name] - bound)
        self._study.tell(token, [measured[name] for name in self._metrics])

    def recommend(self) -> int | None:
        return None


# BayBE searches what is continuous once for every combination of what is not.  With the 1,024 of mixed Ackley a
# suggestion takes 46 s of CPU (20 trials known) and a run the better part of an hour.  It searches this many instead,
# drawn anew each time, by its own setting for such spaces.
_COMBINATIONS = 16


class BayBE:
    def __init__(self, problem: Problem, seed: int) -> None:
        import random

        import numpy as np
        import pandas as pd
        import torch
        from baybe import Campaign
        from baybe.objectives import ParetoObjective, SingleTargetObjective
        from baybe.parameters import CategoricalParameter, NumericalContinuousParameter, NumericalDiscreteParameter
        from baybe.recommenders import BotorchRecommender, TwoPhaseMetaRecommender
        from baybe.searchspace import SearchSpace
        from baybe.targets import NumericalTarget

        if problem.constraints:
            raise NotImplementedError("BayBE has no outcome constraints")
        np.random.seed(seed)
        random.seed(seed)
        torch.manual_seed(seed)
        self._frame = pd.DataFrame
        space = SearchSpace.from_product(
            [
                CategoricalParameter(p.name, list(p.values))
                if isinstance(p, ChoiceParameterConfig)
                else NumericalDiscreteParameter(p.name, list(range(int(p.bounds[0]), int(p.bounds[1]) + 1)))
                if p.parameter_type == "int"
                else NumericalContinuousParameter(p.name, p.bounds)
                for p in problem.parameters
            ]
        )
        targets = [
            NumericalTarget(part.strip().lstrip("-"), minimize=part.strip().startswith("-"))
            for part in problem.objective.split(",")
        ]
        combinations = len(space.discrete.exp_rep)
        sampled = len(space.continuous.parameters) > 0 and combinations > _COMBINATIONS
        self._campaign = Campaign(
            space,
            SingleTargetObjective(targets[0]) if len(targets) == 1 else ParetoObjective(targets),
            TwoPhaseMetaRecommender(
                recommender=BotorchRecommender(
                    hybrid_sampler="Random" if sampled else None,
                    sampling_percentage=_COMBINATIONS / combinations if sampled else 1.0,
                )
            ),
        )
        self._pending: dict[int, Values] = {}
        self._asked = 0

    def ask(self) -> tuple[int, Values]:
        pending = self._frame(list(self._pending.values())) if self._pending else None
        known = pending if len(self._campaign.measurements) else None
        made = dict(self._campaign.recommend(1, pending_experiments=known).iloc[0])
        self._asked += 1
        self._pending[self._asked] = made
        return self._asked, made

    def tell(self, token: int, measured: dict[str, float]) -> None:
        self._campaign.add_measurements(self._frame([{**self._pending.pop(token), **measured}]))

    def recommend(self) -> int | None:
        return None


OPTIMIZERS: dict[str, Callable[[Problem, int], Optimizer]] = {
    "titrant": Titrant,
    "titrant-quality": lambda problem, seed: Titrant(problem, seed, "quality"),
    "titrant-thompson": lambda problem, seed: Titrant(problem, seed, "thompson"),
    "titrant-turbo": lambda problem, seed: Titrant(problem, seed, "turbo"),
    "titrant-botorch": lambda problem, seed: Titrant(problem, seed, "botorch"),
    "sobol": lambda problem, seed: Titrant(problem, seed, "sobol"),
    "ax": Ax,
    "optuna-gp": Optuna,
    "optuna-tpe": lambda problem, seed: Optuna(problem, seed, "tpe"),
    "baybe": BayBE,
}
