"""Approval: which trials wait for a person, who decides, and trials held back or carried out again."""

import pytest
from msgspec.structs import replace

from titrant.errors import CommandRefused, ConfigurationError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.approval import ApprovalPolicy, ApprovalRule
from titrant.model.experiment import RunnerSpec
from titrant.model.trial import TrialStatus
from titrant.rules.running import waiting_for, wanted
from titrant.rules.state import State
from titrant.rules.strategy import next_node

from .world import LAB, NOON, Y1, after, asked, finished, lab, lost, running, start, status, submitted, suggested, then

HOT = ApprovalRule(when="x > 0.4")
BY_CHEMIST = ApprovalRule(when="x > 0.4", approvers=("role:chemist", "user:lee"))


def policy(*rules: ApprovalRule) -> c.ConfigureApproval:
    """Have these rules ask for a person."""
    return c.ConfigureApproval(policy=ApprovalPolicy(rules))


def approve(trial: int = 0, actor: str = "user:kim", role: str | None = None) -> c.Approve:
    """A person lets a trial go ahead."""
    return c.Approve(trial=trial, reason="seen", actor=actor, role=role)


def reject(trial: int = 0, actor: str = "user:kim") -> c.Reject:
    """A person has a trial not carried out."""
    return c.Reject(trial=trial, reason="too hot", actor=actor)


def hold(trial: int = 0) -> c.Hold:
    """A person keeps a trial back."""
    return c.Hold(trial=trial, reason="look first", actor="user:kim")


def retry(trial: int = 0) -> c.Retry:
    """A trial is carried out again."""
    return c.Retry(trial=trial, reason="new column")


def guarded(*rules: ApprovalRule, runners: tuple[RunnerSpec, ...] = (), **options: float | None) -> State:
    """A run under way with a policy (``x > 0.4`` where none is given), without trials."""
    return after(lab(*runners), policy(*(rules or (HOT,))), start(**options))


def proposed(*rules: ApprovalRule, **options: float | None) -> State:
    """A run whose only trial awaits approval."""
    return after(guarded(*rules, **options), suggested())


# --- which trials wait ----------------------------------------------------------------------------------------------


def test_a_suggestion_to_which_a_rule_applies_is_proposed():
    created, held = then(guarded(), suggested())

    assert created.trial == 0
    assert held == e.TrialProposed(trial=0, rule="x > 0.4")


def test_a_suggestion_to_which_no_rule_applies_is_submitted():
    assert status(after(guarded(), suggested(x=0.3))) == "SUBMITTING"


def test_the_event_says_who_may_approve():
    _, held = then(guarded(BY_CHEMIST), suggested())

    assert held.approvers == ("role:chemist", "user:lee")


@pytest.mark.parametrize(
    ("rule", "proposer"),
    [
        (ApprovalRule(proposed_by="agent:*"), "agent:x"),
        (ApprovalRule(proposed_by="user:kim"), "user:kim"),
        (ApprovalRule(proposed_by="generator"), "generator"),
    ],
)
def test_who_brings_a_trial_in_may_be_why_it_waits(rule, proposer):
    given = after(lab(), policy(rule))
    attached, other = (c.AttachTrial(parameters={"x": 0.1}, actor=actor) for actor in (proposer, "user:lee"))

    assert status(after(given, attached)) == "PROPOSED"
    assert status(after(given, other)) == "RUNNING"


def test_what_the_closed_loop_brings_in_comes_from_the_generator():
    assert status(proposed(ApprovalRule(proposed_by="generator"))) == "PROPOSED"
    assert status(proposed(ApprovalRule(proposed_by="user:*"))) == "SUBMITTING"


@pytest.mark.parametrize(
    "command",
    [
        suggested(asked=True),
        c.AttachTrial(parameters={"x": 0.5}, actor="user:kim"),
        c.AttachTrial(parameters={"x": 0.5}, actor="user:kim", baseline=True),
        c.Replicate(trial=0, asked=True),
        c.Replicate(trial=0),
    ],
    ids=["asked for", "attached", "baseline", "replicated", "replicated for the loop"],
)
def test_no_way_in_leads_past_the_policy(command):
    given = after(running(), policy(HOT), finished(), command)

    assert status(given, 1) == "PROPOSED"
    assert (given.proposed, given.slots_in_use) == ((1,), 0)


