"""What the events of a trial change: from candidate to its end, and what is told of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from titrant.messages import events as e
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.completion import still_said
from titrant.rules.state import USELESS, RunState, State, counted, tallied, with_trial, without_trial

# Members as globals: an attribute of an enum class costs more than all the rest of a small event.
CANDIDATE, STAGED, SUBMITTING, RUNNING = (
    TrialStatus.CANDIDATE,
    TrialStatus.STAGED,
    TrialStatus.SUBMITTING,
    TrialStatus.RUNNING,
)
FAILED, COMPLETED, ABANDONED = TrialStatus.FAILED, TrialStatus.COMPLETED, TrialStatus.ABANDONED
PROPOSED, REJECTED, STALE = TrialStatus.PROPOSED, TrialStatus.REJECTED, TrialStatus.STALE
EARLY_STOPPED, UNKNOWN, VOIDED = TrialStatus.EARLY_STOPPED, TrialStatus.UNKNOWN, TrialStatus.VOIDED
_ON_RUNNER = (RUNNING, SUBMITTING, UNKNOWN)  # the most frequent first: the others are compared as numbers


def created(state: State, event: e.TrialCreated, at: int) -> State:
    """A trial exists: in the queue, or RUNNING in somebody's hands."""
    index, asked, suggestion = event.trial, event.asked, event.suggestion
    trial = Trial(
        index=index,
        parameters=event.parameters,
        status=RUNNING if asked else CANDIDATE,
        arm_name=event.arm_name,
        origin=event.origin,
        node="" if suggestion is None else suggestion.node,
        asked=asked,
        created_at=at,
        started_at=at if asked else None,
        replicate_of=event.replicate_of,
        seen=0 if suggestion is None else suggestion.results,
        proposer=event.proposer,
        strategy_node="" if suggestion is None else suggestion.strategy_node,
    )
    run, once_more = state.run, event.replicate_of is not None
    if run is not None and not asked:
        run = replace(run, created=run.created + (not once_more), taken=run.taken + 1)
    return replace(
        state,
        open=with_trial(state.open, trial),
        next_index=index + 1,
        position=state.position if suggestion is None else max(state.position, suggestion.position),
        queue=state.queue if asked else (*state.queue, index),
        in_loop=state.in_loop + (not asked),
        attached=state.attached + (event.origin != "suggested"),
        baseline=index if event.origin == "baseline" else state.baseline,
        run=run,
        replicates=state.replicates + once_more,
    )


def staged(state: State, event: e.TrialStaged, _at: int) -> State:
    """The closed loop takes an asked trial over."""
    trial = replace(state.open[event.trial], status=STAGED, asked=False, started_at=None)
    return replace(
        state,
        open=with_trial(state.open, trial),
        queue=(*state.queue, event.trial),
        in_loop=state.in_loop + 1,
        run=_taking(state.run, +1),
    )


def submitting(state: State, event: e.TrialSubmitting, at: int) -> State:
    """The trial takes up a slot of its runner, under its key."""
    index, queue = event.trial, state.queue
    trial = replace(
        state.open[index],
        status=SUBMITTING,
        runner=event.runner,
        attempt=event.attempt,
        key=event.key,
        submitted_at=at,
        reason=None,
    )
    return replace(
        state,
        open=with_trial(state.open, trial),
        queue=queue[1:] if queue and queue[0] == index else without(queue, index),
        busy=_busier(state.busy, event.runner, +1),
    )


def running(state: State, event: e.TrialRunning, at: int) -> State:
    """The runner accepted the trial; a second time, after a restart, with metadata that are newer."""
    trial = state.open[event.trial]
    trial = replace(
        trial,
        status=RUNNING,
        metadata=event.metadata,
        started_at=at if trial.started_at is None else trial.started_at,
        reason=trial.reason if trial.stop_requested else None,
    )
    return replace(state, open=with_trial(state.open, trial))


def reattached(state: State, event: e.TrialReattached, at: int) -> State:
    """The same attempt was found again."""
    trial = state.open[event.trial]
    trial = replace(trial, status=RUNNING, started_at=at if trial.started_at is None else trial.started_at)
    return replace(state, open=with_trial(state.open, trial))


def run_finished(state: State, event: e.TrialRunFinished, _at: int) -> State:
    """The instrument is free; from here on the reason names metrics that could not be fetched."""
    trial = state.open[event.trial]
    busy = _freed(state, trial)
    trial = replace(trial, status=RUNNING, run_done=True, awaiting=event.awaiting, reason=None)
    return replace(state, open=with_trial(state.open, trial), busy=busy)


