"""Which failures say something of a trial's conditions, and what a generator is told of them."""

import pytest

from titrant.generators.requests import suggestion_request
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.experiment import GenerationStrategy

from .world import after, asked, fold, running, status, submitted, unknown


def told(state):
    """What a model is told of failures: the trials' indices."""
    return [point.trial for point in suggestion_request(state, node="bo", count=1, fixed={}).failed]


def reported(how):
    return c.ReportFinished(trial=0, attempt=1, status=how, reason="the pressure rose")


@pytest.mark.parametrize("how", ["failed", "abandoned"])
def test_a_runner_that_reports_a_failure_says_something_of_the_conditions(how):
    state = after(running(), reported(how))

    assert status(state) == how.upper()
    assert told(state) == [0]


def test_whoever_carried_a_trial_out_may_say_that_it_failed():
    assert told(after(asked(), c.MarkFailed(trial=0, reason="it boiled over"))) == [0]


def test_a_trial_that_somebody_gave_up_says_nothing():
    state = after(asked(), c.MarkAbandoned(trial=0, reason="no time"))

    assert status(state) == "ABANDONED"
    assert told(state) == []


@pytest.mark.parametrize("cause", ["stop", "ttl", "early"])
def test_a_trial_that_was_stopped_says_nothing(cause):
    stopping = fold(e.StopRequested(trial=0, cause=cause, reason="enough"), state=running())
    state = after(stopping, reported("failed"))

    assert status(state) == "FAILED"
    assert told(state) == []


def test_a_trial_that_never_began_says_nothing():
    state = after(submitted(), c.ReportNeverStarted(trial=0, attempt=1, reason="no answer"))

    assert status(state) == "FAILED"
    assert told(state) == []


@pytest.mark.parametrize("outcome", ["failed", "abandoned"])
def test_a_trial_out_of_sight_that_a_person_settles_says_nothing(outcome):
    state = after(unknown(), c.Resolve(trial=0, outcome=outcome, reason="the door was open"))

    assert told(state) == []


def test_nothing_is_told_where_that_is_switched_off():
    state = after(running(), reported("failed"))
    off = fold(e.StrategyConfigured(strategy=GenerationStrategy(learn_from_failures=False)), state=state)

    assert told(off) == []


def test_a_failure_as_old_logs_have_it_says_nothing():
    state = fold(e.TrialFailed(trial=0, reason="as it was written before"), state=running())

    assert told(state) == []


def test_a_design_is_told_nothing():
    state = after(running(), reported("failed"))

    assert suggestion_request(state, node="sobol", count=1, fixed={}).failed == ()
