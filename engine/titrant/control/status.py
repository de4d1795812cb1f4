"""How an experiment stands, as JSON can hold it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from titrant.model.trial import TrialStatus
from titrant.rules.running import waiting_for
from titrant.rules.state import State


def status(state: State, seq: int) -> dict[str, Any]:
    """Say how the experiment stands after event *seq*.

    Returns:
        Name, objective, trials by status, open trials one by one, the run under way and the one before, runners, what
        is paused, halted or waited for.
    """
    open_trials = [state.open[index] for index in sorted(state.open)]
    counts = Counter(trial.status for trial in open_trials)
    counts.update({one: number for one, number in zip(TrialStatus, _closed(state), strict=True) if number})
    run, last = state.run, state.last_run
    return {
        "seq": seq,
        "name": state.experiment.name if state.experiment else None,
        "objective": state.optimization.text if state.optimization else None,
        "trials": {one.name: counts[one] for one in TrialStatus if counts[one]},
        "open": [
            {
                "trial": trial.index,
                "status": trial.status.name,
                "runner": trial.runner,
                "attempt": trial.attempt,
                "node": trial.node,
                "asked": trial.asked,
                "parameters": dict(trial.parameters),
            }
            for trial in open_trials
        ],
        "unknown": list(state.unknown),
        "proposed": [trial.index for trial in open_trials if trial.status is TrialStatus.PROPOSED],
        "run": None
        if run is None
        else {
            "options": msgspec.to_builtins(run.options),
            "created": run.created,
            "ended": run.ended,
            "failed": len(run.failures),
            "draining": run.draining,
            "stopping": run.stopping,
        },
        "last_run": None if last is None else {"outcome": last.outcome, "reason": last.reason, "created": last.created},
        "runners": [
            {
                "name": spec.name,
                "capacity": spec.capacity,
                "busy": state.busy.get(spec.name, 0),
                "quarantined": state.quarantined.get(spec.name),
            }
            for spec in state.runners
        ],
        "past": [{"name": past.name, "file": past.file, "trials": past.count, "of": past.found} for past in state.past],
        "paused": state.paused,
        "halted": state.halted,
        "waiting_for": waiting_for(state),
    }


def _closed(state: State) -> tuple[int, ...]:
    return tuple(state.counts[one] for one in TrialStatus)
