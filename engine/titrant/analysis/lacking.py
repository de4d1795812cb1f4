"""Why there is no best trial yet, said so that one can tell what to do."""

from __future__ import annotations

from collections.abc import Iterable

from titrant.analysis import results
from titrant.generators.requests import tasks
from titrant.model.fidelity import told
from titrant.model.observation import means
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.changing import project
from titrant.rules.state import State
from titrant.rules.withdrawing import baseline_means

_ENDED = (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)


def nothing_yet(state: State) -> str:
    """What is to be said where no trial can be the best.

    Raises:
        CommandRefused: There is no objective yet.
    """
    needed = results.configured(state).objective_metrics
    finished = [trial for trial in state.closed.values() if trial.status in _ENDED]
    if not finished:
        return f"no trial has finished yet, so none is the best: complete one with a value of {_listed(needed)}"
    complete = [trial for trial in finished if all(metric in means(trial.observations) for metric in needed)]
    if not complete:
        return f"none of the {len(finished)} finished trials is the best: {_missing(finished, needed)}"
    recipes = results.recipes(state)
    if not recipes:
        return f"none of the {len(complete)} finished trials with data is the best: {_elsewhere(state)}"
    kept = [recipe for recipe in recipes if results.feasible(state, results.recipe_means(recipe))]
    if kept and not any(project(state, recipe.trial) for recipe in kept):
        return f"none of the {len(kept)} trials that could be the best has a place in the present search space"
    return f"no trial of {len(recipes)} with data keeps the outcome constraints: {_broken(state, recipes)}"


def _missing(trials: list[Trial], needed: Iterable[str]) -> str:
    lacking = {name: sum(name not in means(trial.observations) for trial in trials) for name in needed}
    parts = [f"{count} lack {name}" for name, count in lacking.items() if count]
    return f"{', '.join(parts)}; attach_data adds what was measured since"


def _elsewhere(state: State) -> str:
    space = None if state.experiment is None else state.experiment.space
    at = [] if space is None else [f"the fidelity {told(space)}"] if told(space) else []
    at += [f"the task {name}={value!r}" for name, value in ({} if space is None else tasks(space)).items()]
    return f"none was carried out at {' and '.join(at) or 'what is sought'}, for which the best is sought"


def _broken(state: State, recipes: list[results.Recipe]) -> str:
    """Of each constraint, how many keep it."""
    baseline = baseline_means(state)
    values = [results.recipe_means(recipe) for recipe in recipes]
    parts = [
        f"{one.text} is kept by {sum(one.is_met(found, baseline) for found in values)}"
        for one in results.configured(state).constraints
        if one not in results.left_open(state)
    ]
    return f"{', '.join(parts)}" if parts else "there is no data of them"


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)
