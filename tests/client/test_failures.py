"""What goes wrong in a lab, and that the experiment goes on."""

from __future__ import annotations

import math

import pytest

from titrant import CommandRefused, FailureRateExceeded, OutcomeUnknown, TrialStatus
from titrant.messages import events as e

from .conftest import MakeClient
from .labs import Endless, Flaky, Polled, Square, Takes


def statuses(client):
    return [trial.status.name for trial in client.state.trials()]


def events(client, kind):
    return [record.event for record in client._async.engine.log.read() if isinstance(record.event, kind)]


@pytest.fixture
def polled(make_client: MakeClient):
    def make(runner):
        client = make_client()
        client.configure_runner(runner)
        client.configure_metrics([Square("y")])
        return client

    return make


def test_a_flaky_submission_is_made_again_with_the_same_key(polled):
    class Sometimes(Polled):
        flaky = Flaky(2, OSError("the cable is loose"))

        def run_trial(self, trial_index, parameterization, attempt):
            self.keys = [*getattr(self, "keys", []), attempt.key]
            self.flaky()
            return super().run_trial(trial_index, parameterization)

    runner = Sometimes()
    client = polled(runner)

    client.run_trials(max_trials=2)

    assert statuses(client) == ["COMPLETED"] * 2
    assert len(runner.keys) == 4
    assert len(set(runner.keys[:3])) == 1
    assert [event.retry for event in events(client, e.SubmissionRetried)] == [1, 2]


def test_a_submission_that_broke_off_is_never_made_again_by_itself(polled):
    class Cut(Polled):
        def run_trial(self, trial_index, parameterization):
            super().run_trial(trial_index, parameterization)
            raise ConnectionResetError("the line went dead")

    runner = Cut()
    client = polled(runner)

    report = client.run_trials(max_trials=2)

    assert runner.started == [0]
    assert statuses(client) == ["UNKNOWN"]
    assert report.outcome == "stuck"
    assert "resolve(0, ...)" in report.reason


def test_a_person_resolves_an_unknown_trial_and_the_loop_goes_on(polled):
    class Cut(Polled):
        def run_trial(self, trial_index, parameterization):
            metadata = super().run_trial(trial_index, parameterization)
            if self.started == [0]:
                raise OutcomeUnknown("did it hear me?")
            return metadata

    client = polled(Cut())
    client.run_trials(max_trials=1)
    client.resolve(0, "rerun", reason="the vial is still full")

    report = client.run_trials(max_trials=1)

    assert report.outcome == "finished"
    assert statuses(client) == ["COMPLETED"] * 2


def test_a_submission_that_always_fails_fails_its_trial_alone(polled):
    class Fussy(Polled):
        def run_trial(self, trial_index, parameterization):
            if trial_index == 1:
                raise OSError("no such vial")
            return super().run_trial(trial_index, parameterization)

    client = polled(Fussy())

    report = client.run_trials(max_trials=3)

    assert statuses(client) == ["COMPLETED", "FAILED", "COMPLETED"]
    assert report.failures == ((1, "it could not be submitted: OSError: no such vial"),)


def test_a_mistake_in_the_code_is_not_tried_again(polled):
    class Wrong(Polled):
        calls = 0

        def run_trial(self, trial_index, parameterization):
            Wrong.calls += 1
            return parameterization.x

    client = polled(Wrong())

    client.run_trials(max_trials=1, tolerated_trial_failure_rate=1)

    assert Wrong.calls == 1
    assert "AttributeError" in client.state.trial(0).reason


def test_a_flaky_poll_is_repeated(polled):
    class Sometimes(Polled):
        flaky = Flaky(3, TimeoutError("no answer"))

        def poll_trial(self, trial_index, trial_metadata):
            self.flaky()
            return super().poll_trial(trial_index, trial_metadata)

    client = polled(Sometimes())

    client.run_trials(max_trials=2)

    assert statuses(client) == ["COMPLETED"] * 2


