"""Why a trial was made is told from the log alone, as data and in words."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from titrant import Client
from titrant.errors import TrialNotFound
from titrant.messages import events as e
from titrant.replay.decisions import Stamped
from titrant.replay.telling import sentences, text
from titrant.replay.why import Account, why
from titrant.simulation.problems import BRANIN

from .conftest import lab
from .recorder import Recorder


def created(events: list[Stamped], trial: int) -> e.TrialCreated:
    return next(event for _, _, event in events if isinstance(event, e.TrialCreated) and event.trial == trial)


def of_model(events: list[Stamped], *, measured: bool = True) -> int:
    """A trial that a model suggested to the closed loop, and that was completed."""
    over = {event.trial for _, _, event in events if isinstance(event, e.TrialCompleted)}
    made = [event for _, _, event in events if isinstance(event, e.TrialCreated) and not event.asked]
    return next(
        event.trial
        for event in made
        if event.suggestion is not None and event.suggestion.node == "bo" and (event.trial in over) == measured
    )


def test_the_data_a_model_saw_are_named_with_the_best_of_them(lively: Path, events: list[Stamped]):
    trial = of_model(events)
    account = why(lively, trial)
    suggestion = created(events, trial).suggestion

    assert suggestion is not None
    assert account.seen is not None
    assert account.seen.seq == suggestion.data_seq
    assert len(account.seen.trials) >= 2
    assert account.seen.best is not None
    assert account.seen.best["trial"] in account.seen.trials
    assert account.seen.pending == suggestion.pending


def test_predicted_and_measured_are_compared_in_sems(lively: Path, events: list[Stamped]):
    (outcome,) = why(lively, of_model(events)).outcomes

    assert outcome.metric == "branin"
    assert None not in (outcome.predicted, outcome.predicted_sem, outcome.measured, outcome.sems)
    spread = (outcome.predicted_sem**2 + (outcome.measured_sem or 0) ** 2) ** 0.5  # type: ignore[operator]
    assert outcome.sems == pytest.approx((outcome.measured - outcome.predicted) / spread)  # type: ignore[operator]


def test_a_suggestion_that_saw_a_result_withdrawn_since_says_so(lively: Path, events: list[Stamped]):
    account = why(lively, of_model(events))

    assert account.seen is not None
    assert 0 in account.seen.withdrawn_since
    assert "It had seen results that were withdrawn or corrected since" in text(account)


def test_before_the_withdrawal_it_says_nothing_of_it(lively: Path, events: list[Stamped]):
    voided = next(seq for seq, _, event in events if isinstance(event, e.ResultVoided))
    account = why(lively, of_model(events), until=voided - 1)

    assert account.seen is not None
    assert account.seen.withdrawn_since == ()


def test_who_approved_it_is_told(lively: Path):
    account = why(lively, 9)

    assert "User:kim (chemist) approved trial 9: looks safe" in text(account)
    assert any(stage.name == "waiting for approval" for stage in account.stages)


def test_what_was_held_fixed_and_the_place_in_the_batch_are_told(lively: Path):
    told = text(why(lively, 8))

    assert "Held fixed on request: x2=4." in told
    assert "number 2 of 2 asked for at once" in told


def test_the_versions_of_the_whole_request_are_told_of_each_suggestion(lively: Path):
    assert why(lively, 8).versions == why(lively, 7).versions != {}


def test_a_trial_of_a_persons_own_has_no_model_behind_it(lively: Path):
    account = why(lively, 0)

    assert (account.suggestion, account.seen, account.staleness) == (None, None, None)
    assert sentences(account)[0].startswith("Trial 0 was added by user:")


def test_stages_add_up_to_the_trials_life(lively: Path, events: list[Stamped]):
    trial = of_model(events)
    account = why(lively, trial)
    ended = next(at for _, at, event in events if isinstance(event, e.TrialCompleted) and event.trial == trial)

    assert sum(stage.seconds for stage in account.stages) == pytest.approx((ended - account.at) / 1e6)
    assert [attempt.number for attempt in account.attempts] == [1]


def test_results_that_came_in_before_it_was_submitted_are_told(tmp_path: Path):
    path = tmp_path / "held.titrant"
    with Client(path, random_seed=3, generator=Recorder(), virtual_time=True) as client:
        client.configure_experiment(list(BRANIN.parameters))
        client.configure_optimization(BRANIN.objective)
        client.configure_runner(lab(0.0))
        client.get_next_trials(2)
        client.complete_trial(1, raw_data=4.0)
        client.run_trials(0)

    account = why(path, 0)
    assert account.staleness is not None
    assert account.staleness.results_to_creation == ()
    assert account.staleness.results_to_submission == (1,)
    assert "results of trial 1 came in, which it had not seen" in text(account)
    assert "recorder:Recorder" in text(account)


def test_an_account_is_plain_data(lively: Path, events: list[Stamped]):
    account = why(lively, of_model(events))

    assert msgspec.json.decode(msgspec.json.encode(account), type=Account) == account


def test_every_trial_can_be_accounted_for(lively: Path, events: list[Stamped]):
    trials = sum(isinstance(event, e.TrialCreated) for _, _, event in events)

    for trial in range(trials):
        told = sentences(why(lively, trial))
        assert all(line.endswith(".") for line in told)


def test_a_trial_that_is_not_there_is_named(lively: Path):
    with pytest.raises(TrialNotFound, match="there is no trial 99: trials 0 to 12 exist"):
        why(lively, 99)
    with pytest.raises(TrialNotFound):
        why(lively, 12, until=10)