def data_attached(state: State, event: e.DataAttached, _at: int) -> State:
    """Observations count whenever they come; a usable value fills a gap that a finished trial had."""
    new = event.observations
    trial = state.open.get(event.trial) or state.closed[event.trial]
    awaiting, missing = trial.awaiting, trial.missing
    if awaiting:
        left = list(awaiting)  # not by comprehensions: each costs a call, in the course of every trial
        for observation in new:
            while observation.metric in left:
                left.remove(observation.metric)
        awaiting = tuple(left)
    if missing:
        good = [observation.metric for observation in new if observation.mean is not None]
        missing = tuple([metric for metric in missing if metric not in good])
    ended = trial.ended_at is not None
    told = replace(trial, observations=trial.observations + new, awaiting=awaiting, missing=missing)
    if missing is not trial.missing:
        told = replace(told, reason=still_said(trial, missing))
    return _late(state, trial, told) if ended else replace(state, open=with_trial(state.open, told))


def fetch_failed(state: State, event: e.FetchFailed, _at: int) -> State:
    """One metric less is awaited."""
    trial = state.trial(event.trial)
    if event.metric not in trial.awaiting:
        return state
    said = f"{event.metric}: {event.reason}"
    awaiting = tuple(metric for metric in trial.awaiting if metric != event.metric)
    if trial.status is VOIDED:  # what is said of it is why it was withdrawn
        earlier = trial.reason_before
        return _put(state, replace(trial, awaiting=awaiting, reason_before=f"{earlier}; {said}" if earlier else said))
    return _put(state, replace(trial, awaiting=awaiting, reason=f"{trial.reason}; {said}" if trial.reason else said))


def fetch_requested(state: State, event: e.FetchRequested, _at: int) -> State:
    """A finished trial awaits data again."""
    return _put(state, replace(state.trial(event.trial), awaiting=event.metrics, reason=None))


def completed(state: State, event: e.TrialCompleted, at: int) -> State:
    """The trial is over, or, told again, all that could be fetched later is there."""
    trial = state.open.get(event.trial)
    if trial is not None:
        return close(state, trial, COMPLETED, event.reason, at, event.missing)
    trial = replace(state.closed[event.trial], missing=event.missing, awaiting=())
    if trial.status is VOIDED:
        return _put(state, replace(trial, reason_before=event.reason))
    return _put(state, replace(trial, reason=event.reason))


def failed(state: State, event: e.TrialFailed, at: int) -> State:
    """The trial failed."""
    return close(state, _told(state.open[event.trial], event), FAILED, event.reason, at)


def abandoned(state: State, event: e.TrialAbandoned, at: int) -> State:
    """The trial was given up."""
    return close(state, _told(state.open[event.trial], event), ABANDONED, event.reason, at)


def _told(trial: Trial, event: e.TrialFailed | e.TrialAbandoned) -> Trial:
    return replace(trial, informative=True) if event.informative else trial


def early_stopped(state: State, event: e.TrialEarlyStopped, at: int) -> State:
    """The trial was stopped before its end."""
    return close(state, state.open[event.trial], EARLY_STOPPED, event.reason, at)


def stop_requested(state: State, event: e.StopRequested, _at: int) -> State:
    """The trial's end will be that of a stopped one; what became of an UNKNOWN trial is still a person's word."""
    trial = state.open.get(event.trial)
    if trial is None or trial.status is UNKNOWN:
        return state
    trial = replace(trial, stop_requested=event.cause, reason=event.reason)
    return replace(state, open=with_trial(state.open, trial))


def lost(state: State, event: e.TrialLost, _at: int) -> State:
    """The trial is a person's to settle; it keeps its slot, since it may be running there."""
    trial = replace(state.open[event.trial], status=UNKNOWN, reason=event.reason)
    return replace(
        state,
        open=with_trial(state.open, trial),
        in_loop=state.in_loop - 1,
        unknown=(*state.unknown, event.trial),
        run=_taking(state.run, -1),
    )


def resolved(state: State, event: e.TrialResolved, _at: int) -> State:
    """The trial is the loop's again; the event that follows says how it goes on."""
    trial = replace(state.open[event.trial], status=RUNNING, reason=event.reason, stop_requested="")
    return replace(
        state,
        open=with_trial(state.open, trial),
        in_loop=state.in_loop + 1,
        unknown=without(state.unknown, event.trial),
        run=_taking(state.run, +1),
    )


def requeued(state: State, event: e.TrialRequeued, at: int) -> State:
    """The trial waits for a runner (or is in hand) again; nothing of the attempt before clings to it but its number."""
    index = event.trial
    if index in state.closed:
        state = _reopened(state, state.closed[index])
    trial = state.open[index]
    busy = _freed(state, trial)
    trial = replace(
        trial,
        status=RUNNING if trial.asked else STAGED,
        runner=None,
        key=None,
        metadata=None,
        stop_requested="",
        submitted_at=None,
        started_at=at if trial.asked else None,
        reason=event.reason,
        executed=None,
    )
    return replace(
        state,
        open=with_trial(state.open, trial),
        busy=busy,
        queue=state.queue if trial.asked else (*state.queue, index),
    )


