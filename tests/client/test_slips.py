"""A slip in a call is named, and costs nobody else anything: the engine and whatever runs go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from titrant import Client, ConfigurationError, TrialStatus
from titrant.actors import supervisor
from titrant.errors import CommandRefused, TrialNotFound
from titrant.messages import commands as c

from .conftest import MakeClient

SLIPS: dict[str, tuple[Callable[[Client], Any], str]] = {
    "a number of trials as text": (lambda client: client.get_next_trials("3"), "'3': ask for a whole number"),
    "no number of trials": (lambda client: client.get_next_trials(None), "None: ask for a whole number"),
    "half a trial": (lambda client: client.get_next_trials(2.5), r"2\.5: ask for a whole number"),
    "less than no trial": (lambda client: client.get_next_trials(-1), "-1: ask for a whole number"),
    "fixed values without names": (
        lambda client: client.get_next_trials(1, ["x"]),
        r"fixed_parameters is \['x'\] \(list\): give a mapping",
    ),
    "conditions without names": (
        lambda client: client.attach_trial([1]),
        r"parameters is \[1\] .*: give a mapping of parameter names",
    ),
    "executed without names": (
        lambda client: client.complete_trial(0, 1.0, executed=[1]),
        r"executed is \[1\] \(list\): give",
    ),
    "a context without names": (
        lambda client: client.get_next_trials(1, context=22.5),
        r"context is 22\.5 .*: give a map",
    ),
    "one metric as text": (lambda client: client.fetch_data(0, "ph"), "metric_names is the text 'ph': give a list"),
    "half a replicate": (lambda client: client.replicate_trial(0, 1.5), r"count=1\.5: expected a whole number"),
    "a result that is none": (lambda client: client.mark_trial_failed(0, 3), "reason=3: expected a text, got a whole"),
    "a list of trials": (lambda client: client.complete_trial([0], 1.0), r"trial=\[0\]: expected a whole number"),
    "a run of some text": (lambda client: client.run_trials("3"), "options.max_trials='3': expected a whole number"),
    "slots as text": (lambda client: client.run_trials(1, parallelism="4"), "parallelism='4': expected a whole number"),
    "seconds as text": (
        lambda client: client.run_trials(1, timeout_seconds="5"),
        "timeout_seconds='5': expected a numb",
    ),
    "a deadline as text": (
        lambda client: client.configure_generation_strategy(suggestion_deadline_seconds="60"),
        "deadline_seconds='60': expected a number, got a text",
    ),
    "a misspelt method": (
        lambda client: client.configure_generation_strategy(method="fsat"),
        "strategy.method='fsat': 'fsat' is none of .*fast.*quality",
    ),
    "levels as text": (
        lambda client: client.configure_generation_strategy(initialization="grid", grid_levels={"x": "5"}),
        "strategy.grid_levels=.*expected a whole number",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_and_the_client_still_works(make_client: MakeClient, slip: str):
    client = make_client()
    client.configure_runner(lambda at: {"y": at["x"]})
    client.attach_trial({"x": 0.25})
    wrong, said = SLIPS[slip]

    with pytest.raises(ConfigurationError, match=said):
        wrong(client)

    assert len(client.state.trials()) == 1
    assert client.complete_trial(0, 1.0) is TrialStatus.COMPLETED
    assert list(client.get_next_trials()) == [1]


@pytest.mark.parametrize("name", ["initialization_budget", "min_observed_initialization_trials"])
def test_less_than_no_trial_is_no_beginning(make_client: MakeClient, name: str):
    with pytest.raises(CommandRefused, match=f"{name}=-3: give a number of trials, 0 or more"):
        make_client().configure_generation_strategy(**{name: -3})


def test_a_reason_that_is_none_does_not_void(make_client: MakeClient):
    client = make_client()
    client.complete_trial(client.attach_trial({"x": 0.25}), 1.0)

    with pytest.raises(ConfigurationError, match="reason=None: expected a text"):
        client.void_trial(0, None)
    assert client.state.trial(0).status is TrialStatus.COMPLETED


def test_a_trials_number_as_text_is_shown_as_what_it_is(make_client: MakeClient):
    client = make_client()
    client.attach_trial({"x": 0.25})

    with pytest.raises(TrialNotFound, match="there is no trial '0': trials 0 to 0 exist; give its number, not a str"):
        client.complete_trial("0", 1.0)


def test_a_slip_while_trials_run_does_not_end_the_run(make_client: MakeClient):
    begun, go_on = threading.Event(), threading.Event()

    def measured(at: dict[str, Any]) -> dict[str, float]:
        begun.set()
        go_on.wait()
        return {"y": at["x"]}

    client = make_client()
    client.configure_runner(measured)
    reports: list[Any] = []
    run = threading.Thread(target=lambda: reports.append(client.run_trials(4, parallelism=2, progress=False)))
    run.start()
    begun.wait()

    with pytest.raises(ConfigurationError, match=r"count=1\.5"):
        client.replicate_trial(0, 1.5)
    go_on.set()
    run.join()

    assert [trial.status for trial in client.state.trials()] == [TrialStatus.COMPLETED] * 4
    assert reports[0].outcome == "finished"


def test_an_error_of_the_rules_is_told_to_who_asked_and_to_nobody_else(make_client: MakeClient, monkeypatch):
    decided = supervisor.step

    def broken(state: Any, command: Any, at: int) -> Any:
        if isinstance(command, c.AddNote):
            raise ZeroDivisionError("by no sample")
        return decided(state, command, at)

    monkeypatch.setattr(supervisor, "step", broken)
    client = make_client()
    client.attach_trial({"x": 0.25})

    with pytest.raises(CommandRefused, match="nothing has changed: AddNote: ZeroDivisionError: by no sample"):
        client.add_note("seen", trial_index=0)
    assert client.complete_trial(0, 1.0) is TrialStatus.COMPLETED
