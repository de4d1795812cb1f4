"""Which events are told, and how."""

import pytest

from titrant.log.base import Record
from titrant.messages import events as e
from titrant.model.space import RangeParameterConfig, search_space
from titrant.progress.notices import notice


def record(event, reason=None):
    return Record(
        seq=1,
        event=event,
        schema=1,
        recorded_at=5,
        observed_at=None,
        actor="engine",
        role=None,
        reason=reason,
        trial=None,
        cause=None,
        correlation=None,
        key=None,
        epoch=1,
        hash=b"",
    )


TOLD = [
    (e.TrialFailed(trial=3, reason="it leaked"), "warning", "trial 3 failed: it leaked"),
    (e.TrialAbandoned(trial=3, reason="no"), "warning", "trial 3 was abandoned: no"),
    (e.TrialEarlyStopped(trial=3, reason="enough"), "info", "trial 3 was stopped early: enough"),
    (e.TrialReattached(trial=3, attempt=1), "info", "trial 3 was found again"),
    (e.TrialRequeued(trial=3, reason="safe"), "info", "trial 3 is carried out again: safe"),
    (e.TrialResolved(trial=3, outcome="failed", reason="seen"), "info", "trial 3 was resolved as failed: seen"),
    (
        e.TrialProposed(trial=3, rule="t > 80"),
        "warning",
        "trial 3 awaits approval (t > 80): any person may approve or reject it",
    ),
    (
        e.TrialProposed(trial=3, rule="t > 80", approvers=("role:chemist", "user:kim")),
        "warning",
        "trial 3 awaits approval (t > 80): role:chemist or user:kim may approve or reject it",
    ),
    (e.TrialApproved(trial=3), "info", "trial 3 was approved"),
    (e.TrialRejected(trial=3, reason="too hot"), "info", "trial 3 was rejected: too hot"),
    (e.TrialStale(trial=3, reason="narrower"), "info", "trial 3 is not carried out: narrower"),
    (
        e.SpaceChanged(space=search_space([RangeParameterConfig("t", (0, 1)), RangeParameterConfig("c", (0, 1))])),
        "info",
        "the search space changed: t, c from now on",
    ),
    (
        e.TrialLost(trial=3, reason="silence"),
        "error",
        "trial 3 is UNKNOWN: silence; look at the instrument, then call resolve(3, ...)",
    ),
    (
        e.SubmissionRetried(trial=3, attempt=1, retry=2, reason="busy", delay_seconds=0.4),
        "warning",
        "trial 3: submitting failed (busy); again in 0.4 s, retry 2",
    ),
    (e.FetchFailed(trial=3, metric="y", reason="gone"), "warning", "trial 3: no y: gone"),
    (
        e.TrialCompleted(trial=3, missing=("y",), reason="y is nan"),
        "warning",
        "trial 3 completed without y: y is nan",
    ),
    (
        e.ActorRestarted(name="generator", reason="it died", restarts=1),
        "warning",
        "generator was started anew (1 restart): it died",
    ),
    (
        e.RunnerQuarantined(name="arm", reason="trial 3 may run"),
        "error",
        "runner 'arm' gets no more trials: trial 3 may run; see to it, then call restore_runner('arm')",
    ),
    (e.RunnerRestored(name="arm"), "info", "runner 'arm' is used again"),
    (
        e.GenerationFailed(node="bo", reason="no fit", fallback="sobol"),
        "warning",
        "node 'bo' made no suggestion: no fit; sobol stood in",
    ),
    (e.GenerationExhausted(reason="all taken"), "warning", "no new trials: all taken"),
    (
        e.FailureRateTripped(failed=5, total=8, tolerated=0.5),
        "error",
        "5 of 8 trials failed, more than the tolerated 0.5: nothing new is started",
    ),
    (
        e.ExperimentHalted(reached=("arm",), failed=("pump",)),
        "error",
        "halted: in a safe state: arm; NOT in a safe state: pump; make the lab safe, then call reset(reason=...)",
    ),
    (e.RunEnded(outcome="timeout", reason="time is up"), "warning", "the run ended (timeout): time is up"),
    (e.ExperimentPaused(), "info", "paused: nothing new is started"),
    (e.ExperimentUnpaused(), "info", "unpaused"),
    (e.ExperimentDraining(), "info", "draining: what runs is finished, nothing new is started"),
    (e.ExperimentStopping(), "warning", "stopping what runs"),
    (e.ExperimentReset(), "info", "reset after a halt"),
]


@pytest.mark.parametrize(("event", "level", "text"), TOLD, ids=lambda value: type(value).__name__)
def test_a_remarkable_event_is_a_sentence(event, level, text):
    told = notice(record(event))

    assert (told.at, told.level, told.text) == (5, level, text)


@pytest.mark.parametrize(
    "event",
    [e.TrialCompleted(trial=1), e.TrialRunning(trial=1, attempt=1), e.SessionClosed(), e.RunEnded(outcome="finished")],
    ids=lambda event: type(event).__name__,
)
def test_the_ordinary_course_of_things_is_not_remarked_on(event):
    assert notice(record(event)) is None


def test_a_persons_reason_is_added():
    assert notice(record(e.ExperimentPaused(), "lunch")).text == "paused: nothing new is started (lunch)"
