"""Each suggestion is made again from the log alone, and compared with the one on record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from titrant import ConfigurationError
from titrant.errors import LogCorrupt
from titrant.generators.base import Reply, Request
from titrant.messages import events as e
from titrant.replay.decisions import Decisions, Stamped, verify_decisions
from titrant.replay.derivation import Answer, Deriver
from titrant.replay.moment import state_at

GOLDEN = Path(__file__).parents[1] / "golden" / "v1.titrant"


class Elsewhere(Deriver):
    """Another machine, or this one on a bad day: its answers are those of this one, but for a little."""

    def __init__(self, here: Deriver, by: float, **environment: str) -> None:
        super().__init__()
        self._here, self._by, self._environment = here, by, environment

    def answer(self, digest: str, request: Request, maker: str) -> Answer:
        reply = self._here.answer(digest, request, maker)
        assert isinstance(reply, Reply)
        moved = tuple(
            msgspec.structs.replace(one, parameters={**one.parameters, "x1": float(one.parameters["x1"]) + self._by})
            for one in reply.proposals
        )
        return msgspec.structs.replace(reply, proposals=moved, versions={**reply.versions, **self._environment})


def suggested(events: list[Stamped]) -> list[e.TrialCreated]:
    """The trials that somebody suggested."""
    return [event for _, _, event in events if isinstance(event, e.TrialCreated) and event.suggestion is not None]


def test_in_the_same_environment_every_suggestion_comes_out_equal(decisions: Decisions, events: list[Stamped]):
    assert decisions.ok
    assert decisions.equal == len(suggested(events)) == decisions.trials - 1


def test_trials_of_people_have_nothing_to_derive(decisions: Decisions):
    assert decisions.by_people == 1


def test_models_made_some_of_them(events: list[Stamped]):
    assert {"sobol", "bo"} <= {event.suggestion.node for event in suggested(events) if event.suggestion}


def test_progress_is_told_to_the_end(events: list[Stamped], deriver: Deriver):
    told: list[tuple[int, int]] = []
    verify_decisions(events, deriver=deriver, progress=lambda done, total: told.append((done, total)))

    assert told == [(done, len(told)) for done in range(1, len(told) + 1)]


def test_only_what_was_before_a_moment_is_looked_at(lively: Path, deriver: Deriver, events: list[Stamped]):
    seq = next(seq for seq, _, event in events if isinstance(event, e.SpaceChanged))

    assert verify_decisions(lively, until=seq, deriver=deriver).trials == state_at(lively, seq).state.next_index


def test_a_moment_outside_the_log_is_refused(lively: Path):
    with pytest.raises(ConfigurationError, match="there is no event 9999"):
        verify_decisions(lively, until=9999)


def test_another_machine_may_differ_by_a_millionth_of_the_range(events: list[Stamped], deriver: Deriver):
    found = verify_decisions(events, deriver=Elsewhere(deriver, 1e-6, cpu="another"))

    assert found.ok
    assert (found.equal, found.within) == (0, len(suggested(events)))
    assert 0 < found.worst <= 1e-6


def test_the_first_divergence_names_both_environments(events: list[Stamped], deriver: Deriver):
    first = verify_decisions(events, deriver=Elsewhere(deriver, 1e-4, cpu="another")).first

    assert first is not None
    assert first.trial == suggested(events)[0].trial
    assert first.kind == "derivation"
    assert "x1 is" in str(first)
    assert "made with cpu" in str(first)
    assert "derived with cpu another" in str(first)


def test_the_same_machine_may_not_differ_at_all(events: list[Stamped], deriver: Deriver):
    found = verify_decisions(events, deriver=Elsewhere(deriver, 1e-12))

    assert found.within == 0
    assert "both in the same environment" in str(found.first)


def test_a_log_of_an_earlier_titrant_is_not_called_equal(events: list[Stamped], deriver: Deriver):
    def earlier(event: Any) -> Any:
        if not isinstance(event, e.TrialCreated) or event.suggestion is None:
            return event
        return msgspec.structs.replace(
            event, suggestion=msgspec.structs.replace(event.suggestion, request="", parts={})
        )

    found = verify_decisions([(seq, at, earlier(event)) for seq, at, event in events], deriver=deriver)

    assert (found.equal, found.unrecorded) == (0, len(suggested(events)))
    assert "is not recorded" in str(found)


def test_events_that_do_not_follow_are_a_damaged_log():
    with pytest.raises(LogCorrupt, match="does not follow from what is before it"):
        verify_decisions(GOLDEN)