def test_each_of_several_new_trials_is_looked_at():
    one, other = suggested().suggestions[0], suggested(x=0.2).suggestions[0]
    given = after(lab(), policy(HOT), c.AddTrials(suggestions=(one, other, one), asked=True))

    assert [status(given, index) for index in range(3)] == ["PROPOSED", "RUNNING", "PROPOSED"]


def test_the_first_trials_wait_and_those_after_them_do_not():
    given = after(lab(), policy(ApprovalRule(first=2)), suggested(3, asked=True))

    assert [status(given, index) for index in range(3)] == ["PROPOSED", "PROPOSED", "RUNNING"]


def test_a_rejected_trial_is_none_of_the_first():
    given = after(lab(), policy(ApprovalRule(first=1)), suggested(asked=True), reject(), suggested(asked=True))

    assert status(given, 1) == "PROPOSED"


def test_a_policy_that_comes_later_holds_back_what_waits_for_a_runner():
    given = after(lab(), start(parallelism=2), c.Pause(), suggested(), suggested(x=0.3))

    assert then(given, policy(HOT))[1:] == (e.TrialProposed(trial=0, rule="x > 0.4"),)


def test_a_policy_that_comes_later_leaves_alone_what_runs():
    given = after(running(), suggested(asked=True), policy(HOT))

    assert [status(given, index) for index in (0, 1)] == ["RUNNING", "RUNNING"]


def test_a_trial_taken_over_from_its_maker_is_looked_at_before_it_is_submitted():
    given = after(asked(), policy(HOT), start())

    assert status(given) == "PROPOSED"


def test_a_trial_that_is_requeued_by_itself_is_looked_at_before_it_is_submitted():
    safe = replace(LAB, rerun_safe=True, on_unknown="rerun")
    given = after(running(safe), policy(HOT), lost())

    assert (status(given), given.trial(0).attempt) == ("PROPOSED", 1)


def test_without_a_policy_what_waited_goes_on_waiting():
    assert status(after(proposed(), policy())) == "PROPOSED"


def test_the_same_policy_again_changes_nothing():
    assert then(guarded(), policy(HOT)) == ()


def test_a_policy_must_fit_the_search_space():
    with pytest.raises(ConfigurationError, match="there is no parameter 'temperature'; use x"):
        then(lab(), policy(ApprovalRule(when="temperature > 80")))


def test_a_search_space_must_fit_the_policy():
    given = after(State(), policy(ApprovalRule(when="temperature > 80")))
    assert lab().experiment is not None

    with pytest.raises(ConfigurationError, match="there is no parameter 'temperature'"):
        then(given, c.ConfigureExperiment(experiment=lab().experiment))


# --- while it waits -------------------------------------------------------------------------------------------------


def test_a_proposed_trial_takes_up_the_appetite_and_no_runner():
    given = proposed(parallelism=2)

    assert (wanted(given), given.slots_in_use, given.queue) == (1, 0, ())


def test_no_more_is_proposed_than_could_run_at_once():
    given = after(guarded(parallelism=2), suggested(2))

    assert wanted(given) == 0


def test_the_loop_says_what_it_waits_for():
    assert waiting_for(proposed()) == "trial 0 awaits approval (x > 0.4): approve or reject it"


def test_the_loop_says_how_many_wait_beside_what_runs():
    given = after(guarded(parallelism=4), suggested(x=0.3), suggested(3))

    assert waiting_for(given) == "1 trials run; trial 1 awaits approval (x > 0.4): approve or reject it, and 2 more do"


def test_what_waits_is_told_without_a_run_too():
    given = after(lab(), policy(HOT), suggested(asked=True))

    assert waiting_for(given) == "trial 0 awaits approval (x > 0.4): approve or reject it"


