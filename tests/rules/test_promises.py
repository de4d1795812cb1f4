"""The promises of the rules hold whatever a lab does."""

from collections import Counter
from random import Random
from typing import get_args

from hypothesis import HealthCheck, event, given, settings, target
from hypothesis import strategies as st

from titrant.messages.events import Event

from .promises import Watched, live

ELSEWHERE = {"CandidatesKept"}
"""Only sets of tens of thousands of candidates need this event: see test_setup."""

OUTCOMES = {"finished", "timeout", "drained", "stopped", "halted", "failure_rate", "stuck", "exhausted", "interrupted"}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(st.randoms(use_true_random=False, note_method_calls=False), st.integers(5, 60))
def test_every_command_in_every_state_is_refused_with_a_reason_or_keeps_the_promises(draw, steps):
    watched = live(draw, steps)

    target(float(watched.seen["TrialSubmitting"]))
    for outcome in OUTCOMES & watched.seen.keys():
        event(outcome)


def test_every_event_outcome_and_state_is_reached():
    seen: Counter[str] = Counter()
    for seed in range(150):
        seen.update(live(Random(seed), steps=120).seen)

    assert {kind.__name__ for kind in get_args(Event)} - ELSEWHERE <= seen.keys()
    assert seen.keys() >= OUTCOMES
    assert seen.keys() >= {"COMPLETED", "FAILED", "ABANDONED", "EARLY_STOPPED", "UNKNOWN", "refused"}
    assert seen.keys() >= {"PROPOSED", "REJECTED", "STALE", "approved in hand", "approved for the loop"}
    assert seen["TrialSubmitting"] > 1000


def test_an_experiment_without_commands_is_empty():
    assert Watched().state.trials() == []
