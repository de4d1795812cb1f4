"""What a model is asked about an experiment, made from the state alone."""

from __future__ import annotations

from typing import Literal

from titrant.analysis import results
from titrant.analysis.lacking import nothing_yet
from titrant.errors import CommandRefused
from titrant.generators.base import Examination, Point
from titrant.generators.requests import suggestion_request
from titrant.model.fidelity import target
from titrant.model.trial import Parameterization
from titrant.rules.changing import project
from titrant.rules.state import State

Question = Literal["fit", "importance", "optimality", "front"]
_OF_CANDIDATES = ("optimality", "front")


def candidates(state: State) -> list[results.Recipe]:
    """Recipes that may be the best: they keep the constraints as observed, and could be made in the present space."""
    return [
        recipe
        for recipe in results.recipes(state)
        if results.feasible(state, results.recipe_means(recipe)) and project(state, recipe.trial) is not None
    ]


def circumstances(state: State) -> Parameterization:
    """The context that a question is asked in: that of the last trial which has one."""
    names = () if state.experiment is None else state.experiment.space.having("context")
    known = (results.conditions(state, trial) for trial in reversed(list(state.trials())) if names)
    last = next((point for point in known if all(name in point for name in names)), {})
    return {name: last[name] for name in names if name in last}


def need_metrics(state: State, what: str) -> None:
    """Refuse what says nothing where trials are compared instead of measured.

    Raises:
        CommandRefused: There is no objective yet, or a preference is sought.
    """
    if results.configured(state).is_preference:
        raise CommandRefused(
            f"{what} is of metrics, and a preference is sought, of which nothing is measured: "
            "get_best_parameterization and predict answer"
        )


def examination(state: State, question: Question) -> Examination:
    """A question about the model that the next suggestion would be made from.

    Raises:
        CommandRefused: There is nothing to ask about yet.
    """
    if state.experiment is None:
        raise CommandRefused("there is no search space yet: call configure_experiment first")
    need_metrics(state, {"fit": "a model's fit", "importance": "importance"}.get(question, "what is left to gain"))
    if question == "optimality" and results.configured(state).is_multi_objective:
        raise CommandRefused("with several objectives there is no single best: call front_optimality")
    # What matters is asked over all circumstances, what is left to gain in the present ones.
    fixed = target(state.experiment.space) | (circumstances(state) if question in _OF_CANDIDATES else {})
    basis = suggestion_request(state, node="bo", count=1, fixed=fixed)
    if question not in _OF_CANDIDATES:
        return Examination(question=question, basis=basis)
    best = results.best_observed(state) if question == "optimality" else None
    if best is None and (question == "optimality" or not candidates(state)):
        raise CommandRefused(nothing_yet(state))
    points = tuple(
        Point(trial=recipe.trial.index, parameters=results.conditions(state, recipe.trial))
        for recipe in candidates(state)
    )
    return Examination(
        question=question, basis=basis, candidates=points, leader=0 if best is None else best.trial.index
    )