def test_a_run_whose_last_trials_await_approval_waits():
    given = proposed(max_trials=1)

    assert given.run is not None
    assert wanted(given) == 0
    assert status(after(given, approve(), finished())) == "COMPLETED"


def test_a_run_in_which_no_more_can_be_made_waits_for_people():
    given = after(proposed(), c.ExhaustRun(reason="used up"))

    assert given.run is not None
    assert after(given, reject()).last_run.outcome == "exhausted"


@pytest.mark.parametrize(("command", "outcome"), [(c.Drain(), "drained"), (c.Stop(), "stopped")])
def test_a_run_that_is_to_end_leaves_what_awaits_approval(command, outcome):
    given = after(proposed(), command)

    assert (given.last_run.outcome, given.proposed, status(given)) == (outcome, (0,), "PROPOSED")


def test_a_run_whose_time_is_up_leaves_what_awaits_approval():
    given = proposed(timeout_seconds=5.0)
    assert given.run is not None

    given = after(given, c.ExpireRun(run=given.run.started_at))

    assert (given.last_run.outcome, status(given)) == ("timeout", "PROPOSED")


def test_a_run_in_which_only_another_person_can_help_is_stuck():
    given = after(guarded(parallelism=1), suggested(x=0.3), lost(), c.Pause(), c.Unpause())

    assert given.last_run.outcome == "stuck"
    assert status(given) == "UNKNOWN"


def test_the_next_run_takes_over_what_awaits_approval():
    given = after(proposed(max_trials=1), c.Drain(), start(max_trials=0), approve())

    assert (status(given), given.run.taken) == ("SUBMITTING", 1)


def test_what_awaits_approval_outlives_the_process():
    given = after(proposed(max_trials=1), c.OpenSession(engine="t", log_id="x", seed=1))

    assert (given.last_run.outcome, given.proposed, given.proposed_in_loop) == ("interrupted", (0,), 1)


def test_a_trial_that_awaits_approval_is_not_taken_over_by_a_run():
    given = after(lab(), policy(HOT), suggested(asked=True), start(max_trials=0))

    assert (status(given), given.last_run.outcome) == ("PROPOSED", "finished")


@pytest.mark.parametrize(
    "command",
    [c.CompleteTrial(trial=0, observations=(Y1,)), c.MarkFailed(trial=0), c.MarkEarlyStopped(trial=0)],
    ids=lambda command: type(command).__name__,
)
def test_a_trial_that_awaits_approval_has_no_end_yet(command):
    given = after(lab(), policy(BY_CHEMIST), suggested(asked=True))

    with pytest.raises(
        CommandRefused, match=r"is PROPOSED .* awaits approval \(x > 0.4\), and role:chemist or user:lee may approve it"
    ):
        then(given, command)


def test_a_trial_that_awaits_approval_has_no_data_yet():
    with pytest.raises(CommandRefused, match="is PROPOSED: it has not been carried out yet"):
        then(proposed(), c.AttachData(trial=0, observations=(Y1,)))


def test_a_trial_that_awaits_approval_may_be_given_up():
    given = after(proposed(), c.MarkAbandoned(trial=0))

    assert (status(given), given.proposed, given.proposed_in_loop, given.in_loop) == ("ABANDONED", (), 0, 0)


# --- approving ------------------------------------------------------------------------------------------------------


def test_an_approved_trial_of_the_loop_goes_to_a_runner():
    given = proposed()

    assert then(given, approve()) == (e.TrialApproved(trial=0, reason="seen", rules=("x > 0.4",)),)
    assert status(after(given, approve())) == "SUBMITTING"


def test_an_approved_trial_waits_where_no_runner_is_free():
    given = after(guarded(parallelism=2), suggested(2), c.Pause(), approve(1))

    assert (status(given, 1), given.queue, given.proposed) == ("APPROVED", (1,), (0,))
    assert given.trial(1).rule == ""


