"""The account of a trial as sentences that a scientist reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from titrant.model.trial import Suggestion
from titrant.progress import words
from titrant.replay.diff import lead_words
from titrant.replay.why import Account, Outcome, Seen, Staleness

DESIGNS = {
    "centre": "the centre of the search space",
    "sobol": "a quasi-random (Sobol) point",
    "random": "a random point",
    "latin_hypercube": "a point of a latin hypercube",
    "grid": "a point of a grid",
}
SHOWN_S = 0.05
"""Seconds below which a stage is not worth a word."""

FEW = 8
"""Trials that are named; of more only the first ones and the number are."""


def sentences(account: Account) -> list[str]:
    """The account in order: who brought the trial in, what it was made from, and what became of it."""
    told = [_opening(account)]
    suggestion, seen = account.suggestion, account.seen
    if suggestion is not None and seen is not None:
        told += [*_making(suggestion, seen), *_late(account.staleness), *_withdrawn(seen)]
    told += _people(account)
    told += [*_course(account), *_ending(account)]
    if account.versions:
        told.append(f"It was made with {', '.join(f'{name} {one}' for name, one in account.versions.items())}.")
    return told


def text(account: Account) -> str:
    """The same, a sentence a line."""
    return "\n".join(sentences(account))


def when(at: int) -> str:
    """Date and time here, to the second; *at* in microseconds since 1970 UTC."""
    return datetime.fromtimestamp(at / 1e6, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _opening(account: Account) -> str:
    conditions = words.conditions(account.parameters)
    at = f"(event {account.seq}, {when(account.at)})"
    if account.suggestion is None:
        what = f"repeats trial {account.replicate_of}" if account.origin == "replicate" else "was added"
        kind = " as the baseline" if account.origin == "baseline" else ""
        return f"Trial {account.trial} {what}{kind} by {account.proposed_by} {at}: {conditions}."
    who = "" if account.proposed_by in ("generator", "engine") else f" for {account.proposed_by}"
    return f"Trial {account.trial} was suggested{who} {at}: {conditions}."


def _making(suggestion: Suggestion, seen: Seen) -> Iterator[str]:
    """How it was made, and from what."""
    what = DESIGNS.get(suggestion.node)
    if what is None:
        yield (
            f"{suggestion.generator} (node {_node(suggestion)!r}) made it, fitted to the data of {_named(seen.trials)} "
            f"as they stood after event {seen.seq} ({when(seen.at)})."
        )
    else:
        how = "" if suggestion.generator == what else f" ({suggestion.generator})"
        brought = f" by {suggestion.maker}" if suggestion.maker else how
        of = f" by node {suggestion.strategy_node!r}" if suggestion.strategy_node else ""
        yield f"It is {what}{brought}{of}, asked for after event {seen.seq} ({when(seen.at)}); it looks at no data."
    if suggestion.fallback:
        planned = f" by node {suggestion.asked_of}" if suggestion.asked_of else ""
        yield f"It stands in for what was planned{planned}: {suggestion.fallback}."
    if what is None:
        yield f"The best then: {lead_words(seen.best)}."
        held = f", and {words.count(len(seen.held), 'suggestion')} held ready" if seen.held else ""
        yield f"Pending then and taken into account: {_named(seen.pending)}{held}."
    if suggestion.fixed:
        yield f"Held fixed on request: {words.conditions(suggestion.fixed)}."
    of_batch = (
        f", number {suggestion.place + 1} of {suggestion.count} asked for at once" if suggestion.count > 1 else ""
    )
    took = f"; it took {words.duration(suggestion.seconds)}" if suggestion.seconds else ""
    value = (
        ""
        if suggestion.acquisition_value is None
        else f", value of the acquisition function {words.value(suggestion.acquisition_value)}"
    )
    yield f"Seed {suggestion.seed}, position {suggestion.position} of the sequence{of_batch}{value}{took}."
    if suggestion.ahead:
        yield f"It was made ahead of the slot that took it{_unseen(suggestion.unseen)}."
    elif suggestion.unseen:
        yield f"While it was made, results came in{_unseen(suggestion.unseen)}."
    if not suggestion.request:
        yield "Exactly what was asked is not recorded: an earlier titrant made it."


def _node(suggestion: Suggestion) -> str:
    return suggestion.strategy_node or suggestion.node


def _unseen(changes: int) -> str:
    return f", and had not seen {words.count(changes, 'change')} of the results since" if changes else ""


def _late(late: Staleness | None) -> Iterator[str]:
    """What had happened since the suggestion was asked for."""
    if late is None:
        return
    events, results = late.events_to_submission, late.results_to_submission
    until = "submitted"
    if events is None or results is None:
        events, results, until = late.events_to_creation, late.results_to_creation, "made a trial"
    if not events:
        yield f"Nothing happened between that and its being {until}."
    elif results:
        yield (
            f"Until it was {until} {words.count(events, 'event')} followed, and results of {_named(results)} came in, "
            "which it had not seen."
        )
    else:
        yield f"Until it was {until} {words.count(events, 'event')} followed, none of them a result."


def _withdrawn(seen: Seen) -> Iterator[str]:
    if seen.withdrawn_since:
        yield f"It had seen results that were withdrawn or corrected since: {_named(seen.withdrawn_since)}."


def _people(account: Account) -> Iterator[str]:
    for act in account.acts:
        if act.seq != account.seq:
            yield f"{str(act)[0].upper()}{str(act)[1:]} (event {act.seq}, {when(act.at)})."


def _course(account: Account) -> Iterator[str]:
    """Where it was carried out, and how long that took."""
    if account.attempts:
        last = account.attempts[-1]
        several = f" in {len(account.attempts)} attempts" if len(account.attempts) > 1 else ""
        retries = sum(attempt.retries for attempt in account.attempts)
        again = f", submitted again {retries} times" if retries else ""
        yield f"Runner {last.runner!r} carried it out{several}{again}."
    spent = [one for one in account.stages if one.seconds >= SHOWN_S]
    if spent:
        yield "It spent " + ", ".join(f"{words.duration(one.seconds)} {one.name}" for one in spent) + "."
    if account.executed:
        yield f"Carried out otherwise than planned: {words.conditions(account.executed)}."


def _ending(account: Account) -> Iterator[str]:
    status = account.status.lower().replace("_", " ")
    yield f"It is {status}" + (f": {account.reason}." if account.reason else ".")
    yield from map(_outcome, account.outcomes)


def _outcome(one: Outcome) -> str:
    predicted = None if one.predicted is None else _value(one.predicted, one.predicted_sem)
    if one.measured is None:
        return f"{one.metric}: predicted {predicted}, nothing measured."
    measured = _value(one.measured, one.measured_sem)
    if predicted is None:
        return f"{one.metric}: measured {measured}; nothing was predicted."
    far = (
        "" if one.sems is None else f", {abs(one.sems):.1f} SEM {'above' if one.sems >= 0 else 'below'} the prediction"
    )
    return f"{one.metric}: predicted {predicted}, measured {measured}{far}."


def _value(mean: float, sem: float | None) -> str:
    return words.value(mean) if sem is None else f"{words.value(mean)} ± {words.value(sem)}"


def _named(trials: Sequence[int]) -> str:
    """``"no trial"``, ``"trial 3"``, ``"3 trials (0, 1, 4)"``."""
    if not trials:
        return "no trial"
    if len(trials) == 1:
        return f"trial {trials[0]}"
    runs = _runs(trials)
    more = f", … {trials[-1]}" if len(runs) > FEW else ""
    return f"{len(trials)} trials ({', '.join(runs[:FEW])}{more})"


def _runs(trials: Sequence[int]) -> list[str]:
    """Numbers with those that follow each other put together: ``["0-4", "7"]``."""
    found: list[list[int]] = []
    for index in trials:
        if found and index == found[-1][-1] + 1:
            found[-1].append(index)
        else:
            found.append([index])
    return [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found]
