"""Runners and metrics behind a line: entered before the first trial, left on every way out, asked about the space."""

from __future__ import annotations

import anyio
import pytest

from titrant import Client, ConfigurationError, RangeParameterConfig, SubmissionRefused
from titrant.errors import OutcomeUnknown, RunnerError
from titrant.messages import events as e

from .conftest import MakeClient
from .labs import Polled, Square, Takes


def log_of(client):
    return list(client._async.engine.log.read())


def statuses(client):
    return [trial.status.name for trial in client.state.trials()]


class Line:
    """Tells what was done to it, in order."""

    def __init__(self, *args, fails_to_open=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.told = []
        self.fails_to_open = fails_to_open

    async def __aenter__(self):
        if self.fails_to_open is not None:
            raise self.fails_to_open
        self._tasks = await anyio.create_task_group().__aenter__()  # has to be left in the task it was entered in
        self.told.append("entered")
        return self

    async def __aexit__(self, *exc_info):
        self.told.append("left")
        await self._tasks.__aexit__(None, None, None)


class Instrument(Line, Takes):
    async def run(self, attempt):
        self.told.append(f"run {attempt.trial}")
        return await super().run(attempt)


class Reading(Line, Square):
    pass


def test_a_runner_is_entered_before_the_first_trial_and_left_at_the_end(make_client: MakeClient):
    client, runner = make_client(), Instrument(1)
    client.configure_runner(runner)
    before = list(runner.told)
    client.run_trials(max_trials=2)
    client.run_trials(max_trials=1)
    client.close()

    assert before == []
    assert runner.told == ["entered", "run 0", "run 1", "run 2", "left"]


def test_a_metric_is_entered_and_left_as_well(make_client: MakeClient):
    client, metric = make_client(), Reading("y")
    client.configure_runner(Polled())
    client.configure_metrics([metric])
    client.run_trials(max_trials=1)
    client.close()

    assert metric.told == ["entered", "left"]


@pytest.mark.parametrize("error", [OSError("no route to host"), RunnerError("another instrument answers")])
def test_what_cannot_be_entered_is_told_before_any_trial_is_made(make_client: MakeClient, error):
    client = make_client()
    good, bad = Instrument(1, "good"), Instrument(1, "bad", fails_to_open=error)
    client.configure_runners([good, bad])
    with pytest.raises(RunnerError, match=str(error)):
        client.run_trials(max_trials=2)

    assert client.state.next_index == 0
    assert not [record for record in log_of(client) if isinstance(record.event, e.RunStarted)]
    assert good.told == ["entered", "left"]


def test_after_the_cause_is_mended_the_same_session_goes_on(make_client: MakeClient):
    client, runner = make_client(), Instrument(1, fails_to_open=OSError("switched off"))
    client.configure_runner(runner)
    with pytest.raises(RunnerError, match="runner 'pushed' cannot be connected: OSError: switched off"):
        client.run_trials(max_trials=1)
    runner.fails_to_open = None
    client.run_trials(max_trials=1)

    assert statuses(client) == ["COMPLETED"]


def test_entering_has_a_deadline(make_client: MakeClient):
    class Mute(Instrument):
        call_deadline_s = 5.0

        async def __aenter__(self):
            await anyio.sleep_forever()

    client = make_client()
    client.configure_runner(Mute(1))

    with pytest.raises(RunnerError, match=r"runner 'pushed' could not be connected within 5 s"):
        client.run_trials(max_trials=1)


def test_a_stop_and_a_halt_leave_it_too(make_client: MakeClient):
    for act in ("stop", "halt"):
        client, runner = make_client(), Instrument(1)
        client.configure_runner(runner)
        client.run_trials(max_trials=1)
        getattr(client, act)("enough")
        client.close()

        assert runner.told[-1] == "left"


def test_it_is_left_when_the_engine_breaks_down(make_client: MakeClient, monkeypatch):
    client, runner = make_client(), Instrument(1)
    client.configure_runner(runner)
    client.run_trials(max_trials=1)

    async def broken(*_args, **_kwargs):
        raise OSError("the disk is gone")

    monkeypatch.setattr(client._async.engine.log, "commit", broken)
    with pytest.raises(Exception, match="disk is gone"):
        client.run_trials(max_trials=1)

    client.close()
    assert runner.told[-1] == "left"


def test_another_runner_in_its_place_has_it_left(make_client: MakeClient):
    client, first, second = make_client(), Instrument(1, "first"), Instrument(1, "second")
    client.configure_runner(first)
    client.run_trials(max_trials=1)
    client.configure_runner(second)
    client.run_trials(max_trials=1)

    assert first.told == ["entered", "run 0", "left"]
    assert second.told == ["entered", "run 1"]


def test_the_same_runner_configured_again_stays_entered(make_client: MakeClient):
    client, runner = make_client(), Instrument(1)
    for _ in range(2):
        client.configure_runner(runner)
        client.run_trials(max_trials=1)

    assert runner.told == ["entered", "run 0", "run 1"]


def test_leaving_that_fails_or_hangs_keeps_nobody_from_closing(make_client: MakeClient):
    class Stubborn(Instrument):
        async def __aexit__(self, *exc_info):
            await super().__aexit__(*exc_info)
            if self.name == "hangs":
                await anyio.sleep_forever()
            raise OSError("the line is dead")

    client = make_client()
    runners = [Stubborn(1, "fails"), Stubborn(1, "hangs")]
    client.configure_runners(runners)
    client.run_trials(max_trials=2)
    client.close()

    assert [runner.told[-1] for runner in runners] == ["left", "left"]


# --- the search space -----------------------------------------------------------------------------------------------


class Limited(Takes):
    def check_space(self, space):
        if space.parameter("x").bounds[1] > 1.0:
            raise ConfigurationError("x goes to 1 only: narrow its bounds")


def test_a_runner_that_cannot_carry_out_such_trials_is_refused_at_once():
    with Client(virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 2))])
        with pytest.raises(ConfigurationError, match="x goes to 1 only"):
            client.configure_runner(Limited(1))

        assert client.state.runners == ()


