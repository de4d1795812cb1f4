"""What changed between two moments is told in words and as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from titrant.messages import events as e
from titrant.replay.decisions import Stamped
from titrant.replay.diff import ELSEWHERE, FOLLOWS, TOLD, Change, changes
from titrant.replay.moment import Moment, moments, state_at
from titrant.rules.state import State


def seq_of(events: list[Stamped], kind: type) -> int:
    return next(seq for seq, _, event in events if isinstance(event, kind))


def around(lively: Path, events: list[Stamped], kind: type) -> dict[str, Change]:
    """The changes that the first event of a kind made."""
    seq = seq_of(events, kind)
    before, after = state_at(lively, seq - 1).state, state_at(lively, seq).state
    return {change.path: change for change in changes(before, after)}


def test_every_field_of_the_state_is_told_or_said_to_follow():
    """A new field of the state needs a decision here."""
    assert sorted((*TOLD, *ELSEWHERE, *FOLLOWS)) == sorted(State.__struct_fields__)


def test_nothing_changed_between_a_moment_and_itself(lively: Path):
    state = state_at(lively).state

    assert changes(state, state) == []


def test_a_changed_bound_is_told_with_both_values(lively: Path, events: list[Stamped]):
    found = around(lively, events, e.SpaceChanged)

    bounds = found["space/x1/bounds"]
    assert (bounds.old, bounds.new) == ([-5.0, 10.0], [-4.0, 10.0])
    assert str(bounds) == "parameter x1, bounds: -5, 10 → -4, 10"


def test_a_voided_result_changes_status_counts_and_perhaps_the_best(lively: Path, events: list[Stamped]):
    found = around(lively, events, e.ResultVoided)

    assert str(found["trials/0/status"]) == "trial 0: COMPLETED → VOIDED"
    assert (found["counts/VOIDED"].old, found["counts/VOIDED"].new) == (0, 1)


def test_a_corrected_result_is_told_with_its_error(lively: Path, events: list[Stamped]):
    found = around(lively, events, e.ResultCorrected)["trials/2/data/branin"]

    assert found.new == {"mean": 25.0, "sem": 0.2}
    assert str(found).endswith("→ 25 ± 0.2")


def test_a_new_trial_is_told_as_one_change(lively: Path, events: list[Stamped]):
    found = around(lively, events, e.TrialCreated)

    assert found["trials/0"].old is None
    assert found["trials/0"].new["parameters"] == {"x1": 0.0, "x2": 5.0}
    assert "trial 0 is new" in str(found["trials/0"])


def test_control_is_told(lively: Path, events: list[Stamped]):
    assert str(around(lively, events, e.ExperimentPaused)["paused"]) == "paused: none → paused"
    assert "run" in around(lively, events, e.RunStarted)


def test_the_whole_experiment_is_told_from_its_beginning(lively: Path):
    told = [str(change) for change in changes(State(), state_at(lively).state)]

    assert "objective: none → -branin" in told
    assert "parameter x2: none → 0 to 15" in told
    assert "trials: 0 → 13" in told
    assert any(line.startswith("best: none → branin = ") for line in told)


def test_backwards_says_the_opposite(lively: Path):
    early, late = state_at(lively, 30).state, state_at(lively).state
    forth, back = changes(early, late), changes(late, early)

    assert {(one.path, one.old == two.new) for one in forth for two in back if one.path == two.path} == {
        (one.path, True) for one in forth
    }


def test_the_changes_of_all_events_add_up_to_those_between_the_ends(lively: Path):
    told: dict[str, Any] = {}
    before: Moment = state_at(lively, 0)
    for moment in moments(lively):
        told |= {change.path: change.new for change in changes(before.state, moment.state)}
        before = moment

    for change in changes(State(), before.state):
        if change.path in told and not isinstance(change.new, dict):
            assert told[change.path] == change.new


def test_changes_are_plain_data(lively: Path):
    found = changes(State(), state_at(lively).state)

    assert msgspec.json.decode(msgspec.json.encode(found), type=list[Change]) == found


def test_only_the_trials_asked_for_are_looked_at(lively: Path):
    found = changes(State(), state_at(lively).state, (3,))

    assert {change.path.split("/")[1] for change in found if change.path.startswith("trials/")} == {"3"}
