"""What a generator is asked, made from the state alone, so that a reader of the log can ask the same again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from titrant.generators.base import Design, Point, PredictionRequest, Request, Sample
from titrant.model.comparison import Verdict, counting
from titrant.model.determined import determined
from titrant.model.experiment import Node
from titrant.model.objective import OptimizationConfig
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization, Trial, TrialStatus
from titrant.rules.changing import Sight, project, seen, sight
from titrant.rules.conditions import planned
from titrant.rules.state import State
from titrant.rules.strategy import budget, model_follows
from titrant.rules.withdrawing import baseline_means

ENDED = (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)
FREE = (TrialStatus.FAILED, TrialStatus.STALE, TrialStatus.VOIDED)
"""Conditions of such trials may be suggested again."""
NEVER = (TrialStatus.ABANDONED, TrialStatus.REJECTED)
"""Conditions of such trials are not suggested again."""

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Request).decode


def suggestion_request(
    state: State,
    *,
    node: Node,
    count: int,
    fixed: Parameterization,
    held: Sequence[Parameterization] = (),
    start: int = 0,
    strategy_node: str = "",
) -> Request:
    """What a generator needs to know; data only where the node fits a model (O(n) in the number of trials).

    Args:
        state: What is known.  It must have an experiment.
        node: Which node is to make them.
        count: How many.
        fixed: Parameters held at a value.
        held: Suggestions that are made and not yet trials: kept away from.
        start: Points of the quasi-random sequence that those have used up.
        strategy_node: Which node of a strategy that was given as a graph it is, by name.
    """
    assert state.experiment is not None
    space = state.experiment.space
    model = node == "bo"
    view = sight(state, fixed) if model else Sight(space, {})
    held_at = {**tasks(space), **fixed, **view.held}
    ends = space.is_listed or determined(view.space, held_at) is not None
    return Request(
        space=view.space,
        optimization=_absolute(state) if model else None,
        node=node,
        method=method_of(state, strategy_node),
        count=count,
        seed=state.seed if state.strategy.seed is None else state.strategy.seed,
        position=max(state.position, start),
        observed=observed(state) if model else (),
        pending=(*pending(state), *(Point(trial=-1, parameters=one) for one in held)) if model else (),
        failed=failed(state) if model and state.strategy.learn_from_failures else (),
        cost=state.strategy.cost if space.having("fidelity") else None,
        taken=(*taken(state), *held) if ends or node == "grid" else (),
        fixed=held_at,
        past=samples(state) if model else (),
        design=_design(state, node, strategy_node),
        comparisons=comparisons(state) if model else (),
    )


def prediction_request(state: State, points: Sequence[Parameterization]) -> PredictionRequest | None:
    """What a model needs to know to predict at *points*; None where nothing is sought yet."""
    optimization = _absolute(state)
    if state.experiment is None or optimization is None:
        return None
    return PredictionRequest(
        space=sight(state).space,
        optimization=optimization,
        observed=observed(state),
        points=tuple(points),
        seed=state.seed,
        comparisons=comparisons(state),
        past=samples(state),
    )


def method_of(state: State, strategy_node: str) -> str:
    """The method of a model: the node's own, else the strategy's."""
    named = state.strategy.node(strategy_node)
    return state.strategy.method if named is None or named.method is None else named.method


def _design(state: State, node: Node, strategy_node: str) -> Design | None:
    """What the node must know of the initial design; None where nothing."""
    strategy, named = state.strategy, state.strategy.node(strategy_node)
    if named is not None:
        match node:
            case "latin_hypercube":
                return Design(size=named.size)
            case "grid":
                return Design(levels=named.grid_levels, last=not named.transition_criteria)
            case _:
                return None
    match node:
        case "latin_hypercube":
            return Design(size=max(1, budget(state) - strategy.initialize_with_center))
        case "grid":
            return Design(levels=strategy.grid_levels, last=not model_follows(state))
        case _:
            return None


# --- what was asked, in a few bytes ---------------------------------------------------------------------------------

PARTS: dict[str, tuple[str, ...]] = {
    "space": ("space",),
    "goal": ("optimization", "method"),
    "data": ("observed",),
    "pending": ("pending", "taken"),
    "draw": ("node", "count", "seed", "position", "fixed"),
    "design": ("design",),
    "failures": ("failed",),
    "cost": ("cost",),
    "past": ("past",),
    "comparisons": ("comparisons",),
}
"""The parts of a request that are told apart when one is not what it was, and their fields."""


class Fingerprint(msgspec.Struct, frozen=True):
    """What a request said, in a few bytes.

    Attributes:
        digest: SHA-256 (hex) of everything in it.
        parts: For each of ``PARTS`` the first 8 hex digits of the SHA-256 of what it says.
    """

    digest: str
    parts: dict[str, str]


def fingerprint(request: Request) -> Fingerprint:
    """The fingerprint of a request; one that went through a log has the same.

    Fields that keep their default have no part in it where their Struct omits them, nor has the order of fields: a
    later version may add some.
    """
    # Read back from JSON, as all that is in a log was: an integer where a float belongs is a float then.
    whole = _decode(_encode(request))
    parts = {
        name: hashlib.sha256(_encode([getattr(whole, field) for field in fields])).hexdigest()[:8]
        for name, fields in PARTS.items()
    }
    return Fingerprint(hashlib.sha256(_encode(whole)).hexdigest(), parts)


def digest(request: Request) -> str:
    """SHA-256 (hex) of everything that the request says."""
    return fingerprint(request).digest


# --- what is known --------------------------------------------------------------------------------------------------


def _absolute(state: State) -> OptimizationConfig | None:
    """What is sought, with bounds that refer to the baseline put into numbers once the baseline has data."""
    optimization = state.optimization
    if optimization is None or state.baseline is None:
        return optimization
    baseline = baseline_means(state) or {}
    constraints = tuple(
        msgspec.structs.replace(constraint, relative=False, bound=constraint.limit(baseline))
        if constraint.relative and all(name in baseline for name in constraint.metric_names)
        else constraint
        for constraint in optimization.constraints
    )
    return msgspec.structs.replace(optimization, constraints=constraints)


def observed(state: State) -> tuple[Point, ...]:
    """Finished trials with data that count and a place in the present space, in order of their index.

    Each replicate stands by itself.  Models learn from what was executed where that is known, not from the plan.
    Where a preference is sought, trials without data can be compared, and so are among them.
    """
    return tuple(
        Point(trial=trial.index, parameters=place, observations=trial.observations)
        for trial in state.trials()
        if trial.status in ENDED and _told(state, trial) and (place := project(state, trial)) is not None
    )


def samples(state: State) -> tuple[Sample, ...]:
    """What past experiments gave of the metrics that are sought, at points of the present space."""
    if state.optimization is None:
        return ()
    wanted = state.optimization.metric_names
    found = []
    for past in state.past:
        points = []
        for conditions, measured in past.trials():
            told = tuple(one for one in measured if one.metric in wanted)
            place = seen(state, {**state.backfill, **conditions})
            if told and place is not None:
                points.append(Point(trial=-1, parameters=place, observations=told))
        if points:
            found.append(Sample(name=past.name, points=tuple(points)))
    return tuple(found)


def tasks(space: SearchSpace) -> Parameterization:
    """The tasks for which suggestions are made where no other is asked for."""
    targets = space.targets()
    return {name: targets[name] for name in space.having("task")}


def pending(state: State) -> tuple[Point, ...]:
    """Trials to keep away from, as planned: under way or proposed, given up, rejected, or without a usable value.

    A VOIDED trial is none of these: like a FAILED one it may be suggested again.
    """
    return tuple(
        Point(trial=trial.index, parameters=place, observations=trial.observations)
        for trial in state.trials()
        if (
            trial.status.is_open
            or trial.status in NEVER
            or (trial.status is TrialStatus.COMPLETED and not _told(state, trial))
        )
        and (place := seen(state, planned(state, trial))) is not None
    )


def failed(state: State) -> tuple[Point, ...]:
    """Trials whose failure says something of their conditions: not those stopped, lost, or never begun."""
    return tuple(
        Point(trial=trial.index, parameters=place)
        for trial in state.trials()
        if trial.informative
        and trial.status in (TrialStatus.FAILED, TrialStatus.ABANDONED)
        and (place := project(state, trial)) is not None
    )


def taken(state: State) -> tuple[Parameterization, ...]:
    """What a finite space has already been asked for; conditions without a usable result may be suggested again."""
    places = (seen(state, planned(state, trial)) for trial in state.trials() if trial.status not in FREE)
    return tuple(place for place in places if place is not None)


def comparisons(state: State) -> tuple[Verdict, ...]:
    """What was preferred to what, of trials that are among ``observed``; nothing but where a preference is sought."""
    if not state.comparisons or not _by_preference(state):
        return ()
    return counting(state.comparisons, (point.trial for point in observed(state)))


def _by_preference(state: State) -> bool:
    return state.optimization is not None and state.optimization.is_preference


def _told(state: State, trial: Trial) -> bool:
    """Whether a finished trial says something, or can be compared with another one."""
    return _by_preference(state) or any(observation.mean is not None for observation in trial.observations)