def test_an_approved_trial_that_was_asked_for_is_running_in_its_makers_hands():
    given = after(lab(), policy(HOT), suggested(asked=True))
    assert given.trial(0).started_at is None

    given = after(given, approve())

    assert (status(given), given.trial(0).asked, given.trial(0).started_at) == ("RUNNING", True, NOON)
    assert status(after(given, c.CompleteTrial(trial=0, observations=(Y1,)))) == "COMPLETED"


@pytest.mark.parametrize("actor", ["agent:x", "generator", "engine", "user:"])
@pytest.mark.parametrize("decide", [approve, reject])
def test_only_a_person_decides(decide, actor):
    with pytest.raises(CommandRefused, match=f"by {actor}: only a person .* decides, any person may approve it"):
        then(proposed(), decide(actor=actor))


def test_a_person_who_is_not_named_decides_nothing():
    with pytest.raises(
        CommandRefused, match=r"cannot be rejected by user:kim \(x > 0.4\): role:chemist or user:lee may approve it"
    ):
        then(proposed(BY_CHEMIST), reject())


def test_a_person_in_another_role_decides_nothing():
    with pytest.raises(CommandRefused, match=r"cannot be approved by user:kim as visitor \(x > 0.4\)"):
        then(proposed(BY_CHEMIST), approve(role="visitor"))


@pytest.mark.parametrize(("actor", "role"), [("user:kim", "chemist"), ("user:lee", None), ("user:lee", "visitor")])
def test_a_person_who_is_named_decides(actor, role):
    assert status(after(proposed(BY_CHEMIST), approve(actor=actor, role=role))) == "SUBMITTING"


def test_nobody_approves_what_they_brought_in_where_approvers_are_named():
    given = after(lab(), policy(BY_CHEMIST), c.AttachTrial(parameters={"x": 0.5}, actor="user:lee"))

    with pytest.raises(CommandRefused, match=r"user:lee brought trial 0 in and cannot .* somebody else must"):
        then(given, approve(actor="user:lee"))
    assert status(after(given, approve(role="chemist"))) == "RUNNING"
    assert status(after(given, replace(reject(), actor="user:lee"))) == "REJECTED"


def test_everybody_approves_their_own_where_no_approvers_are_named():
    given = after(lab(), policy(HOT), c.AttachTrial(parameters={"x": 0.5}, actor="user:kim"))

    assert status(after(given, approve())) == "RUNNING"


def test_only_what_is_proposed_is_approved():
    with pytest.raises(CommandRefused, match="trial 0 is RUNNING: only a PROPOSED trial is approved"):
        then(running(), approve())


def test_a_second_rule_with_other_approvers_has_its_own_say():
    first = ApprovalRule(first=9, approvers=("user:kim",))
    given = proposed(first, BY_CHEMIST)
    assert given.trial(0).rule == "the first 9 trials"

    assert then(given, approve()) == (
        e.TrialApproved(trial=0, reason="seen", rules=("the first 9 trials",)),
        e.TrialProposed(trial=0, rule="x > 0.4", approvers=BY_CHEMIST.approvers),
    )
    given = after(given, approve())
    assert (status(given), given.proposed, given.proposed_in_loop) == ("PROPOSED", (0,), 1)
    assert status(after(given, approve(actor="user:lee"))) == "SUBMITTING"


def test_one_word_of_a_person_counts_for_all_rules_that_they_may_decide():
    given = proposed(HOT, ApprovalRule(first=9, approvers=("user:k*",)))

    (approved,) = then(given, approve())

    assert approved.rules == ("x > 0.4", "the first 9 trials")


# --- rejecting ------------------------------------------------------------------------------------------------------


def test_a_rejected_trial_is_over_and_no_failure():
    given = after(proposed(), reject())

    assert (status(given), given.trial(0).reason, given.proposed) == ("REJECTED", "too hot", ())
    assert (given.run.taken, given.run.ended, given.run.failures, given.in_loop) == (0, 0, (), 0)


def test_another_trial_takes_the_place_of_a_rejected_one():
    given = proposed(max_trials=1)
    assert wanted(given) == 0

    given = after(given, reject())

    assert (wanted(given), given.run.created) == (1, 0)


