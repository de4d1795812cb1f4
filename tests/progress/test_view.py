"""What the view shows, drawn without a terminal."""

import pytest

from titrant.progress.notices import Notice
from titrant.progress.picture import Lane, Leader
from titrant.progress.view import live_view, sparkline, summary


def lane(slot=1, **fields):
    known = {"runner": "arm", "doing": "running", "trial": 7, "conditions": "x=0.25", "elapsed_s": 3.2}
    return Lane(**{**known, "slot": slot, **fields})


def test_the_head_tells_how_far_the_run_is(picture, drawn):
    shown = drawn(live_view(picture(left_s=93.0)))

    assert "titration" in shown
    assert "4/10 trials  1 min 05 s  about 1 min 33 s left" in shown


def test_virtual_time_is_called_so(picture, drawn):
    assert "1 min 05 s of virtual time" in drawn(live_view(picture(virtual=True)))


def test_a_lane_tells_trial_time_and_conditions(picture, drawn):
    shown = drawn(live_view(picture(lanes=(lane(expected_s=5.0), lane(2, trial=8)))))

    assert "arm 1  7  ━━━" in shown
    assert "3.2 s / 5.0 s  x=0.25" in shown
    assert "arm 2  8  running" in shown


def test_a_free_slot_is_idle_and_a_later_attempt_says_so(picture, drawn):
    idle = Lane(runner="arm", slot=1, doing="idle")
    shown = drawn(live_view(picture(lanes=(idle, lane(2, attempt=2)))))

    assert "–  idle" in shown
    assert "7 (attempt 2)" in shown


def test_lanes_that_find_no_room_are_counted(picture, drawn):
    lanes = (*(lane(number, trial=number) for number in range(1, 30)), Lane(runner="arm", slot=30, doing="idle"))
    shown = drawn(live_view(picture(lanes=lanes), height=24))

    assert "arm 9 " in shown
    assert "arm 10" not in shown
    assert "… 21 more slots, 20 in use" in shown


@pytest.mark.parametrize("height", [10, 24, 50])
def test_the_view_is_never_higher_than_the_terminal(picture, drawn, height):
    notices = tuple(Notice(0, "warning", f"notice {number}") for number in range(8))
    lanes = tuple(lane(number, trial=number, expected_s=5.0) for number in range(1, 90))
    full = picture(
        lanes=lanes,
        notices=notices,
        leader=Leader(trial=1, result="y = 1", conditions="x=1"),
        trace=((1.0, True),),
        waiting="a suggestion",
        counts=(("completed", 1),),
    )

    assert len(drawn(live_view(full, height=height)).splitlines()) <= max(height, 17)


def test_the_best_is_shown_with_its_conditions(picture, drawn):
    shown = drawn(live_view(picture(leader=Leader(trial=3, result="y = 0.9", conditions="x=0.3"))))

    assert "best   y = 0.9  in trial 3" in shown
    assert "at     x=0.3" in shown


def test_where_no_trial_keeps_the_constraints_that_is_said(picture, drawn):
    assert "no trial keeps the outcome constraints yet" in drawn(live_view(picture(trace=((1.0, False),))))


def test_what_is_waited_for_stands_beside_what_is_fetched(picture, drawn):
    shown = drawn(live_view(picture(waiting="all 3 runner slots are in use", fetching=(4, 5))))

    assert "waits  all 3 runner slots are in use; fetching data of 4, 5" in shown


def test_notices_stand_at_the_end_with_their_time(picture, drawn):
    notice = Notice(61_000_000, "warning", "trial 3 failed: it leaked")

    assert "+00:01:01  trial 3 failed: it leaked" in drawn(live_view(picture(virtual=True, began=0, notices=(notice,))))


def test_a_narrow_terminal_has_no_bars_and_keeps_the_rest(picture, drawn):
    shown = drawn(live_view(picture(lanes=(lane(expected_s=5.0),)), width=50), width=50)

    assert "arm  7  3.2 s / 5.0 s  x=0.25" in shown
    assert max(map(len, shown.splitlines())) <= 50


def test_an_ascii_terminal_gets_ascii(picture, drawn):
    shown = drawn(
        live_view(picture(lanes=(Lane(runner="arm", slot=1, doing="idle"),), trace=((1.0, True),)), ascii_only=True)
    )

    assert "arm  -  idle" in shown
    assert "trace  @" in shown


def test_a_sparkline_is_high_where_the_objective_is_good():
    assert sparkline([(number, True) for number in range(8)]).plain == "▁▂▃▄▅▆▇█"


def test_a_sparkline_shows_the_best_of_many():
    line = sparkline([(float(number % 10 == 0), True) for number in range(200)], width=20)

    assert line.plain == "█" * 20


def test_one_disaster_does_not_flatten_the_rest():
    line = sparkline([(-1e9, True), *((number / 20, True) for number in range(20))])

    assert line.plain[:3] == "▁▁▁"
    assert len(set(line.plain)) == 8


def test_no_points_make_an_empty_line():
    assert sparkline([(float("nan"), True)]).plain == ""


def test_the_summary_says_how_it_ended_and_where_the_log_is(picture, drawn):
    failures = tuple((number, "it leaked") for number in range(5))
    shown = drawn(summary(picture(outcome="drained", reason="drain was asked for", failures=failures), "/lab.titrant"))

    assert shown.splitlines()[:2] == ["titration  drained  4 trials in 1 min 05 s", "  drain was asked for"]
    assert "trial 2 failed: it leaked" in shown
    assert "… and 2 more failed: see summarize()" in shown
    assert "log    /lab.titrant" in shown


def test_the_summary_of_a_run_that_was_cut_off_says_so(picture, drawn):
    assert "titration  interrupted" in drawn(summary(picture()))


def test_the_summary_tells_what_to_do_about_unknown_trials(picture, drawn):
    shown = drawn(
        summary(picture(outcome="finished", unknown=(3,), waiting="say what became of it with resolve(3, ...)"))
    )

    assert "resolve(3, ...)" in shown
