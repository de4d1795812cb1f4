"""A log as W3C PROV: trials are activities; suggestions, conditions and results entities; who acted are agents."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from titrant.analysis.marks import DESIGN
from titrant.export.target import single
from titrant.log.group import Row
from titrant.log.raw import RawLog
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.observation import Observation, by_metric
from titrant.model.trial import Parameterization

_SPACE = "https://github.com/titrant/titrant/prov#"
_ENDS = (e.TrialCompleted, e.TrialFailed, e.TrialAbandoned, e.TrialEarlyStopped)


def to_prov(path: str | Path, to: str | Path, form: Literal["json", "provn"] | None = None) -> None:
    """Write the history as W3C PROV.

    Every trial has its planned conditions (an entity, derived from the suggestion, which is derived from the results a
    model had seen), its course (an activity) and its result (an entity); a result that was withdrawn is invalidated,
    one that was corrected is a revision.

    Args:
        path: The log.
        to: The file; there must be nothing yet.
        form: PROV-JSON or PROV-N; by the file's ending where None (``.provn``, else JSON).

    Raises:
        LogError: The log cannot be read, or is damaged; nothing was written.
        ExportError: There is something at *to* already, or it cannot be written.
        ImportError: prov is not installed; the message gives the command.
    """
    try:
        from prov.model import ProvDocument  # noqa: PLC0415  an extra
    except ImportError as exc:
        raise ImportError("PROV needs prov: pip install 'titrant[prov]'") from exc
    form = form or ("provn" if Path(to).suffix == ".provn" else "json")
    with RawLog(path) as log, single(to) as file:
        story = _Story(ProvDocument(), log.identity.log_id)
        for row, event in log.rows():
            story.tell(row, event)
        story.close()
        text = story.document.get_provn() if form == "provn" else story.document.serialize(format="json", indent=1)
        file.write(text.encode())
        file.write(b"\n")


class _Story:
    """The document, and what must be known of trials to go on with them."""

    def __init__(self, document: Any, log_id: str) -> None:
        self.document = document
        document.add_namespace("titrant", _SPACE)
        document.add_namespace("log", f"urn:titrant:{log_id}:")
        self.agents: set[str] = set()
        self.begun: dict[int, datetime] = {}  # open trials
        self.ended: dict[int, tuple[datetime | None, datetime]] = {}
        self.runner: dict[int, str] = {}
        self.observed: dict[int, tuple[Observation, ...]] = {}
        self.result: dict[int, str] = {}  # the entity that is a trial's result now
        self.data: list[tuple[int, str]] = []  # from which event on models learned from which collection of results
        self.seq = 0
        self.numbers: dict[str, int] = {}  # how many there are of a kind of name

    def tell(self, row: Row, event: Event) -> None:
        """Take an event in."""
        at, who = _EPOCH + timedelta(microseconds=row[5]), row[7]
        self.seq = row[0]
        tell = _TELL.get(type(event))
        if tell is not None:
            tell(self, event, at, who)
        elif isinstance(event, _ENDS):
            self._ended(event, at)

    def close(self) -> None:
        """Tell of the activities, once it is known when they began and ended."""
        for trial in sorted({*self.begun, *self.ended}):
            began, ended = self.ended.get(trial, (self.begun.get(trial), None))
            self.document.activity(f"log:trial-{trial}", began, ended, {"prov:type": self._type("Trial")})
            self.document.used(f"log:trial-{trial}", f"log:conditions-{trial}")
            if trial in self.runner:
                self.document.wasAssociatedWith(f"log:trial-{trial}", self._agent(f"runner:{self.runner[trial]}"))

    def created(self, event: e.TrialCreated, at: datetime, who: str) -> None:
        """The conditions, and what they were derived from."""
        trial, made = event.trial, event.suggestion
        conditions = self.document.entity(
            f"log:conditions-{trial}",
            {"prov:type": self._type("Parameterization"), "prov:generatedAtTime": at, **_values(event.parameters)},
        )
        self.begun[trial] = at
        if made is None:
            self.document.wasAttributedTo(conditions, self._agent(who))
        else:
            about = {
                "prov:type": self._type("Suggestion"),
                "titrant:node": made.node,
                "titrant:generator": made.generator,
                "titrant:seed": str(made.seed),
                "titrant:data_seq": made.data_seq,
            }
            suggestion = self.document.entity(f"log:suggestion-{trial}", about)
            self.document.wasAttributedTo(suggestion, self._agent(f"generator:{made.generator}"))
            self.document.wasDerivedFrom(conditions, suggestion)
            if made.node not in DESIGN:
                seen = bisect_right(self.data, made.data_seq, key=lambda pair: pair[0])
                if seen:
                    self.document.wasDerivedFrom(suggestion, self.data[seen - 1][1])
        if event.replicate_of is not None:
            self.document.wasDerivedFrom(conditions, f"log:conditions-{event.replicate_of}")

    def submitting(self, event: e.TrialSubmitting, _at: datetime, _who: str) -> None:
        """Who carries the trial out."""
        self.runner[event.trial] = event.runner

    def running(self, event: e.TrialRunning, at: datetime, _who: str) -> None:
        """The activity began."""
        self.begun[event.trial] = at

    def attached(self, event: e.DataAttached, _at: datetime, who: str) -> None:
        """What the result will be made of; a late datum revises it."""
        self.observed[event.trial] = self.observed.get(event.trial, ()) + event.observations
        if event.trial in self.result:  # a late datum: the result is another one from here on
            self._revised(event.trial, f"runner:{self.runner[event.trial]}" if event.trial in self.runner else who)

    def _ended(self, event: Any, at: datetime) -> None:
        trial = event.trial
        self.ended[trial] = (self.begun.pop(trial, None) or self.ended.get(trial, (None, at))[0], at)
        if trial in self.result or not self.observed.get(trial):
            return
        self.result[trial] = f"log:result-{trial}"
        self.document.entity(self.result[trial], {"prov:type": self._type("Result"), **_means(self.observed[trial])})
        self.document.wasGeneratedBy(self.result[trial], f"log:trial-{trial}", at)
        self.document.wasDerivedFrom(self.result[trial], f"log:conditions-{trial}")
        self._collect(self.result[trial])

    def executed(self, event: e.ParametersExecuted, _at: datetime, who: str) -> None:
        """What was really carried out, derived from the plan."""
        name = self._next(f"executed-{event.trial}")
        self.document.entity(name, {"prov:type": self._type("ExecutedParameterization"), **_values(event.parameters)})
        self.document.wasDerivedFrom(name, f"log:conditions-{event.trial}")
        self.document.wasAttributedTo(name, self._agent(who))

    def voided(self, event: e.ResultVoided, at: datetime, who: str) -> None:
        """The result was invalidated."""
        if event.trial in self.result:
            act = self._act(f"void-{event.trial}", at, who, event.reason)
            self.document.wasInvalidatedBy(self.result[event.trial], act, at)
            self._collect(None)

    def unvoided(self, event: e.ResultUnvoided, at: datetime, who: str) -> None:
        """The result counts again, as a revision."""
        if event.trial in self.result:
            self._revised(event.trial, who, at=at, why=event.reason)

    def corrected(self, event: e.ResultCorrected, at: datetime, who: str) -> None:
        """The result was revised."""
        named = {one.metric for one in event.observations}
        kept = tuple(one for one in self.observed.get(event.trial, ()) if one.metric not in named)
        self.observed[event.trial] = (*kept, *event.observations)
        if event.trial in self.result:
            self._revised(event.trial, who, at=at, why=event.reason)

    def _revised(self, trial: int, who: str, *, at: datetime | None = None, why: str = "") -> None:
        """The result is another entity, a revision of the one before."""
        before, self.result[trial] = self.result[trial], self._next(f"result-{trial}")
        about = {"prov:type": self._type("Result"), **_means(self.observed.get(trial, ()))}
        if why:
            about["titrant:reason"] = why
        self.document.entity(self.result[trial], about)
        self.document.wasRevisionOf(self.result[trial], before)
        self.document.wasAttributedTo(self.result[trial], self._agent(who))
        if at is not None:
            act = self._act(f"revise-{trial}", at, who, why)
            self.document.wasGeneratedBy(self.result[trial], act, at)
        self._collect(self.result[trial])

    def _collect(self, result: str | None) -> None:
        """What models learn from is another collection: the one before with a result more, or one taken out."""
        name = self._next("data")
        self.document.collection(name, {"titrant:since_seq": self.seq})
        if self.data:
            self.document.wasDerivedFrom(name, self.data[-1][1])
        if result is not None:
            self.document.hadMember(name, result)
        self.data.append((self.seq, name))

    def signed(self, event: e.HeadSigned, at: datetime, who: str) -> None:
        """A person used the head to put their name to it."""
        about = {"prov:type": self._type("SignedHead"), "titrant:hash": event.hash, "titrant:meaning": event.meaning}
        name = f"log:head-{event.seq}"
        self.document.entity(name, about)
        act = self._act(f"sign-{event.seq}", at, who, event.meaning)
        self.document.used(act, name)

    def _act(self, what: str, at: datetime, who: str, why: str) -> str:
        """What somebody did at one moment."""
        name = self._next(what)
        self.document.activity(name, at, at, {"titrant:reason": why} if why else None)
        self.document.wasAssociatedWith(name, self._agent(who))
        return name

    def _type(self, name: str) -> Any:
        """A kind of thing, as PROV names it."""
        return self.document.valid_qualified_name(f"titrant:{name}")

    def _next(self, what: str) -> str:
        """A name of its own for each of a kind."""
        number = self.numbers[what] = self.numbers.get(what, 0) + 1
        return f"log:{what}-{number}"

    def _agent(self, who: str) -> str:
        name = f"log:agent-{_slug(who)}"
        if who not in self.agents:
            self.agents.add(who)
            kind = "Person" if who.startswith("user:") else "SoftwareAgent"
            self.document.agent(
                name, {"prov:type": self.document.valid_qualified_name(f"prov:{kind}"), "prov:label": who}
            )
        return name


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TELL: dict[type, Callable[[_Story, Any, datetime, str], None]] = {
    e.TrialCreated: _Story.created,
    e.TrialSubmitting: _Story.submitting,
    e.TrialRunning: _Story.running,
    e.DataAttached: _Story.attached,
    e.ParametersExecuted: _Story.executed,
    e.ResultVoided: _Story.voided,
    e.ResultUnvoided: _Story.unvoided,
    e.ResultCorrected: _Story.corrected,
    e.HeadSigned: _Story.signed,
}


def _values(values: Parameterization) -> dict[str, Any]:
    return {f"titrant:parameter-{_slug(name)}": value for name, value in values.items()}


def _means(observations: tuple[Observation, ...]) -> dict[str, Any]:
    return {f"titrant:metric-{_slug(name)}": one.mean for name, one in by_metric(observations).items()}


def _slug(text: str) -> str:
    """A text as a local name, different ones staying different."""
    return re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", text)
