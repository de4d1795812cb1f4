"""Control and supervision: the four stop verbs, time to live, restarts and quarantine."""

from __future__ import annotations

from titrant.errors import CommandRefused
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.recovery import lose, recover
from titrant.rules.state import State


def pause(state: State, _command: c.Pause, _at: int) -> tuple[Event, ...]:
    """No new trials."""
    return () if state.paused is not None else (e.ExperimentPaused(),)


def unpause(state: State, _command: c.Unpause, _at: int) -> tuple[Event, ...]:
    """New trials again."""
    return (e.ExperimentUnpaused(),) if state.paused is not None else ()


def drain(state: State, _command: c.Drain, _at: int) -> tuple[Event, ...]:
    """Finish what runs, then end."""
    return (e.ExperimentDraining(),) if state.run is not None and state.run.draining is None else ()


def stop(state: State, _command: c.Stop, _at: int) -> tuple[Event, ...]:
    """Stop what runs, then end; also works on trials a timed-out run left behind."""
    events: list[Event] = []
    if state.run is not None and not state.run.stopping:
        events.append(e.ExperimentStopping())
    events.extend(
        e.StopRequested(trial=index, cause="stop", reason="stopped on request")
        for index in sorted(state.open)
        if _on_instrument(state.open[index]) and not state.open[index].stop_requested
    )
    return tuple(events)


def record_halt(_state: State, command: c.RecordHalt, _at: int) -> tuple[Event, ...]:
    """The act came first; this is its record, and the latch."""
    return (e.ExperimentHalted(reached=command.reached, failed=command.failed),)


def reset(state: State, _command: c.Reset, _at: int) -> tuple[Event, ...]:
    """Release the latch; nothing is started by it."""
    if state.halted is None:
        raise CommandRefused("the experiment is not halted: there is nothing to reset")
    return (e.ExperimentReset(),)


def expire_trial(state: State, command: c.ExpireTrial, _at: int) -> tuple[Event, ...]:
    """A trial ran past its time to live: it is stopped, then FAILED."""
    trial = state.open.get(command.trial)
    if trial is None or trial.attempt != command.attempt or not _on_instrument(trial) or trial.stop_requested:
        return ()
    return (e.StopRequested(trial=trial.index, cause="ttl", reason="it ran past its time to live"),)


def record_restart(state: State, command: c.RecordRestart, _at: int) -> tuple[Event, ...]:
    """An actor was started anew; the trials it carried out are found again as after a restart of the engine."""
    restarted = e.ActorRestarted(name=command.name, reason=command.reason, restarts=command.restarts)
    if not command.name.startswith("runner:"):
        return (restarted,)
    return (restarted, *recover(state, command.alive))


def quarantine_runner(state: State, command: c.QuarantineRunner, _at: int) -> tuple[Event, ...]:
    """A runner gets no more trials; the experiment goes on with the others."""
    events: list[Event] = []
    if command.name not in state.quarantined:
        events.append(e.RunnerQuarantined(name=command.name, reason=command.reason))
    if command.lost:
        left = [trial for trial in state.open.values() if trial.runner == command.name and _on_instrument(trial)]
        for trial in sorted(left, key=lambda trial: trial.index):
            events.extend(lose(state, trial, command.reason))
    return tuple(events)


def restore_runner(state: State, command: c.RestoreRunner, _at: int) -> tuple[Event, ...]:
    """A person found the runner in order again."""
    if command.name not in state.quarantined:
        raise CommandRefused(f"runner {command.name!r} is not quarantined")
    return (e.RunnerRestored(name=command.name),)


def record_generation_failure(_state: State, command: c.RecordGenerationFailure, _at: int) -> tuple[Event, ...]:
    """A request for suggestions failed."""
    return (e.GenerationFailed(node=command.node, reason=command.reason, fallback=command.fallback),)


def _on_instrument(trial: Trial) -> bool:
    on = trial.status in (TrialStatus.SUBMITTING, TrialStatus.RUNNING)
    return on and trial.runner is not None and not trial.run_done and not trial.asked
