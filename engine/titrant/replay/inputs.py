"""Whether a request made again is the one a suggestion was made from, and which part of it is not."""

from __future__ import annotations

from collections.abc import Sequence

from titrant.generators.base import Point, Request
from titrant.generators.requests import Fingerprint
from titrant.model.trial import Suggestion
from titrant.rules.state import State

PART = {
    "space": "the search space: a bound, a parameter or a constraint",
    "goal": "the objective, an outcome constraint or the strategy's method",
    "comparisons": "the comparisons of trials",
    "past": "what past experiments gave",
    "design": "the initial design: its size, its levels or what follows it",
}
NAMED = 5
"""Trials that are named; of more only the number is told."""


def mismatch(
    suggestion: Suggestion,
    request: Request,
    made: Fingerprint,
    parts: dict[str, str],
    state: State,
    fitted: Request | None,
) -> str | None:
    """What is not as it was when the suggestion was made, in words; None where all is.

    Args:
        suggestion: What was recorded.
        request: The request, made again from the log.
        made: Its fingerprint.
        parts: The fingerprints of the parts that were recorded.
        state: What the request was made from.
        fitted: The last request with data before it that was what it had been.
    """
    copies = _copies(suggestion, request, state)
    told = list(copies.values())
    if made.digest != suggestion.request:
        other = [name for name in made.parts if parts.get(name, made.parts[name]) != made.parts[name]]
        told += [_part(name, suggestion, request, fitted) for name in other if name not in copies]
        if not told and not parts:
            told = ["something in the request, and which part is not recorded"]
        elif not told:
            told = ["the fingerprint of the request, whose parts are all as they were"]
    return f"it was not made from what the log says: {'; '.join(told)}" if told else None


def _copies(suggestion: Suggestion, request: Request, state: State) -> dict[str, str]:
    """What the suggestion says once more, and otherwise: the part of the request it belongs to, and words."""
    told = {}
    if suggestion.seed != request.seed:
        told["draw"] = f"the seed is {request.seed} in the log and was {suggestion.seed}"
    pending = tuple(point.trial for point in request.pending if point.trial >= 0)
    if suggestion.pending != pending:
        told["pending"] = f"pending were {_listed(suggestion.pending)}, and by the log {_listed(pending)}"
    results = state.results if request.observed else 0
    if suggestion.results != results:
        told["results"] = f"results had changed {suggestion.results} times, and by the log {results} times"
    return told


def _part(name: str, suggestion: Suggestion, request: Request, fitted: Request | None) -> str:
    match name:
        case "data":
            return f"the data of {_suspects(request.observed, () if fitted is None else fitted.observed)}"
        case "pending":
            before = () if fitted is None else (*fitted.pending, *fitted.observed)
            held = f" or a suggestion held ready ({len(suggestion.held)})" if suggestion.held else ""
            return f"the pending or taken conditions: {_suspects(request.pending, before)}{held}"
        case "draw":
            said = f"seed {request.seed}, position {request.position}, node {request.node}, {request.count} asked for"
            return f"how it was drawn: by the log {said}, held fixed: {request.fixed or 'nothing'}"
        case _:
            return PART.get(name, name)


def _suspects(points: Sequence[Point], before: Sequence[Point]) -> str:
    """Trials whose part in the request is not the same as in an earlier one, which was in order."""
    known = {point.trial: point for point in before}
    changed = [point.trial for point in points if point.trial >= 0 and known.get(point.trial) != point]
    gone = known.keys() - {point.trial for point in points} if not changed else set()
    found = changed or sorted(gone) or [point.trial for point in points if point.trial >= 0]
    return _listed(found) if len(found) < 2 else f"one of {_listed(found)}"


def _listed(trials: Sequence[int]) -> str:
    if not trials:
        return "no trial"
    more = f" and {len(trials) - NAMED} more" if len(trials) > NAMED else ""
    return ("trial " if len(trials) == 1 else "trials ") + ", ".join(map(str, trials[:NAMED])) + more
