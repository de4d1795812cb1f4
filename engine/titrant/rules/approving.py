"""Approval: which trials wait for a person, who may let them go ahead, and trials held back or carried out again.

Every way in leads past here: suggestions of the closed loop, trials that are asked for, attached or replicated, those
carried out again.  A last look is taken before each submission (``running.advance``), so that a policy that came later
holds as well.

What a person rejects is never carried out, and its conditions are kept away from as those of an ABANDONED trial are.
It says nothing of the lab: it is no failure, it doesn't use up ``max_trials``, and the loop makes another suggestion in
its place.  Trials that await approval take up the loop's appetite, though no runner: there are never more of them than
could run at once, so that a loop in which everything is rejected proposes as fast as people decide, and waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from titrant.errors import CommandRefused
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.approval import ApprovalRule, may_decide
from titrant.model.trial import Trial, TrialStatus
from titrant.rules import course
from titrant.rules.changing import unfit
from titrant.rules.conditions import planned
from titrant.rules.people import is_person
from titrant.rules.state import State, with_trial

GENERATOR = "generator"
"""The actor that brings the closed loop's suggestions in."""

WAITING = (TrialStatus.CANDIDATE, TrialStatus.STAGED, TrialStatus.APPROVED)
"""In the queue: nothing has been done with the trial (or this attempt of it) yet."""

# --- which trials wait ----------------------------------------------------------------------------------------------


def required(state: State, trial: Trial) -> ApprovalRule | None:
    """The first rule of the policy by which the trial still needs a person; None where there is none."""
    return next(_required(state, trial), None) if state.approval.rules else None


def proposal(state: State, trial: Trial) -> tuple[Event, ...]:
    """The event that has the trial wait for a person, where it still needs one."""
    rule = required(state, trial)
    return () if rule is None else (e.TrialProposed(trial=trial.index, rule=rule.words, approvers=rule.approvers),)


def screened(state: State, created: Iterable[e.TrialCreated]) -> tuple[Event, ...]:
    """New trials, each followed by its proposal where the policy asks for a person."""
    if not state.approval.rules:
        return tuple(created)
    events: list[Event] = []
    for event in created:
        trial = Trial(index=event.trial, parameters=event.parameters, proposer=event.proposer)
        events.extend((event, *proposal(state, trial)))
    return tuple(events)


def proposer_of(command: c.Personal) -> str:
    """Who brings a trial in, as ``TrialCreated`` keeps it: nothing for the closed loop, whose trials are most."""
    return "" if command.actor in (GENERATOR, "engine") else command.actor


def awaited(trial: Trial) -> str:
    """What a PROPOSED trial waits for, in words."""
    return f"trial {trial.index} awaits approval ({trial.rule})"


def who_may(trial: Trial) -> str:
    """Who may approve a PROPOSED trial, in words."""
    return f"{' or '.join(trial.approvers) or 'any person'} may approve it"


def _required(state: State, trial: Trial) -> Iterator[ApprovalRule]:
    aside = state.counts[TrialStatus.REJECTED] + state.counts[TrialStatus.STALE]
    place, proposer = trial.index - aside, trial.proposer or GENERATOR
    rules = state.approval.applying(planned(state, trial), place=place, proposer=proposer)
    return (rule for rule in rules if rule.words not in trial.approved)


# --- deciding -------------------------------------------------------------------------------------------------------


def configure_approval(state: State, command: c.ConfigureApproval, _at: int) -> tuple[Event, ...]:
    """Set the policy, at any time: trials that wait for a runner and now need a person are held back.

    What a runner or a person has already goes on, and what awaits approval by an earlier policy goes on awaiting it.

    Raises:
        ConfigurationError: A rule compares what the search space has not.
    """
    if command.policy == state.approval:
        return ()
    if state.experiment is not None:
        command.policy.check(state.experiment.space)
    then = replace(state, approval=command.policy)
    waiting = [state.open[index] for index in sorted(state.queue)] if command.policy.rules else []
    held = [event for trial in waiting for event in proposal(then, trial)]
    return (e.ApprovalConfigured(policy=command.policy), *held)


def approve(state: State, command: c.Approve, _at: int) -> tuple[Event, ...]:
    """A person lets a trial go ahead: by every rule that they may decide, and past the first that they may not.

    Whoever brought a trial in may approve it only where the rule names no approvers.
    """
    trial = _proposed(state, command, "approved")
    if trial.approvers and command.actor == trial.proposer:
        raise CommandRefused(
            f"{command.actor} brought trial {trial.index} in and cannot approve it ({trial.rule}): "
            f"somebody else must, {who_may(trial)}"
        )
    open_rules = list(_required(state, trial))
    given = [rule.words for rule in open_rules if _may_approve(rule, trial, command)]
    if trial.rule not in given:
        given = [trial.rule, *given]
    approved = e.TrialApproved(trial=trial.index, reason=command.reason, rules=tuple(given))
    return (approved, *proposal(state, replace(trial, approved=(*trial.approved, *given))))


def reject(state: State, command: c.Reject, _at: int) -> tuple[Event, ...]:
    """A person has a trial not carried out."""
    trial = _proposed(state, command, "rejected")
    _need_reason(command.reason, f"rejecting trial {trial.index}")
    return (e.TrialRejected(trial=trial.index, reason=command.reason),)


