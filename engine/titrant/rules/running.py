"""The closed loop: starting and ending a run, giving trials to runners, knowing what is waited for."""

from __future__ import annotations

import hashlib
import math

from titrant.errors import CommandRefused, ConfigurationError, ParameterizationError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.experiment import RunOptions
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization, Trial, TrialStatus
from titrant.rules.approving import awaited, proposal
from titrant.rules.capacity import free_runner, slots_free
from titrant.rules.changing import outgrown
from titrant.rules.recovery import recover
from titrant.rules.state import RunState, State
from titrant.rules.strategy import allowance, waits


def start_run(state: State, command: c.StartRun, _at: int) -> tuple[Event, ...]:
    """Begin a closed loop: take over what was asked and left, and settle what an earlier process left running."""
    _check_options(command.options)
    if state.run is not None:
        raise CommandRefused("run_trials is under way already: wait for it, or drain it")
    if state.experiment is None:
        raise CommandRefused("run_trials needs a search space: call configure_experiment first")
    _check_context(state.experiment.space, command.options.context)
    if state.optimization is None:
        raise CommandRefused("run_trials needs an objective: call configure_optimization first")
    if not state.runners:
        raise CommandRefused("run_trials needs a runner: call configure_runner first")
    if state.halted is not None:
        raise CommandRefused("the experiment is halted: make the lab safe, then call reset(reason=...)")
    begun = (e.RunStarted(options=command.options), *recover(state, command.alive))
    if command.options.timeout_seconds == 0:
        return (*begun, e.RunEnded(outcome="timeout", reason="timeout_seconds=0: nothing was started"))
    # Those that await approval are in nobody's hands yet: they stay where they are.
    asked = sorted(i for i, trial in state.open.items() if trial.asked and trial.status is TrialStatus.RUNNING)
    return (*begun, *(e.TrialStaged(trial=index) for index in asked))


def expire_run(state: State, command: c.ExpireRun, _at: int) -> tuple[Event, ...]:
    """The run's time is up: it ends now, and what runs goes on and is recorded."""
    run = state.run
    if run is None or run.started_at != command.run or run.options.timeout_seconds is None:
        return ()
    left = _active(state)
    what = f"; {left} trials go on and are recorded" if left else ""
    return (e.RunEnded(outcome="timeout", reason=f"timeout_seconds={run.options.timeout_seconds:g} is up{what}"),)


def exhaust_run(state: State, command: c.ExhaustRun, _at: int) -> tuple[Event, ...]:
    """No new trial can be made: what runs is finished."""
    if state.run is None or state.run.exhausted is not None:
        return ()
    return (e.GenerationExhausted(reason=command.reason),)


def advance(state: State) -> tuple[Event, ...]:
    """What follows by itself from the state as it is now: submissions, a tripped failure rate, the run's end.

    The caller folds the events and asks again until nothing more follows.
    """
    run = state.run
    if run is None:
        return ()
    if state.halted is not None:
        return (e.RunEnded(outcome="halted", reason="the experiment was halted"),)
    enough = len(run.failures) >= run.options.min_failed_trials_for_failure_rate_check
    if enough and not run.tripped and _too_many_failed(run):
        tolerated = run.options.tolerated_trial_failure_rate
        return (e.FailureRateTripped(failed=len(run.failures), total=run.taken, tolerated=tolerated),)
    if state.queue and run.draining is None and state.paused is None:
        runner = free_runner(state)
        if runner is not None:
            index = state.queue[0]
            trial = state.open[index]
            if instead := _last_look(state, trial):
                return instead
            key = attempt_key(state.log_id, index, trial.attempt + 1)
            return (e.TrialSubmitting(trial=index, runner=runner.name, attempt=trial.attempt + 1, key=key),)
    return _end(state, run)


def _last_look(state: State, trial: Trial) -> tuple[Event, ...]:
    """What happens to the next trial of the queue instead of its submission: the space or the policy has changed."""
    return (state.space_changes and outgrown(state, trial)) or proposal(state, trial)


def _end(state: State, run: RunState) -> tuple[Event, ...]:
    """The end of the run, if it has come."""
    if run.draining is not None:
        if _active(state):
            return ()
        if run.tripped:
            return (e.RunEnded(outcome="failure_rate", reason=run.draining),)
        return (e.RunEnded(outcome="stopped" if run.stopping else "drained", reason=run.draining),)
    if _active(state) or state.paused is not None:
        return ()
    more = run.created < run.options.max_trials and run.exhausted is None
    if state.queue or state.proposed_in_loop or more:
        if slots_free(state):
            if state.queue or state.proposed_in_loop or not (why := waits(state)):
                return ()
            said = f"{why}; no trial of this run is under way that could change that"
            return (e.RunEnded(outcome="stuck", reason=said),)
        return (e.RunEnded(outcome="stuck", reason=waiting_for(state)),)
    if _too_many_failed(run):
        reason = (
            f"{len(run.failures)} of {run.taken} trials failed, "
            f"more than the tolerated {run.options.tolerated_trial_failure_rate:g}"
        )
        return (e.RunEnded(outcome="failure_rate", reason=reason),)
    if run.exhausted is not None and run.created < run.options.max_trials:
        return (e.RunEnded(outcome="exhausted", reason=run.exhausted),)
    if state.unknown:
        return (e.RunEnded(outcome="finished", reason=_unknown(state)),)
    return (e.RunEnded(outcome="finished"),)


