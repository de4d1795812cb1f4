"""Comparisons of finished trials: what people prefer, as data that may contradict each other."""

from __future__ import annotations

from msgspec.structs import replace

from titrant.errors import CommandRefused, ConfigurationError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.comparison import Comparison
from titrant.model.trial import Trial
from titrant.rules.state import State
from titrant.rules.withdrawing import FINISHED


def attach_comparison(state: State, command: c.AttachComparison, _at: int) -> tuple[Event, ...]:
    """Somebody compared two finished trials; whoever compares them again may see it otherwise, and both count."""
    if state.optimization is None or not state.optimization.is_preference:
        raise CommandRefused("no preference is sought, so comparisons mean nothing: call configure_preference first")
    if command.better == command.worse:
        raise ConfigurationError(f"trial {command.better} cannot be compared with itself: name two trials")
    for index in (command.better, command.worse):
        _finished(state.trial(index))
    return (
        e.ComparisonAttached(
            better=command.better,
            worse=command.worse,
            tie=command.tie,
            judge=command.judge.strip(),
            note=command.note.strip(),
        ),
    )


def withdraw_comparison(state: State, command: c.WithdrawComparison, _at: int) -> tuple[Event, ...]:
    """A comparison was a mistake: it counts no more."""
    number, many = command.comparison, len(state.comparisons)
    if not 0 <= number < many:
        there = f"there are 0 to {many - 1}" if many else "nobody has compared anything"
        raise CommandRefused(f"there is no comparison {number}: {there}")
    if before := state.comparisons[number].withdrawn:
        raise CommandRefused(f"comparison {number} was withdrawn already: {before}")
    if not command.reason.strip():
        raise CommandRefused(f"withdrawing comparison {number} needs a reason: say what is wrong with it")
    return (e.ComparisonWithdrawn(comparison=number, reason=command.reason.strip()),)


def _finished(trial: Trial) -> None:
    if trial.status not in FINISHED:
        raise CommandRefused(
            f"trial {trial.index} is {trial.status.name}: only trials that are COMPLETED or EARLY_STOPPED are compared"
        )


# --- evolving -------------------------------------------------------------------------------------------------------


def attached(state: State, event: e.ComparisonAttached, _at: int) -> State:
    """One comparison more, and one change more of what models learn from."""
    one = Comparison(event.better, event.worse, event.tie, event.judge, event.note)
    return replace(state, comparisons=(*state.comparisons, one), results=state.results + 1)


def withdrawn(state: State, event: e.ComparisonWithdrawn, _at: int) -> State:
    """The comparison keeps its number and counts no more."""
    known = list(state.comparisons)
    known[event.comparison] = replace(known[event.comparison], withdrawn=event.reason)
    return replace(state, comparisons=tuple(known), results=state.results + 1)
