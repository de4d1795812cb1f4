"""Whether each suggestion is what its generator makes of what the log says it was made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Literal, get_args

import msgspec

from titrant.generators.base import Generator, Request
from titrant.generators.requests import Fingerprint, fingerprint, suggestion_request
from titrant.log.scanning import scan
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.experiment import Node
from titrant.model.trial import Suggestion
from titrant.replay.derivation import Deriver, differences
from titrant.replay.inputs import mismatch
from titrant.replay.moment import When, fold, sequence_number
from titrant.rules.state import State

Stamped = tuple[int, int, Event]
"""Sequence number, time and event, as ``log.replay.scan`` gives them."""

Kind = Literal["record", "request", "derivation"]

NODES: tuple[Node, ...] = get_args(Node)

TOLERANCE = 1e-6
"""What another machine or version may differ by: a share of a parameter's range, or of a prediction's magnitude."""


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """A suggestion that is not what the log says it was made from would give.

    Attributes:
        trial: Whose.
        seq: The event that made the trial.
        kind: ``"record"``: what is said of it contradicts itself; ``"request"``: the data, bounds, seed or pending
            trials are not those it was made from; ``"derivation"``: asked again, the generator answers otherwise.
        what: In words.
        made_with: The environment that made it: package or property to version or value.
        derived_with: The environment it was derived in, where it was.
    """

    trial: int
    seq: int
    kind: Kind
    what: str
    made_with: dict[str, str] = {}
    derived_with: dict[str, str] = {}

    def __str__(self) -> str:
        told = f"trial {self.trial} (event {self.seq}): {self.what}"
        return told if self.kind != "derivation" else f"{told}; {self.environments()}"

    def environments(self) -> str:
        """Both environments, where they differ."""
        here, there = self.made_with, self.derived_with
        names = [name for name in dict.fromkeys((*here, *there)) if here.get(name) != there.get(name)]
        if not names:
            return "both in the same environment"

        def told(environment: dict[str, str]) -> str:
            return ", ".join(f"{name} {environment.get(name, 'not recorded')}" for name in names)

        return f"made with {told(here)}; derived with {told(there)}"


class Decisions(msgspec.Struct, kw_only=True):
    """What came out.

    Attributes:
        trials: All of them.
        by_people: Trials that nobody suggested: attached, or replicates.
        equal: Suggestions that came out equal, bit for bit.
        within: Those that came out within the tolerance, in another environment than the one that made them.
        worst: The largest of these differences.
        unrecorded: Suggestions of an earlier titrant, which did not record what they were made from.
        external: Suggestions of a generator that was brought along and is not at hand.
        divergences: All others, in order.
    """

    trials: int = 0
    by_people: int = 0
    equal: int = 0
    within: int = 0
    worst: float = 0.0
    unrecorded: int = 0
    external: int = 0
    divergences: list[Divergence] = []

    @property
    def first(self) -> Divergence | None:
        """The first divergence, or None."""
        return self.divergences[0] if self.divergences else None

    @property
    def ok(self) -> bool:
        """Whether nothing diverges; what could not be derived again says nothing either way."""
        return not self.divergences

    def __str__(self) -> str:
        told = [f"{self.equal} suggestions derived again are equal"]
        if self.within:
            told.append(f"{self.within} of another environment differ by {self.worst:.1e} at most")
        if self.unrecorded:
            told.append(f"{self.unrecorded} cannot be checked: what they were made from is not recorded")
        if self.external:
            told.append(f"{self.external} cannot be derived without the generator that was brought along")
        if self.by_people:
            told.append(f"{self.by_people} trials were not suggested")
        if self.divergences:
            told.append(f"{len(self.divergences)} diverge, the first: {self.first}")
        return "; ".join(told)


def verify_decisions(
    source: str | Path | Sequence[Stamped],
    *,
    until: When = None,
    tolerance: float = TOLERANCE,
    generator: Generator | None = None,
    deriver: Deriver | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Decisions:
    """Make each suggestion again from the log, and compare.

    Args:
        source: A log, or events in order.
        until: The last moment of the log to look at.
        tolerance: What suggestions of another environment may differ by (see ``TOLERANCE``); those of the same must
            be equal.
        generator: The generator that was given to the client, where one was.
        deriver: Asks the generators; one of its own where None.
        progress: Told how many suggestions are done, of how many.

    Raises:
        ConfigurationError: *until* cannot be read, or lies outside the log.
        LogError: The log is missing, damaged, or too new.
        WorkerDied: The process that makes suggestions ended.
    """
    last = sequence_number(source, until) if isinstance(source, (str, Path)) else None
    needed = Counter(
        event.suggestion.data_seq
        for _, _, event in _events(source, last, verify=False)
        if isinstance(event, e.TrialCreated) and event.suggestion is not None
    )
    with Deriver(generator) if deriver is None else nullcontext(deriver) as asked:
        walk = _Walk(asked, needed, tolerance, progress)
        for seq, at, event in _events(source, last, verify=True):
            walk.take(seq, at, event)
    return walk.found


def _events(source: str | Path | Sequence[Stamped], until: int | None, *, verify: bool) -> Iterable[Stamped]:
    return scan(source, 0, until, verify=verify) if isinstance(source, (str, Path)) else source


class _Asked(msgspec.Struct, frozen=True):
    """A request made again, and the first suggestion that answered it: that one recorded the environment."""

    first: Suggestion
    request: Request
    fingerprint: Fingerprint

    def answers(self, suggestion: Suggestion) -> bool:
        """Whether the suggestion is a further answer to the same request."""
        names = ("request", "data_seq", "count", "fixed", "held", "start", "maker", "strategy_node")
        same = all(getattr(suggestion, name) == getattr(self.first, name) for name in names)
        return suggestion.place > 0 and same and _node(suggestion) == self.request.node


class _Walk:
    """One pass over the events: keeps those states that suggestions yet to come were made from, and no others."""

    def __init__(
        self, deriver: Deriver, needed: Counter[int], tolerance: float, progress: Callable[[int, int], None] | None
    ) -> None:
        self.found = Decisions()
        self._deriver = deriver
        self._needed = needed
        self._tolerance = tolerance
        self._progress = progress
        self._total = needed.total()
        self._done = 0
        self._state = State()
        self._kept: dict[int, State] = {0: self._state} if needed[0] else {}
        self._asked: _Asked | None = None
        self._fitted: Request | None = None  # the last one with data that is what it was

    def take(self, seq: int, at: int, event: Event) -> None:
        """Fold an event; where it makes a trial, look at the suggestion first."""
        if isinstance(event, e.TrialCreated):
            self.found.trials += 1
            if event.suggestion is None:
                self.found.by_people += 1
            else:
                self._look(seq, event, event.suggestion)
        self._state = fold(self._state, seq, event, at)
        if self._needed[seq] > 0:
            self._kept[seq] = self._state

    def _look(self, seq: int, event: e.TrialCreated, suggestion: Suggestion) -> None:
        state = self._kept.get(suggestion.data_seq)
        self._needed[suggestion.data_seq] -= 1
        if self._needed[suggestion.data_seq] <= 0:
            self._kept.pop(suggestion.data_seq, None)
        divergence = self._divergence(seq, event, suggestion, state)
        if divergence is not None:
            self.found.divergences.append(divergence)
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)

    def _divergence(
        self, seq: int, event: e.TrialCreated, suggestion: Suggestion, state: State | None
    ) -> Divergence | None:
        """What is wrong with a suggestion, the nearest first; counts it where nothing is."""

        def diverges(kind: Kind, what: str) -> Divergence:
            return Divergence(trial=event.trial, seq=seq, kind=kind, what=what)

        if event.parameters != suggestion.parameters:
            return diverges("record", "its parameters are not those that were suggested")
        if not suggestion.request:
            self.found.unrecorded += 1
            return None
        if state is None or state.experiment is None:
            return diverges("record", f"it was made after event {suggestion.data_seq}, when nothing could be suggested")
        asked = self._asked = self._again(suggestion, state)
        wrong = mismatch(suggestion, asked.request, asked.fingerprint, asked.first.parts, state, self._fitted)
        if wrong is not None:
            return diverges("request", wrong)
        if asked.request.observed:
            self._fitted = asked.request
        if not self._deriver.can(suggestion.maker):
            self.found.external += 1
            return None
        what, derived_with = self._derived(suggestion, asked)
        if what is None:
            return None
        return msgspec.structs.replace(
            diverges("derivation", what), made_with=asked.first.versions, derived_with=derived_with
        )

    def _derived(self, suggestion: Suggestion, asked: _Asked) -> tuple[str | None, dict[str, str]]:
        """Ask again: what comes out otherwise (None where nothing does), and in which environment."""
        answer = self._deriver.answer(asked.fingerprint.digest, asked.request, suggestion.maker)
        if isinstance(answer, str):
            return f"asked again, the generator makes no suggestion: {answer}", {}
        if suggestion.place >= len(answer.proposals):
            made = len(answer.proposals)
            return f"it is number {suggestion.place + 1} of a request that gives {made}", answer.versions
        differing = differences(asked.request.space, suggestion, answer.proposals[suggestion.place])
        size = max((one.size for one in differing), default=0.0)
        if not differing:
            self.found.equal += 1
            return None, answer.versions
        if answer.versions != asked.first.versions and size <= self._tolerance:
            self.found.within += 1
            self.found.worst = max(self.found.worst, size)
            return None, answer.versions
        return next(one.what for one in differing if one.size == size), answer.versions

    def _again(self, suggestion: Suggestion, state: State) -> _Asked:
        """The request, made again; that of the suggestion before where both answer one."""
        if self._asked is not None and self._asked.answers(suggestion):
            return self._asked
        request = suggestion_request(
            state,
            node=_node(suggestion),
            count=suggestion.count,
            fixed=suggestion.fixed,
            held=suggestion.held,
            start=suggestion.start if suggestion.held else 0,
            strategy_node=suggestion.strategy_node,
        )
        made = fingerprint(request)
        if made.digest != suggestion.request and request.taken and not request.space.is_listed:
            # An earlier titrant did not say what was taken where constraints, or what is held, leave finitely many.
            earlier = msgspec.structs.replace(request, taken=())
            if (known := fingerprint(earlier)).digest == suggestion.request:
                return _Asked(suggestion, earlier, known)
        return _Asked(suggestion, request, made)


def _node(suggestion: Suggestion) -> Node:
    """The node that was asked; one of no known name was never asked, and shows as another request."""
    named = suggestion.asked_of or suggestion.node
    return next((node for node in NODES if node == named), "sobol")
