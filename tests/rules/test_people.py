"""Notes, signatures, refusals, and where a log comes from."""

import pytest

from titrant.errors import CommandRefused, ConfigurationError, TrialNotFound
from titrant.messages import commands as c
from titrant.messages import events as e

from .world import LOG, Y1, after, asked, lab, running, then


def sign(actor="user:kim", **fields):
    return c.Sign(**{"meaning": "reviewed", "seq": 7, "hash": "ab" * 32, "actor": actor, **fields})


@pytest.mark.parametrize("trial", [None, 0])
def test_a_note_is_recorded_at_any_time(trial):
    state = after(asked(), c.CompleteTrial(trial=0, observations=(Y1,)))

    assert then(state, c.AddNote(text="turned blue", trial=trial)) == (e.NoteAdded(text="turned blue", trial=trial),)


def test_a_note_without_words_is_refused():
    with pytest.raises(ConfigurationError, match="a note needs words"):
        then(lab(), c.AddNote(text="  "))


def test_a_note_on_a_trial_that_does_not_exist_is_refused():
    with pytest.raises(TrialNotFound):
        then(lab(), c.AddNote(text="blue", trial=3))


def test_a_person_signs_a_head():
    assert then(lab(), sign()) == (e.HeadSigned(meaning="reviewed", seq=7, hash="ab" * 32),)


@pytest.mark.parametrize("actor", ["agent:planner", "engine", "generator", "user:"])
def test_only_a_person_signs(actor):
    with pytest.raises(CommandRefused, match=f"{actor} cannot sign"):
        then(lab(), sign(actor))


@pytest.mark.parametrize("fields", [{"meaning": "seen"}, {"seq": 0}, {"hash": ""}])
def test_a_signature_that_says_nothing_is_refused(fields):
    with pytest.raises(ConfigurationError):
        then(lab(), sign(**fields))


def test_a_refused_attempt_is_recorded():
    command = c.RecordRefusal(command="Reset", arguments={"a": 1}, why="not halted")

    assert then(lab(), command) == (e.CommandWasRefused(command="Reset", arguments={"a": 1}, why="not halted"),)


def test_a_log_names_the_one_it_varies():
    command = c.DeriveLog(log_id=LOG, seq=40, hash="cd" * 32, purpose="what if", changes={"parallelism": 4})

    (event,) = then(lab(), command)

    assert event == e.LogDerived(log_id=LOG, seq=40, hash="cd" * 32, purpose="what if", changes={"parallelism": 4})


def test_a_log_is_not_derived_in_the_middle_of_a_run_nor_without_a_purpose():
    command = c.DeriveLog(log_id=LOG, seq=40, hash="cd" * 32, purpose="what if")

    with pytest.raises(CommandRefused, match="under way"):
        then(running(), command)
    with pytest.raises(ConfigurationError, match="purpose"):
        then(lab(), c.DeriveLog(log_id=LOG, seq=40, hash="cd" * 32, purpose=""))