def wanted(state: State) -> int:
    """How many suggestions the closed loop could use right now."""
    run = state.run
    if run is None or run.draining is not None or run.exhausted is not None:
        return 0
    if state.paused is not None or state.halted is not None:
        return 0
    taken = len(state.queue) + state.proposed_in_loop
    count = max(0, min(slots_free(state) - taken, run.options.max_trials - run.created))
    return int(min(count, allowance(state)[0])) if count and state.strategy.nodes else count


def waiting_for(state: State) -> str:
    """What the closed loop waits for, as a sentence for people; empty when nothing is under way."""
    run = state.run
    if state.halted is not None:
        return "halted: make the lab safe, then reset"
    if state.paused is not None:
        return "paused: unpause to go on"
    if run is None:
        if state.unknown:
            return _unknown(state)
        return _proposed(state) if state.proposed else ""
    if run.draining is not None:
        return f"draining ({run.draining}): {_active(state)} trials still run"
    if not slots_free(state):
        if state.unknown:
            return _unknown(state)
        if state.quarantined:
            name, why = next(iter(sorted(state.quarantined.items())))
            return f"runner {name!r} is quarantined ({why}): see to it, then call restore_runner({name!r})"
        return f"all {state.slots_in_use} runner slots are in use"
    if wanted(state):
        return "waiting for a suggestion"
    if state.proposed_in_loop:
        return f"{active} trials run; {_proposed(state)}" if (active := _active(state)) else _proposed(state)
    return _no_more(state, run)


def _no_more(state: State, run: RunState) -> str:
    """Why there are free slots, and nothing that they wait for."""
    if run.exhausted is not None:
        return f"no new trials: {run.exhausted}"
    pausing = waits(state) if run.created < run.options.max_trials else ""
    return f"{pausing}; {state.in_loop} trials run" if pausing else f"{state.in_loop} trials run"


def attempt_key(log_id: str, trial: int, attempt: int) -> str:
    """The idempotency key of an attempt: 128 bit, unique over all logs, the same for every retry of the attempt."""
    return hashlib.sha256(f"titrant/{log_id}/{trial}/{attempt}".encode()).hexdigest()[:32]


def _active(state: State) -> int:
    """Trials on an instrument, or whose data are on the way; the loop's others wait in the queue or for people."""
    return state.in_loop - len(state.queue) - state.proposed_in_loop


def _too_many_failed(run: RunState) -> bool:
    return len(run.failures) > run.options.tolerated_trial_failure_rate * run.taken


def _proposed(state: State) -> str:
    """Which trials await approval, for people."""
    rest = f", and {len(state.proposed) - 1} more do" if len(state.proposed) > 1 else ""
    return f"{awaited(state.open[state.proposed[0]])}: approve or reject it{rest}"


def _unknown(state: State) -> str:
    index = state.unknown[0]
    trial = state.trial(index)
    rest = f" (and {len(state.unknown) - 1} more)" if len(state.unknown) > 1 else ""
    return (
        f"trial {index} is UNKNOWN{rest}: {trial.reason}. "
        f"Look at the instrument, then say what became of it with resolve({index}, ...)"
    )


def _check_context(space: SearchSpace, given: Parameterization) -> None:
    if why := space.no_context(given):
        raise CommandRefused(f"run_trials: {why}")
    for name, value in given.items():
        if name not in (*space.having("context"), *space.having("task")):
            raise CommandRefused(f"run_trials was given the context {name!r}, which is no context parameter")
        try:
            space.parameter(name).check(value)
        except ParameterizationError as error:
            raise CommandRefused(f"run_trials was given a context that does not fit: {error}") from error


def _check_options(options: RunOptions) -> None:
    def refuse(name: str, value: object, rule: str) -> None:
        raise ConfigurationError(f"run_trials was given {name}={value!r}: it must be {rule}")

    if options.max_trials < 0:
        refuse("max_trials", options.max_trials, "0 or more")
    if options.parallelism < 1:
        refuse("parallelism", options.parallelism, "1 or more")
    if options.min_failed_trials_for_failure_rate_check < 0:
        refuse(
            "min_failed_trials_for_failure_rate_check",
            options.min_failed_trials_for_failure_rate_check,
            "0 or more",
        )
    if not 0 <= options.tolerated_trial_failure_rate <= 1:
        refuse("tolerated_trial_failure_rate", options.tolerated_trial_failure_rate, "between 0 and 1")
    if not (options.initial_seconds_between_polls >= 0 and math.isfinite(options.initial_seconds_between_polls)):
        refuse("initial_seconds_between_polls", options.initial_seconds_between_polls, "0 or more seconds")
    for name in ("timeout_seconds", "trial_ttl_seconds"):
        value = getattr(options, name)
        if value is not None and not (value >= 0 and math.isfinite(value)):
            refuse(name, value, "0 or more seconds, or None")
