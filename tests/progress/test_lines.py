"""Plain lines: one per trial and per notable event, and never a flood."""

import io

from titrant.model.experiment import RunOptions
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.trial import Trial, TrialStatus
from titrant.progress.lines import KEPT, Backlog, Begun, Finished, closing_lines, lines
from titrant.progress.notices import Notice
from titrant.progress.picture import Leader
from titrant.progress.screen import LinesWriter
from titrant.rules.state import RunState, State

STATE = State(optimization=optimization_config("y"))


def finished(index, *, leads=False):
    trial = Trial(
        index,
        {"x": 0.5},
        TrialStatus.COMPLETED,
        runner="arm",
        observations=(Observation("y", 0.25),),
        started_at=1_000_000,
        ended_at=6_000_000,
    )
    return Finished(6_000_000, trial, STATE, leads)


def test_a_finished_trial_is_a_line():
    told = lines([finished(3, leads=True)], 0, began=0, virtual=True)

    assert told == ["+00:00:06  trial 3 completed in 5.0 s: y = 0.25 (best so far)"]


def test_a_run_that_begins_is_a_line():
    run = RunState(RunOptions(max_trials=30, parallelism=3), 0, taken=2)

    assert lines([Begun(0, run, STATE)], 0, began=0, virtual=True) == [
        "+00:00:00  run of 30 trials, and 2 trials taken over, 3 at a time"
    ]


def test_what_does_not_fit_is_counted():
    backlog = Backlog()
    for index in range(100):
        backlog.add(finished(index))

    entries, skipped = backlog.take(5)

    assert [entry.trial.index for entry in entries] == [96, 97, 98, 99]
    assert lines([], skipped, began=0, virtual=True) == ["(… 96 more)"]


def test_notable_events_are_kept_before_ordinary_ones():
    backlog = Backlog()
    backlog.add(Notice(0, "error", "trial 0 is UNKNOWN"))
    for index in range(100):
        backlog.add(finished(index))

    entries, _ = backlog.take(3)

    assert [getattr(entry, "text", "trial") for entry in entries] == ["trial 0 is UNKNOWN", "trial"]


def test_a_stuck_pipe_holds_no_more_than_some_lines():
    backlog = Backlog()
    for index in range(KEPT + 50):
        backlog.add(finished(index))

    entries, skipped = backlog.take(None)

    assert (len(entries), skipped) == (KEPT, 50)


def test_nothing_is_left_after_it_was_taken():
    backlog = Backlog()
    backlog.add(finished(1))
    backlog.take(5)

    assert backlog.take(5) == ([], 0)


def test_the_last_lines_tell_outcome_best_and_log(picture):
    leader = Leader(trial=3, result="y = 0.9", conditions="x=0.3")
    shown = picture(outcome="timeout", reason="time is up", leader=leader, counts=(("completed", 4),))

    assert closing_lines(shown, "/lab.titrant") == [
        "titration: timeout, 4 trials in 1 min 05 s (4 completed)",
        "time is up",
        "best: y = 0.9 in trial 3: x=0.3",
        "log: /lab.titrant",
    ]


def test_a_file_that_knows_no_unicode_still_gets_its_lines(picture):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    backlog = Backlog()
    for index in range(100):
        backlog.add(finished(index))
    LinesWriter(file, backlog, picture, path=None).turn()

    assert b"(? 96 more)" in raw.getvalue()