def hold(state: State, command: c.Hold, _at: int) -> tuple[Event, ...]:
    """Keep a trial back that waits for a runner, until any person approves it."""
    trial = state.trial(command.trial)
    if trial.status is TrialStatus.PROPOSED:
        raise CommandRefused(f"trial {trial.index} is PROPOSED: it is held back already, {awaited(trial)}")
    if trial.status not in WAITING:
        raise CommandRefused(f"trial {trial.index} is {trial.status.name} and cannot be held back: {_instead(trial)}")
    _need_reason(command.reason, f"holding trial {trial.index} back")
    return (e.TrialProposed(trial=trial.index, rule=f"held by {command.actor}: {command.reason}"),)


def retry(state: State, command: c.Retry, _at: int) -> tuple[Event, ...]:
    """Carry a FAILED or UNKNOWN trial out again, as a new attempt; the policy is asked what nobody approved yet."""
    trial = state.trial(command.trial)
    if trial.status not in (TrialStatus.FAILED, TrialStatus.UNKNOWN):
        raise CommandRefused(f"trial {trial.index} is {trial.status.name} and cannot be retried: {_no_retry(trial)}")
    _need_reason(command.reason, f"retrying trial {trial.index}")
    if state.experiment is not None and (why := unfit(state.experiment.space, trial.parameters)):
        raise CommandRefused(
            f"trial {trial.index} cannot be retried, since it does not fit the search space as it is now: {why}"
        )
    again = e.TrialRequeued(trial=trial.index, reason=command.reason)
    if trial.status is TrialStatus.UNKNOWN:
        resolved = e.TrialResolved(trial=trial.index, outcome="rerun", reason=command.reason)
        return (resolved, again, *proposal(state, trial))
    return (again, *proposal(state, trial))


def _proposed(state: State, command: c.Approve | c.Reject, verb: str) -> Trial:
    """The trial, if it awaits approval and the one who asks may decide.

    Raises:
        CommandRefused: It does not, or they may not.
    """
    trial = state.trial(command.trial)
    if trial.status is not TrialStatus.PROPOSED:
        raise CommandRefused(f"trial {trial.index} is {trial.status.name}: only a PROPOSED trial is {verb}")
    if not is_person(command.actor):
        raise CommandRefused(
            f"trial {trial.index} cannot be {verb} by {command.actor}: only a person (user:NAME) decides, "
            f"{who_may(trial)}"
        )
    if not may_decide(trial.approvers, command.actor, command.role):
        role = f" as {command.role}" if command.role else ""
        raise CommandRefused(
            f"trial {trial.index} cannot be {verb} by {command.actor}{role} ({trial.rule}): {who_may(trial)}"
        )
    return trial


def _may_approve(rule: ApprovalRule, trial: Trial, command: c.Approve) -> bool:
    own = bool(rule.approvers) and command.actor == trial.proposer
    return not own and may_decide(rule.approvers, command.actor, command.role)


def _instead(trial: Trial) -> str:
    index = trial.index
    if trial.status is TrialStatus.UNKNOWN:
        return f"use resolve({index}, ...) and say what became of it"
    if trial.status.is_terminal:
        return "it is over"
    if trial.asked:
        return "it is in the hands of whoever asked for it; mark_trial_abandoned or mark_trial_failed ends it"
    return f"it is on runner {trial.runner!r}; stop ends what runs, and halt brings every instrument into a safe state"


def _no_retry(trial: Trial) -> str:
    match trial.status:
        case TrialStatus.ABANDONED:
            return "what was given up is never carried out again; attach a trial with other conditions"
        case TrialStatus.REJECTED:
            return f"a person rejected it ({trial.reason}); attach a trial with these conditions to ask anew"
        case TrialStatus.STALE:
            return f"it no longer fits the experiment ({trial.reason})"
        case TrialStatus.COMPLETED | TrialStatus.EARLY_STOPPED | TrialStatus.VOIDED:
            return "it has been carried out; replicate_trial carries its conditions out once more"
        case TrialStatus.PROPOSED:
            return f"it was not begun, {awaited(trial)}"
        case _:
            return "it is not over yet"


def _need_reason(reason: str, what: str) -> None:
    if not reason.strip():
        raise CommandRefused(f"{what} needs a reason: say why")


# --- evolving -------------------------------------------------------------------------------------------------------


def approval_configured(state: State, event: e.ApprovalConfigured, _at: int) -> State:
    """The policy is another one."""
    return replace(state, approval=event.policy)


def proposed(state: State, event: e.TrialProposed, _at: int) -> State:
    """The trial waits for a person, in nobody's hands and out of the queue."""
    index = event.trial
    trial = state.open[index]
    waits = replace(trial, status=TrialStatus.PROPOSED, rule=event.rule, approvers=event.approvers, started_at=None)
    return replace(
        state,
        open=with_trial(state.open, waits),
        queue=course.without(state.queue, index),
        proposed=(*state.proposed, index),
        proposed_in_loop=state.proposed_in_loop + (not trial.asked),
    )


def approved(state: State, event: e.TrialApproved, at: int) -> State:
    """The trial goes to the queue, or is RUNNING in the hands of whoever asked for it."""
    index = event.trial
    trial = state.open[index]
    goes = replace(
        trial,
        status=TrialStatus.RUNNING if trial.asked else TrialStatus.APPROVED,
        rule="",
        approvers=(),
        approved=(*trial.approved, *event.rules),
        started_at=at if trial.asked else None,
    )
    return replace(
        state,
        open=with_trial(state.open, goes),
        queue=state.queue if trial.asked else (*state.queue, index),
        proposed=course.without(state.proposed, index),
        proposed_in_loop=state.proposed_in_loop - (not trial.asked),
    )


def rejected(state: State, event: e.TrialRejected, at: int) -> State:
    """The trial is over before it began."""
    return course.close(state, state.open[event.trial], TrialStatus.REJECTED, event.reason, at)