def test_a_loop_in_which_everything_is_rejected_goes_on_at_the_pace_of_people():
    given = guarded(max_trials=1)
    for index in range(20):
        given = after(given, suggested())
        assert wanted(given) == 0
        given = after(given, reject(index))

    assert (given.run.created, given.next_index, given.run.failures) == (0, 20, ())
    assert after(given, c.Drain()).last_run.outcome == "drained"


def test_a_rejected_trial_of_an_earlier_run_gives_the_next_no_room():
    given = after(proposed(max_trials=1), c.Drain(), start(max_trials=1), reject())

    assert (given.run.created, wanted(given)) == (0, 1)


def test_a_rejected_replicate_gives_the_run_no_room():
    given = after(guarded(ApprovalRule(proposed_by="user:*"), max_trials=2, parallelism=2), suggested(), finished())
    given = after(given, c.Replicate(trial=0, actor="user:kim"), reject(1))

    assert given.run.created == 1


def test_the_initial_design_makes_another_in_the_place_of_a_rejected_one():
    given = after(lab(), policy(HOT), suggested(5, asked=True), *(reject(index) for index in range(5)))

    assert next_node(given, 9) == ("sobol", 5)


def test_rejecting_needs_a_reason():
    with pytest.raises(CommandRefused, match="rejecting trial 0 needs a reason: say why"):
        then(proposed(), replace(reject(), reason=" "))


def test_a_rejected_trial_cannot_be_told_a_result():
    given = after(lab(), policy(HOT), suggested(asked=True), reject())

    with pytest.raises(CommandRefused, match=r"is REJECTED .* a person rejected it \(too hot\)"):
        then(given, c.CompleteTrial(trial=0, observations=(Y1,)))


# --- holding back ---------------------------------------------------------------------------------------------------


def paused(*more: c.Command) -> State:
    """A paused run with a trial in its queue."""
    return after(lab(), start(), c.Pause(), suggested(), *more)


def test_a_waiting_trial_is_held_back_until_a_person_approves_it():
    assert then(paused(), hold()) == (e.TrialProposed(trial=0, rule="held by user:kim: look first"),)

    given = after(paused(hold()), c.Unpause())

    assert (status(given), given.queue, given.proposed) == ("PROPOSED", (), (0,))
    assert status(after(given, approve(actor="user:lee"))) == "SUBMITTING"


def test_an_approved_trial_may_be_held_back_again():
    given = after(proposed(), c.Pause(), approve(), hold())

    assert (status(given), given.trial(0).approved) == ("PROPOSED", ("x > 0.4",))
    assert status(after(given, c.Unpause(), approve())) == "SUBMITTING"


def test_an_agent_may_hold_a_trial_back_and_not_release_it():
    given = after(paused(), replace(hold(), actor="agent:x"))

    assert status(given) == "PROPOSED"
    with pytest.raises(CommandRefused, match="only a person"):
        then(given, approve(actor="agent:x"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (submitted(), "is SUBMITTING .* on runner 'lab'; stop ends what runs"),
        (running(), "is RUNNING .* on runner 'lab'; stop ends what runs"),
        (asked(), "is RUNNING .* in the hands of whoever asked for it; mark_trial_abandoned"),
        (after(running(), lost()), r"is UNKNOWN .* use resolve\(0, ...\)"),
        (after(running(), finished()), "is COMPLETED .* it is over"),
        (proposed(), r"is PROPOSED: it is held back already, trial 0 awaits approval \(x > 0.4\)"),
    ],
)
def test_what_does_not_wait_for_a_runner_cannot_be_held_back(given, message):
    with pytest.raises(CommandRefused, match=message):
        then(given, hold())


def test_holding_back_needs_a_reason():
    with pytest.raises(CommandRefused, match="holding trial 0 back needs a reason"):
        then(paused(), replace(hold(), reason=""))


# --- carrying out again ---------------------------------------------------------------------------------------------


