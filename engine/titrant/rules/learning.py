"""Learning from past experiments: when it may be, and what becomes of what was read (``past_logs.py``)."""

from __future__ import annotations

from msgspec.structs import replace

from titrant.errors import CommandRefused
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.past import Past
from titrant.rules.state import State


def learn_from(state: State, command: c.LearnFrom, _at: int) -> tuple[Event, ...]:
    """Keep data of past experiments; those of a log that is known already take the place of what was read before.

    Raises:
        CommandRefused: Nothing is sought yet, or the method cannot learn from the past.
    """
    require_goal(state)
    if (wrong := flaw_of_method(state)) is not None:
        raise CommandRefused(wrong)
    known = {_key(one): one for one in state.past}
    return tuple(e.PastLearned(past=past) for past in command.pasts if known.get(_key(past)) != past)


def require_goal(state: State) -> None:
    """Make sure that there is something that a past experiment can tell of.

    Raises:
        CommandRefused: There is not.
    """
    if state.experiment is None or state.optimization is None:
        raise CommandRefused("learn_from needs to know what is sought: call configure_optimization first")
    if state.experiment.space.having("fidelity"):
        raise CommandRefused("learn_from does not know fidelities: an experiment with them learns from its own trials")
    if not state.optimization.objective_metrics:
        raise CommandRefused("learn_from needs metrics: of what people prefer past experiments tell nothing")


def flaw_of_method(state: State) -> str | None:
    """Why the strategy's models cannot learn from the past; None where they can."""
    methods = {state.strategy.method, *(node.method for node in state.strategy.nodes)}
    if "botorch" in methods:
        return "method='botorch' learns from one experiment only: use method='fast' to learn from past ones"
    return None


def learned(state: State, event: e.PastLearned, _at: int) -> State:
    """What models learn from is more than before."""
    others = tuple(one for one in state.past if _key(one) != _key(event.past))
    return replace(state, past=(*others, event.past), results=state.results + 1)


def _key(past: Past) -> tuple[str, str]:
    """What tells past experiments apart: in virtual time logs with the same seed have the same identity."""
    return past.log_id, past.file
