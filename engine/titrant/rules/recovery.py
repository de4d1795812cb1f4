"""After a restart: what to do with a trial that another process left open (the table of docs/architecture.md)."""

from __future__ import annotations

from typing import Literal

from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.experiment import RunnerSpec
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.state import State

Plan = Literal["nothing", "fetch", "resubmit", "reattach", "rerun", "end", "stop", "lose"]

MAX_ATTEMPTS = 3
"""A trial that was out of sight in this many attempts is not carried out again by itself: a run must end."""


def plan(trial: Trial, spec: RunnerSpec | None) -> Plan:
    """What to do with an open trial that no actor of this process carries out.

    - ``fetch``: the run had finished, only data are missing.
    - ``resubmit``: submit again with the same key; the runner honours keys.
    - ``reattach``: ask the instrument what became of it.
    - ``rerun``: a new attempt; the runner declares that twice does no harm.
    - ``end``: it was to be stopped, and it died with the process or may as well have: FAILED.
    - ``stop``: all that can be done is to stop it; then it is UNKNOWN.
    - ``lose``: UNKNOWN; a person decides.
    """
    if trial.status not in (TrialStatus.SUBMITTING, TrialStatus.RUNNING) or trial.runner is None or trial.asked:
        return "nothing"
    if trial.run_done:
        return "fetch"
    if spec is None:
        return "lose"
    if spec.can_report_status and trial.status is TrialStatus.RUNNING:
        return "reattach"
    if spec.honours_keys:
        return "resubmit"
    if spec.can_report_status and spec.absence_is_proof:
        return "reattach"
    if spec.rerun_safe:
        return "end" if trial.stop_requested else "rerun"
    if spec.can_report_status:
        return "reattach"
    return "stop" if spec.can_stop else "lose"


def recover(state: State, alive: frozenset[int]) -> tuple[Event, ...]:
    """The events that settle what can be settled without asking an instrument."""
    events: list[Event] = []
    quarantined: set[str] = set()
    for index in sorted(state.open):
        trial = state.open[index]
        if index in alive:
            continue
        match plan(trial, state.runner(trial.runner)):
            case "rerun":
                reason = "the engine restarted; the runner declares that carrying a trial out twice does no harm"
                events.append(e.TrialRequeued(trial=index, reason=reason))
            case "end":
                reason = f"{trial.reason or 'it was to be stopped'} (the engine restarted meanwhile)"
                events.append(e.TrialFailed(trial=index, reason=reason))
            case "stop":
                events.extend(lose(state, trial, "the engine restarted; the runner can only stop it"))
                reason = "nobody can see to its end any more"
                events.append(e.StopRequested(trial=index, cause="stop", reason=reason))
            case "lose":
                events.extend(lose(state, trial, "the engine restarted and the runner cannot say what became of it"))
                name = trial.runner or ""
                if _policy(state, trial) == "ask" and name not in quarantined and name not in state.quarantined:
                    quarantined.add(name)
                    why = f"trial {index} may still be running on it"
                    events.append(e.RunnerQuarantined(name=name, reason=why))
            case _:
                pass
    return tuple(events)


def lose(state: State, trial: Trial, reason: str) -> tuple[Event, ...]:
    """Contact with a trial is lost: UNKNOWN, then the runner's declared policy, or a person."""
    lost = e.TrialLost(trial=trial.index, reason=reason)
    policy = _policy(state, trial)
    if policy == "ask":
        return (lost,)
    why = f"on_unknown={policy!r}: {reason}"
    if policy == "abandon":
        return (
            lost,
            e.TrialResolved(trial=trial.index, outcome="abandoned", reason=why),
            e.TrialAbandoned(trial=trial.index, reason=why),
        )
    if trial.attempt >= MAX_ATTEMPTS:
        why = f"contact was lost in each of {trial.attempt} attempts, the last time: {reason}"
        return (
            lost,
            e.TrialResolved(trial=trial.index, outcome="failed", reason=why),
            e.TrialFailed(trial=trial.index, reason=why),
        )
    return (
        lost,
        e.TrialResolved(trial=trial.index, outcome="rerun", reason=why),
        e.TrialRequeued(trial=trial.index, reason=why),
    )


def _policy(state: State, trial: Trial) -> Literal["ask", "abandon", "rerun"]:
    spec = state.runner(trial.runner)
    return "ask" if spec is None else spec.on_unknown