def test_a_space_that_comes_after_the_runner_is_checked_before_the_run():
    with Client(virtual_time=True) as client:
        client.configure_runner(Limited(1))
        client.configure_experiment([RangeParameterConfig("x", (0, 2))])
        with pytest.raises(ConfigurationError, match="x goes to 1 only"):
            client.run_trials(max_trials=1)

        assert client.state.run is None
        assert client.state.next_index == 0


def test_a_change_of_the_space_is_checked_with_the_runners(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Limited(1))
    with pytest.raises(ConfigurationError, match="x goes to 1 only"):
        client.change_bounds("x", (0.0, 2.0))

    assert client.state.experiment.space.parameter("x").bounds == (0.0, 1.0)


def test_a_check_that_is_broken_is_told_as_such(make_client: MakeClient):
    class Broken(Takes):
        def check_space(self, space):
            raise KeyError("pressure")

    with pytest.raises(ConfigurationError, match=r"runner 'pushed' cannot check the search space: KeyError"):
        make_client().configure_runner(Broken(1))


# --- what is recorded before the start ------------------------------------------------------------------------------


class Recording(Takes):
    """Records the instrument's name for the run, and looks at what is in the log when that is said to be done."""

    can_report_status = True
    client = None
    seen = None
    rejoined = None

    async def run(self, attempt, record):
        await record({"remote_id": f"job {attempt.trial}"})
        type(self).seen = [
            record.event.metadata for record in log_of(self.client) if isinstance(record.event, e.TrialRunning)
        ]
        return await super().run(attempt)

    async def reattach(self, attempt):
        type(self).rejoined = attempt.metadata
        return 0.25


def test_metadata_are_in_the_log_when_record_returns(make_client: MakeClient):
    runner = Recording(1)
    runner.client = client = make_client()
    client.configure_runner(runner)
    client.run_trials(max_trials=1)

    assert runner.seen == [{}, {"remote_id": "job 0"}]
    assert client.state.trial(0).metadata == {"remote_id": "job 0"}


def test_reattach_is_given_what_was_recorded(make_client: MakeClient, tmp_path):
    path = tmp_path / "toy.titrant"
    runner = Recording(1e6)
    runner.client = client = make_client(path)
    client.configure_runner(runner)
    client.run_trials(max_trials=1, timeout_seconds=10)
    client.close()
    with Client.open(path, virtual_time=True) as again:
        again.configure_runner(Recording(1))
        again.resume()

        assert statuses(again) == ["COMPLETED"]
        assert Recording.rejoined == {"remote_id": "job 0"}


def test_metadata_that_the_log_cannot_hold_fail_the_trial_before_it_starts(make_client: MakeClient):
    class Wrong(Takes):
        async def run(self, attempt, record):
            await record({"handle": object()})
            return await super().run(attempt)

    client, runner = make_client(), Wrong(1)
    client.configure_runner(runner)
    client.run_trials(max_trials=1, tolerated_trial_failure_rate=1)

    assert statuses(client) == ["FAILED"]
    assert "metadata that JSON cannot hold" in client.state.trial(0).reason
    assert runner.most == 0


def test_a_pushed_run_that_was_refused_is_made_again(make_client: MakeClient):
    class Busy(Takes):
        asked = 0

        async def run(self, attempt):
            self.asked += 1
            if self.asked < 3:
                raise SubmissionRefused("the door is open")
            return await super().run(attempt)

    client = make_client()
    client.configure_runner(Busy(1))
    client.run_trials(max_trials=1)

    assert statuses(client) == ["COMPLETED"]
    assert [r.event.retry for r in log_of(client) if isinstance(r.event, e.SubmissionRetried)] == [1, 2]


def test_a_pushed_run_that_is_always_refused_fails(make_client: MakeClient):
    class Shut(Takes):
        async def run(self, attempt):
            raise SubmissionRefused("the door is open")

    client = make_client()
    client.configure_runner(Shut(1))
    client.run_trials(max_trials=1, tolerated_trial_failure_rate=1)

    assert statuses(client) == ["FAILED"]


def test_a_run_of_unknown_outcome_is_not_made_again(make_client: MakeClient):
    class Lost(Takes):
        asked = 0

        async def run(self, attempt):
            self.asked += 1
            raise OutcomeUnknown("did it hear me?")

    client, runner = make_client(), Lost(1)
    client.configure_runner(runner)
    client.run_trials(max_trials=1)

    assert runner.asked == 1
    assert statuses(client) == ["UNKNOWN"]