def failed(**options: float | None) -> State:
    """A run with a trial that FAILED, which goes on."""
    return after(running(**options), finished(status="failed", reason="clogged"))


def test_a_failed_trial_becomes_a_new_attempt():
    given = failed()
    assert then(given, retry()) == (e.TrialRequeued(trial=0, reason="new column"),)

    given = after(given, retry())

    trial = given.trial(0)
    assert (trial.status, trial.attempt, trial.ended_at) == (TrialStatus.SUBMITTING, 2, None)
    assert (given.count(TrialStatus.FAILED), given.in_loop, list(given.closed)) == (0, 1, [])


def test_a_failure_that_is_retried_is_none():
    given = after(failed(), c.Pause(), retry())

    assert (given.run.failures, given.run.taken, given.run.ended) == ((), 1, 0)
    assert (status(given), given.queue) == ("STAGED", (0,))


def test_a_retried_trial_counts_as_taken_by_a_run_that_did_not_make_it():
    given = after(failed(), c.Drain(), start(max_trials=0, parallelism=1), retry())

    assert given.run is None
    assert status(given) == "STAGED"
    assert after(given, start(max_trials=0)).run.taken == 1


def test_a_trial_that_failed_on_request_is_taken_anew():
    given = after(running(trials=2), c.Stop(), c.ReportStopped(trial=0, attempt=1), retry())

    assert given.run.taken == given.run.ended + given.in_loop


def test_a_retried_trial_keeps_the_data_it_had():
    given = after(running(), finished(0, Y1, status="failed"), retry())

    assert given.trial(0).observations == (Y1,)


def test_an_unknown_trial_is_retried_by_a_persons_word():
    given = after(running(), lost())

    assert then(given, retry()) == (
        e.TrialResolved(trial=0, outcome="rerun", reason="new column"),
        e.TrialRequeued(trial=0, reason="new column"),
    )


def test_a_trial_in_hand_that_failed_is_in_hand_again():
    given = after(asked(), c.MarkFailed(trial=0), retry())

    assert (status(given), given.trial(0).asked, given.in_loop, given.queue) == ("RUNNING", True, 0, ())
    assert status(after(given, c.CompleteTrial(trial=0, observations=(Y1,)))) == "COMPLETED"


def test_a_late_report_of_the_attempt_before_ends_nothing():
    given = after(failed(), c.Pause(), retry())

    assert then(given, finished(0, Y1)) == (e.DataAttached(trial=0, observations=(Y1,)),)


def test_a_retried_trial_awaits_the_approval_it_never_had():
    given = after(failed(), policy(HOT), retry())

    assert (status(given), given.proposed) == ("PROPOSED", (0,))
    assert status(after(given, approve())) == "SUBMITTING"


def test_a_retried_trial_needs_no_approval_that_it_had():
    given = after(proposed(), approve(), finished(status="failed"), retry())

    assert status(given) == "SUBMITTING"


def test_a_retried_trial_in_hand_awaits_approval_in_nobodys_hands():
    given = after(asked(), c.MarkFailed(trial=0), policy(HOT), retry())

    assert (status(given), given.trial(0).started_at) == ("PROPOSED", None)
    assert status(after(given, approve())) == "RUNNING"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (after(asked(), c.MarkAbandoned(trial=0)), "is ABANDONED .* what was given up is never carried out again"),
        (after(running(), finished()), "is COMPLETED .* replicate_trial carries its conditions out once more"),
        (after(proposed(), reject()), r"is REJECTED .* a person rejected it \(too hot\)"),
        (proposed(), r"is PROPOSED .* it was not begun, trial 0 awaits approval"),
        (running(), "is RUNNING .* it is not over yet"),
    ],
)
def test_what_neither_failed_nor_is_unknown_cannot_be_retried(given, message):
    with pytest.raises(CommandRefused, match=message):
        then(given, retry())


def test_retrying_needs_a_reason():
    with pytest.raises(CommandRefused, match="retrying trial 0 needs a reason"):
        then(failed(), replace(retry(), reason=""))
