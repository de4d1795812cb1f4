"""A log is played as a run is seen, at any speed, and can be ended at any moment."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from titrant import ConfigurationError
from titrant.messages import events as e
from titrant.replay.decisions import Stamped
from titrant.replay.player import Speed, play


class Terminal(io.StringIO):
    """A terminal that remembers what was drawn."""

    def isatty(self) -> bool:
        return True


def played(lively: Path, until: int | str | None = None, speed: Speed = "max", since: int = 0) -> str:
    file = io.StringIO()
    play(lively, until, speed, since=since, file=file)
    return file.getvalue()


def test_without_a_terminal_each_trial_is_a_line(lively: Path, events: list[Stamped]):
    told = played(lively).splitlines()
    over = [event.trial for _, _, event in events if isinstance(event, e.TrialCompleted | e.TrialFailed)]

    assert all(any(f"trial {index} " in line for line in told) for index in over)
    assert any("best so far" in line for line in told)
    assert told[-1] == f"log: {lively}"


def test_it_ends_in_the_middle_where_that_is_wanted(lively: Path):
    assert "branin: as of event 30" in played(lively, 30)


def test_it_goes_on_where_it_was_ended(lively: Path):
    whole, late = played(lively), played(lively, since=60)

    ended = [line.split("  ", 1)[1] for line in late.splitlines() if "  trial " in line]
    assert ended
    assert all(f"  {line}\n" in whole for line in ended)


def test_time_passes_as_it_did_divided_by_the_speed(lively: Path, events: list[Stamped]):
    waits: list[float] = []
    play(lively, speed=60, file=io.StringIO(), wait=waits.append)

    assert sum(waits) == pytest.approx((events[-1][1] - events[0][1]) / 1e6 / 60)


def test_at_top_speed_nothing_is_waited_for(lively: Path):
    waits: list[float] = []
    play(lively, speed="max", file=io.StringIO(), wait=waits.append)

    assert waits == []


def test_ctrl_c_ends_it_cleanly_and_says_where(lively: Path):
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt

    file = io.StringIO()
    found = play(lively, speed=1, file=file, wait=wait)

    assert found.interrupted
    assert f"as of event {found.seq}" in file.getvalue()


def test_in_a_terminal_it_is_the_live_view_and_nothing_but_the_summary_stays(
    lively: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TERM", "xterm-256color")
    file = Terminal()
    found = play(lively, speed="max", file=file)

    assert not found.interrupted
    assert "\x1b[?25l" in file.getvalue()  # the cursor was hidden
    assert file.getvalue().rfind("\x1b[?25h") > file.getvalue().rfind("\x1b[?25l")  # and shown again
    assert str(lively) in file.getvalue().rpartition("\x1b[?25h")[2].replace("\n", "")


@pytest.mark.parametrize("speed", [0, -1.0, float("inf"), float("nan"), "quick"])
def test_a_speed_that_is_none_is_refused(lively: Path, speed: Speed):
    with pytest.raises(ConfigurationError, match="give a number above 0"):
        played(lively, speed=speed)
