"""What a runner measured is kept, also where it cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from titrant import TrialStatus
from titrant.log.scanning import scan
from titrant.messages.events import NoteAdded
from titrant.model.trial import Trial

from .conftest import MakeClient

CarryOut = Callable[..., tuple[Trial, list[str]]]


@pytest.fixture
def carried_out(make_client: MakeClient, tmp_path: Path) -> CarryOut:
    """Carries a trial out with a runner that tells something; gives the trial and the notes made of it."""

    def carry_out(told: Any, objective: str = "-y") -> tuple[Trial, list[str]]:
        client = make_client(tmp_path / "lab.titrant", objective=objective)
        client.configure_runner(lambda _at: told)
        client.run_trials(1, tolerated_trial_failure_rate=1.0, progress=False)
        told_of = [event for _, _, event in scan(tmp_path / "lab.titrant")]
        return client.state.trial(0), [event.text for event in told_of if isinstance(event, NoteAdded)]

    return carry_out


def test_a_metric_that_nobody_asked_for_costs_no_trial_and_is_kept_in_a_note(carried_out: CarryOut):
    trial, notes = carried_out({"y": 70.0, "ph": 7.25})

    assert trial.status is TrialStatus.COMPLETED
    assert [(one.metric, one.mean) for one in trial.observations] == [("y", 70.0)]
    assert "{'ph': 7.25} (dict): there is no metric 'ph'" in notes[0]


@pytest.mark.parametrize("value", [None, "n/a"])
def test_a_value_that_is_no_number_costs_no_other(carried_out: CarryOut, value: object):
    trial, notes = carried_out({"y": 70.0, "z": value}, objective="-y, z")

    assert (trial.status, trial.reason) == (TrialStatus.COMPLETED, "no value for z")
    assert [one.metric for one in trial.observations] == ["y"]
    assert repr(value) in notes[0]


def test_a_spectrum_is_kept_whole(carried_out: CarryOut):
    spectrum = [float(number) for number in range(200)]
    _, notes = carried_out({"y": 70.0, "spectrum": spectrum})

    assert repr(spectrum) in notes[0]


def test_where_nothing_can_be_read_the_trial_failed_and_its_conditions_are_not_blamed(carried_out: CarryOut):
    trial, notes = carried_out({"yield": 70.0}, objective="yeild")

    assert trial.status is TrialStatus.FAILED
    assert "nothing of its data could be read: {'yield': 70.0}" in trial.reason
    assert not trial.informative
    assert "70.0" in notes[0]


def test_a_reason_tells_only_of_what_is_still_missing(make_client: MakeClient):
    client = make_client(objective="-y, z")
    client.configure_tracking_metrics(["ph"])
    client.complete_trial(client.attach_trial({"x": 0.5}), {"ph": 7.0})

    assert client.state.trial(0).reason == "no value for y; no value for z"
    client.attach_data(0, {"y": 1.0})
    assert client.state.trial(0).reason == "no value for z"
    client.correct_trial(0, {"z": 2.0}, reason="the assay came late")
    assert client.state.trial(0).reason is None


def test_a_persons_reason_stays_when_the_data_come(make_client: MakeClient):
    client = make_client()
    trial = client.attach_trial({"x": 0.5})
    client.attach_data(trial, {"y": 1.0}, progression=0.5)
    client.mark_trial_early_stopped(trial, reason="y is not going to change")
    client.attach_data(trial, {"y": 2.0})

    assert client.state.trial(trial).reason == "y is not going to change"