def _reopened(state: State, trial: Trial) -> State:
    """The state with a closed trial open once more; a failure that the run counted is none any more."""
    index, in_loop, run = trial.index, not trial.asked, state.run
    if trial.status in USELESS:
        state = counted(state, trial, +1)
    if run is not None and in_loop:
        failures = tuple(failure for failure in run.failures if failure[0] != index)
        if len(failures) < len(run.failures):
            run = replace(run, failures=failures, ended=run.ended - 1)
        else:
            run = replace(run, taken=run.taken + 1)
    counts = list(state.counts)
    counts[trial.status] -= 1
    again = replace(trial, run_done=False, awaiting=(), missing=(), ended_at=None, result=0)
    return replace(
        state,
        open=with_trial(state.open, again),
        closed=state.closed.remove(index),
        counts=tuple(counts),
        in_loop=state.in_loop + in_loop,
        run=run,
        made_by=tallied(state, trial, trial.status, -1),
    )


def holds_slot(trial: Trial) -> bool:
    """Whether the trial takes up a slot of its runner."""
    return trial.runner is not None and not trial.run_done and trial.status in _ON_RUNNER


def without(indices: tuple[int, ...], index: int) -> tuple[int, ...]:
    """*indices* but for *index*."""
    return tuple(other for other in indices if other != index) if index in indices else indices


def _taking(run: RunState | None, more: int) -> RunState | None:
    return None if run is None else replace(run, taken=run.taken + more)


def _given_back(run: RunState, trial: Trial) -> RunState:
    """The run without a trial that is not carried out: another one of its own may take its place."""
    own = trial.index >= run.first and trial.replicate_of is None
    return replace(run, taken=run.taken - 1, created=run.created - own)


def _busier(busy: Mapping[str, int], runner: str, by: int) -> Mapping[str, int]:
    return {**busy, runner: busy.get(runner, 0) + by}


def _freed(state: State, trial: Trial) -> Mapping[str, int]:
    return _busier(state.busy, trial.runner, -1) if trial.runner is not None and holds_slot(trial) else state.busy


def _put(state: State, trial: Trial) -> State:
    if trial.ended_at is None:
        return replace(state, open=with_trial(state.open, trial))
    return replace(state, closed=state.closed.insert(trial))


def _late(state: State, before: Trial, after: Trial) -> State:
    """A trial that is over got another datum: models learn from it."""
    now = state.results + 1
    if all(observation.mean is None for observation in before.observations):
        after = replace(after, result=now)
    return replace(state, closed=state.closed.insert(after), results=now)


def close(
    state: State, trial: Trial, status: TrialStatus, reason: str | None, at: int, missing: tuple[str, ...] = ()
) -> State:
    """The state with an open trial over."""
    index = trial.index
    in_loop = not trial.asked and trial.status is not UNKNOWN
    run = state.run
    if run is not None and in_loop and (status is REJECTED or status is STALE):
        run = _given_back(run, trial)
    elif run is not None and in_loop:
        failures = run.failures
        on_request = run.stopping or trial.stop_requested == "stop"  # a person's wish says nothing of the lab
        if (status is FAILED or status is ABANDONED) and not on_request:
            failures = (*failures, (index, reason or status.name))
        run = replace(run, ended=run.ended + 1, failures=failures)
    if run is not None and run.exhausted is not None and (status is FAILED or status is STALE):
        run = replace(run, exhausted=None)  # its conditions may be suggested once more
    counts = list(state.counts)
    counts[status] += 1
    results = state.results + (status is COMPLETED or status is EARLY_STOPPED)
    over = replace(trial, status=status, reason=reason, missing=missing, awaiting=(), ended_at=at, result=results)
    if status in USELESS:
        state = counted(state, trial, -1)
    if trial.status is PROPOSED:
        over = replace(over, rule="", approvers=())
        state = replace(
            state,
            proposed=without(state.proposed, index),
            proposed_in_loop=state.proposed_in_loop - in_loop,
        )
    return replace(
        state,
        open=without_trial(state.open, index),
        closed=state.closed.insert(over),
        queue=without(state.queue, index) if state.queue else (),
        busy=_freed(state, trial),
        in_loop=state.in_loop - in_loop,
        unknown=without(state.unknown, index) if state.unknown else (),
        counts=tuple(counts),
        run=run,
        results=results,
        made_by=tallied(state, trial, status, +1),
    )
