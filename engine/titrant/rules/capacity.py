"""Room on the runners: how many trials could be submitted right now, and to whom."""

from __future__ import annotations

from titrant.model.experiment import RunnerSpec
from titrant.rules.state import State


def slots_free(state: State) -> int:
    """Trials that could be submitted right now, over all runners, within the run's parallelism."""
    if state.run is None:
        return 0
    parallelism = state.run.options.parallelism
    room = sum(_room(state, spec, parallelism) for spec in state.runners)
    return max(0, min(room, parallelism - state.slots_in_use))


def free_runner(state: State) -> RunnerSpec | None:
    """The runner with the most room left, the first named among equals; None when all are full."""
    if state.run is None or not slots_free(state):
        return None
    parallelism = state.run.options.parallelism
    return max(state.runners, key=lambda spec: _room(state, spec, parallelism))


def _room(state: State, spec: RunnerSpec, parallelism: int) -> int:
    """Slots left on a runner; none, and not fewer, where a later configuration gave it less capacity than it uses."""
    if spec.name in state.quarantined:
        return 0
    return max(0, (parallelism if spec.capacity is None else spec.capacity) - state.busy.get(spec.name, 0))