def test_a_trial_that_cannot_be_polled_any_more_becomes_unknown(polled):
    class Deaf(Polled):
        def poll_trial(self, trial_index, trial_metadata):
            raise OSError("unplugged")

    client = polled(Deaf())

    report = client.run_trials(max_trials=1)

    assert statuses(client) == ["UNKNOWN"]
    assert "it cannot be polled: OSError: unplugged" in report.reason


def test_a_poll_that_returns_nothing_names_the_place(polled):
    class Silent(Polled):
        def poll_trial(self, trial_index, trial_metadata):
            return None

    report = polled(Silent()).run_trials(max_trials=1)

    assert "poll_trial of runner 'polled' returned None for trial 0" in report.reason


def test_a_runner_that_returns_no_metadata_is_taken_at_its_word(make_client: MakeClient):
    class Terse(Polled):
        def run_trial(self, trial_index, parameterization):
            self.started.append(trial_index)

    class Constant(Square):
        def fetch(self, trial_index, trial_metadata):
            return 1

    client = make_client()
    client.configure_runner(Terse())
    client.configure_metrics([Constant("y")])

    client.run_trials(max_trials=1)

    assert statuses(client) == ["COMPLETED"]
    assert client.state.trial(0).observations[0].mean == 1.0


def test_metadata_that_is_no_mapping_is_named_and_nothing_is_lost(polled):
    class Odd(Polled):
        def run_trial(self, trial_index, parameterization):
            return "job 7"

    report = polled(Odd()).run_trials(max_trials=1)

    assert "run_trial of runner 'polled' returned str for trial 0" in report.reason


def test_a_flaky_metric_is_fetched_again(make_client: MakeClient):
    class Sometimes(Square):
        flaky = Flaky(3, FileNotFoundError("not yet written"))

        def fetch(self, trial_index, trial_metadata):
            self.flaky()
            return super().fetch(trial_index, trial_metadata)

    client = make_client()
    client.configure_runner(Polled())
    client.configure_metrics([Sometimes("y")])

    client.run_trials(max_trials=2)

    assert [len(trial.observations) for trial in client.state.trials()] == [1, 1]


def test_a_metric_that_cannot_be_fetched_leaves_its_trial_completed_with_a_reason(make_client: MakeClient):
    class Later(Square):
        ready = False

        def fetch(self, trial_index, trial_metadata):
            if not self.ready:
                raise OSError("the HPLC is busy")
            return super().fetch(trial_index, trial_metadata)

    metric = Later("y")
    client = make_client()
    client.configure_runner(Polled())
    client.configure_metrics([metric])
    client.run_trials(max_trials=1)

    trial = client.state.trial(0)
    assert (trial.status, trial.missing) == (TrialStatus.COMPLETED, ("y",))
    assert trial.reason == "y: OSError: the HPLC is busy"

    metric.ready = True
    client.fetch_data(0)
    client.run_trials(max_trials=1)

    assert client.state.trial(0).missing == ()


def test_a_tracking_metric_that_fails_costs_nothing(make_client: MakeClient):
    class Broken(Square):
        def fetch(self, trial_index, trial_metadata):
            raise OSError("no camera")

    client = make_client()
    client.configure_tracking_metrics(["colour"])
    client.configure_runner(Polled())
    client.configure_metrics([Square("y"), Broken("colour")])

    client.run_trials(max_trials=1)

    assert client.state.trial(0).missing == ()


