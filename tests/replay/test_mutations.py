"""A value that was changed in a log whose chain was made anew is found, at the first trial made from it.

CAMPAIGN=1000 makes the campaign as large as the promise says.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest

from titrant.messages import events as e
from titrant.model.space import RangeParameterConfig
from titrant.model.trial import TrialStatus
from titrant.replay.decisions import Stamped, verify_decisions
from titrant.replay.derivation import Deriver
from titrant.rules.evolve import evolve
from titrant.rules.state import State

MUTATIONS = int(os.environ.get("CAMPAIGN", "120"))
replace = msgspec.structs.replace


class Mutation(NamedTuple):
    """A log in which one value is another, and the trial at which that must be found."""

    kind: str
    events: list[Stamped]
    trial: int


def changed(number: float, draws: Random) -> float:
    """Another number: the next one there is, one that prints the same in most formats, or a plainly different one."""
    match draws.randrange(3):
        case 0:
            return math.nextafter(number, math.inf)
        case 1:
            return number + max(abs(number), 1e-3) * 1e-9
        case _:
            return number + draws.uniform(0.01, 1.0)


class Suggested(NamedTuple):
    """A suggested trial, and what was known when it was asked for."""

    seq: int
    trial: int
    data_seq: int
    model: bool
    state: State


def suggested(events: list[Stamped]) -> list[Suggested]:
    states, state, found = {0: State()}, State(), []
    for seq, at, event in events:
        if isinstance(event, e.TrialCreated) and (one := event.suggestion) is not None:
            model = (one.asked_of or one.node) == "bo"
            found.append(Suggested(seq, event.trial, one.data_seq, model, states[one.data_seq]))
        state = states[seq] = evolve(state, event, at)
    return found


def first(trials: list[Suggested], seq: int, *, model: bool = False, sees: Any = None) -> int | None:
    """The first trial that was asked for after an event (of a model, and that sees something)."""
    for one in trials:
        if one.data_seq >= seq and (one.model or not model) and (sees is None or sees(one.state)):
            return one.trial
    return None


def mutations(events: list[Stamped], draws: Random) -> Iterator[Mutation]:
    """Every recorded parameter, result, bound and seed in turn, each changed a little; in random order, for ever."""
    trials = suggested(events)
    while True:
        place = draws.randrange(len(events))
        seq, at, event = events[place]
        mutated = mutate(event, trials, seq, draws)
        if mutated is not None and mutated[2] is not None:
            yield Mutation(mutated[0], [*events[:place], (seq, at, mutated[1]), *events[place + 1 :]], mutated[2])


def mutate(event: Any, trials: list[Suggested], seq: int, draws: Random) -> tuple[str, Any, int | None] | None:
    match event:
        case e.TrialCreated(suggestion=None):
            name = draws.choice(list(event.parameters))
            values = {**event.parameters, name: changed(float(event.parameters[name]), draws)}

            def knows(state: State) -> bool:
                return state.trial(event.trial).status is not TrialStatus.VOIDED

            return "attached", replace(event, parameters=values), first(trials, seq, model=True, sees=knows)
        case e.TrialCreated(suggestion=one) if draws.random() < 0.3:
            return "own seed", replace(event, suggestion=replace(one, seed=one.seed + 1)), event.trial
        case e.TrialCreated(suggestion=one):
            name = draws.choice(list(event.parameters))
            values = {**event.parameters, name: changed(float(event.parameters[name]), draws)}
            both = draws.random() < 0.7  # somebody who takes pains changes it wherever it stands
            suggestion = replace(one, parameters=values) if both or draws.random() < 0.5 else one
            kept = values if both or suggestion is one else event.parameters
            return "parameter", replace(event, parameters=kept, suggestion=suggestion), event.trial
        case e.DataAttached(observations=data) | e.ResultCorrected(observations=data):
            spot = draws.randrange(len(data))
            one = data[spot]
            field = draws.choice(["mean", "sem"] if one.sem is not None else ["mean"])
            other = replace(one, **{field: changed(getattr(one, field), draws)})

            def counts(state: State) -> bool:
                trial = state.trial(event.trial)
                return one in trial.observations and (
                    trial.status in (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED) or trial.status.is_open
                )

            mutated = replace(event, observations=(*data[:spot], other, *data[spot + 1 :]))
            return "result", mutated, first(trials, seq, model=True, sees=counts)
        case e.ExperimentConfigured(experiment=experiment):
            space = moved(experiment.space, draws)
            return "bound", replace(event, experiment=replace(experiment, space=space)), first(trials, seq)
        case e.SpaceChanged(space=space):
            return "bound", replace(event, space=moved(space, draws)), first(trials, seq)
        case e.SessionOpened():
            return "seed", replace(event, seed=event.seed + draws.randrange(1, 1000)), first(trials, seq)
    return None


def moved(space: Any, draws: Random) -> Any:
    """The space with one bound elsewhere."""
    spot = draws.choice([i for i, one in enumerate(space.parameters) if isinstance(one, RangeParameterConfig)])
    low, high = space.parameters[spot].bounds
    bounds = (-changed(-low, draws), high) if draws.random() < 0.5 else (low, changed(high, draws))
    parameters = list(space.parameters)
    parameters[spot] = replace(parameters[spot], bounds=bounds)
    return replace(space, parameters=tuple(parameters))


@pytest.mark.campaign
def test_every_changed_value_is_found_at_the_first_trial_made_from_it(events: list[Stamped], deriver: Deriver):
    draws = Random(11)
    kinds: dict[str, int] = {}
    assert verify_decisions(events, deriver=deriver).ok  # the control: nothing changed, nothing found
    missed = []

    for number, mutation in zip(range(MUTATIONS), mutations(events, draws), strict=False):
        found = verify_decisions(mutation.events, deriver=deriver).first
        kinds[mutation.kind] = kinds.get(mutation.kind, 0) + 1
        if found is None or found.trial != mutation.trial:
            missed.append((number, mutation.kind, mutation.trial, str(found)))

    assert not missed
    assert kinds.keys() == {"attached", "own seed", "parameter", "result", "bound", "seed"}


def result_of(events: list[Stamped], trial: int) -> tuple[int, e.DataAttached]:
    return next(
        (place, event)
        for place, (_, _, event) in enumerate(events)
        if isinstance(event, e.DataAttached) and event.trial == trial
    )


def test_a_changed_result_is_named_with_its_trial(events: list[Stamped], deriver: Deriver):
    place, event = result_of(events, 1)
    data = (replace(event.observations[0], mean=1.0),)
    mutated = [*events[:place], (*events[place][:2], replace(event, observations=data)), *events[place + 1 :]]

    found = verify_decisions(mutated, deriver=deriver).first

    assert found is not None
    assert found.kind == "request"
    assert "the data of" in found.what
    assert "1" in found.what


def test_a_changed_bound_is_named(events: list[Stamped], deriver: Deriver):
    place = next(place for place, (_, _, event) in enumerate(events) if isinstance(event, e.SpaceChanged))
    seq, at, event = events[place]
    assert isinstance(event, e.SpaceChanged)
    space = moved(event.space, Random(1))

    found = verify_decisions(
        [*events[:place], (seq, at, replace(event, space=space)), *events[place + 1 :]], deriver=deriver
    ).first

    assert found is not None
    assert "a bound" in found.what


def test_a_changed_seed_is_named_with_both_values(events: list[Stamped], deriver: Deriver):
    seq, at, event = events[0]
    assert isinstance(event, e.SessionOpened)

    found = verify_decisions([(seq, at, replace(event, seed=8)), *events[1:]], deriver=deriver).first

    assert found is not None
    assert "the seed is 8 in the log and was 7" in found.what
