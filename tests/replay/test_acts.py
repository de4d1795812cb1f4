"""What people did is told with who, in which role, why, and the values before and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from titrant.replay.acts import Act, acts


@pytest.fixture(scope="module")
def found(lively: Path) -> list[Act]:
    return list(acts(lively))


def one(found: list[Act], beginning: str) -> Act:
    return next(act for act in found if act.what.startswith(beginning))


def test_a_withdrawal_says_who_in_which_role_why_and_what_changed(found: list[Act]):
    act = one(found, "withdrew")

    assert (act.actor, act.role, act.reason) == ("user:kim", "chemist", "the flask leaked")
    assert act.what == "withdrew the result of trial 0"
    assert act.old["trials/0/status"] == "COMPLETED"
    assert act.new["trials/0/status"] == "VOIDED"


def test_a_correction_has_the_old_and_the_new_value(found: list[Act]):
    act = one(found, "corrected")

    assert act.new["trials/2/data/branin"] == {"mean": 25.0, "sem": 0.2}
    assert act.old["trials/2/data/branin"]["mean"] != 25.0


def test_a_changed_bound_has_the_old_and_the_new_one(found: list[Act]):
    act = one(found, "changed the search space")

    assert (act.old["space/x1/bounds"], act.new["space/x1/bounds"]) == ([-5.0, 10.0], [-4.0, 10.0])
    assert act.reason == "the stirrer stalls below"


def test_a_refused_attempt_is_an_act_as_well(found: list[Act]):
    act = next(act for act in found if act.refused)

    assert act.actor == "user:kim"
    assert "was refused VoidResult: trial 0 is VOIDED already" in act.what
    assert act.old == {}
    assert act.new["arguments"]["trial"] == 0


def test_an_approval_says_by_whom(found: list[Act]):
    act = one(found, "approved trial 9")

    assert (act.actor, act.role, act.reason) == ("user:kim", "chemist", "looks safe")
    assert (act.old["trials/9/status"], act.new["trials/9/status"]) == ("PROPOSED", "RUNNING")


def test_notes_and_signatures_say_what_was_said(found: list[Act]):
    assert one(found, "noted on trial 2").new == {"text": "looks odd"}
    assert one(found, "signed everything up to event").new["meaning"] == "reviewed"


def test_what_the_engine_does_by_itself_is_no_act(found: list[Act]):
    assert all(act.actor.startswith(("user:", "agent:")) for act in found)
    assert not any("submit" in act.what for act in found)


def test_every_act_reads_as_a_sentence(found: list[Act]):
    assert str(one(found, "withdrew")).startswith(
        "user:kim (chemist) withdrew the result of trial 0: the flask leaked; trial 0: COMPLETED → VOIDED"
    )
    assert all(act.what and "{" not in act.what for act in found)


def test_only_acts_until_a_moment_are_told(lively: Path, found: list[Act]):
    last = one(found, "withdrew").seq

    assert list(acts(lively, last)) == [act for act in found if act.seq <= last]