@pytest.mark.parametrize(("value", "status"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_a_value_that_is_no_number_is_recorded_and_counts_as_missing(make_client: MakeClient, value, status):
    client = make_client()
    client.configure_runner(lambda parameters: value)

    client.run_trials(max_trials=1)

    trial = client.state.trial(0)
    assert trial.observations[0].status == status
    assert (trial.missing, trial.reason) == (("y",), f"y is {status}")


def test_too_many_failures_drain_the_run_and_name_trials_and_reasons(make_client: MakeClient):
    def half(parameters):
        raise RuntimeError("spilled")

    client = make_client()
    client.configure_runner(half)

    with pytest.raises(FailureRateExceeded, match=r"trial 0: RuntimeError: spilled; trial 1") as caught:
        client.run_trials(max_trials=20, parallelism=3, tolerated_trial_failure_rate=0.5)
    assert caught.value.failed >= 5
    assert TrialStatus.RUNNING.name not in statuses(client)
    assert client.state.next_index < 20


def test_a_tolerated_share_of_failures_is_tolerated(make_client: MakeClient):
    def sometimes(parameters):
        if parameters["x"] < 0.25:
            raise RuntimeError("too little")
        return parameters["x"]

    client = make_client()
    client.configure_runner(sometimes)

    report = client.run_trials(max_trials=20, tolerated_trial_failure_rate=0.5)

    assert report.outcome == "finished"
    assert 0 < len(report.failures) < 10


def test_pause_holds_new_trials_back_until_unpause(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Takes(1))
    client.pause(reason="the fume hood is open", actor="user:ada")

    report = client.run_trials(max_trials=2, timeout_seconds=60)

    assert (report.outcome, client.state.next_index) == ("timeout", 0)
    assert client.waiting_for() == "paused: unpause to go on"

    client.unpause()
    assert client.run_trials(max_trials=2).outcome == "finished"


def test_stop_tells_every_running_trial_and_asks_for_the_safe_state(polled):
    class Safe(Endless):
        safe = False

        def safe_state(self):
            self.safe = True

    runner = Safe()
    client = polled(runner)
    client.run_trials(max_trials=2, parallelism=2, timeout_seconds=5)

    client.stop(reason="smoke", actor="user:ada")

    client.run_trials(max_trials=0)
    assert sorted(runner.stopped) == [0, 1]
    assert runner.safe
    assert statuses(client) == ["FAILED"] * 2


def test_halt_reaches_the_safe_state_first_and_latches_until_reset(polled):
    class Safe(Endless):
        safe = 0

        def safe_state(self):
            Safe.safe += 1

    client = polled(Safe())

    assert client.halt(reason="leak", actor="user:ada") == (("polled",), ())
    assert Safe.safe == 1
    with pytest.raises(CommandRefused, match="halted"):
        client.run_trials(max_trials=1)
    with pytest.raises(CommandRefused, match="needs a reason"):
        client.reset("")
    client.reset("aired for an hour", actor="user:ada")
    assert client.run_trials(max_trials=1, timeout_seconds=5).outcome == "timeout"


def test_acts_of_people_are_in_the_log_with_who_and_why(make_client: MakeClient):
    client = make_client()

    client.pause(reason="lunch", actor="user:ada")

    last = list(client._async.engine.log.read())[-1]
    assert (last.actor, last.reason) == ("user:ada", "lunch")


def test_what_no_log_can_hold_is_refused_and_the_experiment_goes_on(polled):
    class Talkative(Polled):
        def run_trial(self, trial_index, parameterization):
            metadata = super().run_trial(trial_index, parameterization)
            return metadata | ({"image": "x" * 2_000_000} if trial_index == 0 else {})

    client = polled(Talkative())

    client.run_trials(max_trials=3, parallelism=2)

    assert [trial.missing for trial in client.state.trials()] == [("y",), (), ()]
    (lost,) = events(client, e.TrialLost)
    assert "what the runner said cannot be kept" in lost.reason


def test_a_message_of_undecodable_bytes_is_kept_readable(make_client: MakeClient):
    def broken(parameters):
        raise OSError(b"caf\xe9".decode("utf-8", "surrogateescape"))

    client = make_client()
    client.configure_runner(broken)

    client.run_trials(max_trials=1, tolerated_trial_failure_rate=1)

    assert client.state.trial(0).reason == "OSError: caf\\udce9"
