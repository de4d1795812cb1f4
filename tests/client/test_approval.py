"""People who approve: from other threads while a run goes on, across restarts, whatever way a trial came in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

from titrant import Client, CommandRefused, TitrantError, TrialStatus
from titrant.errors import ApprovalRequired
from titrant.messages import events as e
from titrant.model.approval import ApprovalPolicy, ApprovalRule

from .conftest import MakeClient
from .labs import Takes
from .test_durable import fold

HALF = ApprovalRule(when="x >= 0.5")
ALL = ApprovalRule()


class Person:
    """Decides on each trial as it is proposed, from a thread of its own."""

    def __init__(self, client: Client, decide: Callable[[Client, int], Any]) -> None:
        self.decided: list[int] = []
        self._client, self._decide = client, decide
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Person:
        self._thread.start()
        while not self._client._async.engine.hub._boxes:
            pass
        return self

    def __exit__(self, *_: object) -> None:
        self._client.add_note("gone home")
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()

    def _watch(self) -> None:
        for record in self._client.subscribe():
            if isinstance(record.event, e.TrialProposed):
                self.decided.append(record.event.trial)
                self._decide(self._client, record.event.trial)
            elif isinstance(record.event, e.NoteAdded):
                return


def approve(client: Client, trial: int) -> None:
    client.approve_trial(trial, "looks fine", actor="user:kim")


def reject(client: Client, trial: int) -> None:
    client.reject_trial(trial, "too hot", actor="user:kim")


def statuses(client: Client) -> list[str]:
    return [trial.status.name for trial in client.state.trials()]


# --- the closed loop ------------------------------------------------------------------------------------------------


def test_a_person_approves_from_another_thread_while_the_run_blocks(make_client: MakeClient):
    client = make_client(virtual_time=False)
    client.configure_runner(lambda parameters: parameters["x"])
    client.configure_approval([HALF])

    with Person(client, approve) as person:
        report = client.run_trials(max_trials=8, parallelism=2)
        state = client.state

    assert (report.outcome, report.trials_created) == ("finished", 8)
    assert sorted(person.decided) == [t.index for t in state.trials() if t.parameters["x"] >= 0.5]
    assert all(trial.status is TrialStatus.COMPLETED for trial in state.trials())


def test_what_is_rejected_is_replaced_and_never_carried_out(make_client: MakeClient):
    client = make_client(virtual_time=False)
    carried_out: list[float] = []

    def measure(parameters: Any) -> float:
        carried_out.append(parameters["x"])
        return float(parameters["x"])

    client.configure_runner(measure)
    client.configure_approval([HALF])

    with Person(client, reject) as person:
        report = client.run_trials(max_trials=5)
        state = client.state

    assert (report.trials_created, report.failures, len(carried_out)) == (5, (), 5)
    assert max(carried_out) < 0.5
    assert len(person.decided) == state.count(TrialStatus.REJECTED) == len(state.trials()) - 5


def test_a_loop_that_awaits_approval_says_so_and_ends_when_its_time_is_up(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Takes(1))
    client.configure_approval([ALL])

    report = client.run_trials(max_trials=5, parallelism=2, timeout_seconds=60)

    assert (report.outcome, statuses(client)) == ("timeout", ["PROPOSED", "PROPOSED"])
    assert client.waiting_for() == "trial 0 awaits approval (every trial): approve or reject it, and 1 more do"


def test_a_drained_loop_leaves_what_awaits_approval_for_the_next_run(make_client: MakeClient):
    client = make_client(virtual_time=False)
    client.configure_runner(lambda parameters: parameters["x"])
    client.configure_approval([ALL])

    def decide(client: Client, trial: int) -> None:
        client.drain()

    with Person(client, decide):
        assert client.run_trials(max_trials=1).outcome == "drained"
        approve(client, 0)
        assert statuses(client) == ["APPROVED"]
        assert client.run_trials(max_trials=0).outcome == "finished"
        assert statuses(client) == ["COMPLETED"]


# --- across restarts ------------------------------------------------------------------------------------------------


def test_what_awaits_approval_outlives_the_process(tmp_path: Path, make_client: MakeClient):
    path = tmp_path / "log.titrant"
    client = make_client(path)
    client.configure_runner(Takes(1))
    client.configure_approval([ApprovalRule(first=2, approvers=("role:chemist",))])
    client.run_trials(max_trials=4, parallelism=2, timeout_seconds=10)
    client.close()

    with Client.open(path, virtual_time=True) as again:
        assert statuses(again) == ["PROPOSED", "PROPOSED"]
        again.configure_runner(Takes(1))
        with pytest.raises(CommandRefused, match=r"the first 2 trials.*role:chemist may approve it"):
            approve(again, 0)
        with again.acting_as("kim", role="chemist", reason="seen"):
            again.approve_trial(0)
            again.reject_trial(1, "too slow")
        assert again.resume().outcome == "timeout"
        # The rejected one is none of the first two: a person looks at the one in its place as well.
        assert statuses(again) == ["COMPLETED", "REJECTED", "PROPOSED", "COMPLETED"]
        with again.acting_as("kim", role="chemist"):
            again.approve_trial(2)
        assert again.resume().outcome == "finished"
        assert statuses(again) == ["COMPLETED", "REJECTED", "COMPLETED", "COMPLETED"]
        assert fold(path) == again.state


def test_a_process_that_is_lost_in_mid_run_loses_no_proposal(tmp_path: Path, make_client: MakeClient):
    path = tmp_path / "log.titrant"
    client = make_client(path, virtual_time=False)
    client.configure_runner(Takes(1))
    client.configure_approval([ALL])
    proposed, ended = threading.Event(), threading.Event()

    def run() -> None:
        with pytest.raises((TitrantError, CancelledError)):
            client.run_trials(max_trials=3)
        ended.set()

    with Person(client, lambda _client, _trial: proposed.set()):
        threading.Thread(target=run).start()
        assert proposed.wait(30)
    client.close()
    assert ended.wait(30)

    with Client.open(path) as again:
        assert (again.state.last_run.outcome, statuses(again)) == ("interrupted", ["PROPOSED"])
        again.configure_runner(lambda parameters: parameters["x"])
        with Person(again, approve):
            approve(again, 0)
            again.resume()
            assert statuses(again) == ["COMPLETED"] * 3


# --- trials that are asked for --------------------------------------------------------------------------------------


def test_trials_that_await_approval_are_not_handed_out(make_client: MakeClient):
    client = make_client()
    client.configure_approval([ApprovalRule(first=2)])

    assert list(client.get_next_trials(max_trials=3)) == [2]
    assert statuses(client) == ["PROPOSED", "PROPOSED", "RUNNING"]


def test_where_all_await_approval_the_caller_is_told_which(make_client: MakeClient):
    client = make_client()
    client.configure_approval([ALL])

    with pytest.raises(ApprovalRequired, match=r"trial 0 awaits approval \(every trial\); trial 1 awaits") as caught:
        client.get_next_trials(max_trials=2)

    assert caught.value.trials == {0: "every trial", 1: "every trial"}
    approve(client, 0)
    assert client.complete_trial(0, 1.0) is TrialStatus.COMPLETED
    with pytest.raises(CommandRefused, match="trial 1 is PROPOSED and cannot be completed"):
        client.complete_trial(1, 1.0)


def test_an_agent_cannot_let_its_own_trials_go_ahead(make_client: MakeClient):
    client = make_client()
    client.configure_approval(ApprovalPolicy((ApprovalRule(proposed_by="agent:*"),)))

    with client.acting_as("agent:planner"):
        attached = client.attach_trial({"x": 0.1})
        with pytest.raises(ApprovalRequired):
            client.get_next_trials()
        with pytest.raises(CommandRefused, match="by agent:planner: only a person"):
            client.approve_trial(attached)
    assert client.get_next_trials() != {}
    client.approve_trial(attached)
    assert client.state.trial(attached).status is TrialStatus.RUNNING


def test_a_replicate_awaits_approval_too(make_client: MakeClient):
    client = make_client()
    first = client.attach_trial({"x": 0.7})
    client.complete_trial(first, 0.5)
    client.configure_approval([HALF])

    (again,) = client.replicate_trial(first)

    assert client.state.trial(again).status is TrialStatus.PROPOSED


def test_an_approval_tells_who_and_why(tmp_path: Path, make_client: MakeClient):
    from titrant.log.replay import read_log  # noqa: PLC0415  # after the client has made it

    path = tmp_path / "log.titrant"
    client = make_client(path)
    client.configure_approval([ALL])
    client.attach_trial({"x": 0.1})
    with client.acting_as("kim", role="chemist"):
        client.approve_trial(0, "checked the flask")
    client.close()

    (record,) = [record for record in read_log(path) if isinstance(record.event, e.TrialApproved)]
    assert (record.actor, record.role, record.reason) == ("user:kim", "chemist", "checked the flask")


# --- holding back and carrying out again ----------------------------------------------------------------------------


def test_a_trial_is_held_back_and_released(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Takes(5))
    client.configure_approval([ALL])
    client.run_trials(max_trials=1, timeout_seconds=1)
    approve(client, 0)

    client.hold_trial(0, "the valve leaks", actor="user:lee")

    assert client.waiting_for().startswith("trial 0 awaits approval (held by user:lee: the valve leaks)")
    approve(client, 0)
    client.run_trials(max_trials=0)
    assert statuses(client) == ["COMPLETED"]


def test_a_failed_trial_is_retried_under_a_new_key(make_client: MakeClient):
    client = make_client()
    outcomes = iter([RuntimeError("clogged"), None])

    def measure(parameters: Any) -> float:
        error = next(outcomes)
        if error is not None:
            raise error
        return float(parameters["x"])

    client.configure_runner(measure)
    client.run_trials(max_trials=1, tolerated_trial_failure_rate=1.0)
    before = client.state.trial(0)
    client.retry_trial(0, "cleaned")
    client.run_trials(max_trials=0)

    after = client.state.trial(0)
    assert (before.status.name, after.status.name, after.attempt) == ("FAILED", "COMPLETED", before.attempt + 1)
    assert before.key != after.key
