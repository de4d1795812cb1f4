"""What an event costs to fold, at the beginning of an experiment and at its end: it must not grow.

Run ``python benchmarks/fold.py``.  100,000 events of 16,667 trials, six a trial, eight under way at a time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

from titrant.log.snapshots import pack
from titrant.messages import events as e
from titrant.messages.codec import decode_current, encode
from titrant.messages.events import Event
from titrant.model.experiment import RunnerSpec, RunOptions
from titrant.model.observation import Observation
from titrant.model.trial import Suggestion
from titrant.rules.evolve import evolve
from titrant.rules.state import State

TRIALS = 16_667
AT_ONCE = 8
PARTS = 10
REPEATS = 5


def experiment() -> Iterator[Event]:
    """The events of a long closed loop."""
    yield e.SessionOpened(engine="benchmark", log_id="ab" * 16, seed=1)
    yield e.RunnersConfigured(runners=(RunnerSpec(name="lab"),))
    yield e.RunStarted(options=RunOptions(max_trials=TRIALS, parallelism=AT_ONCE))
    for index in range(AT_ONCE):
        yield from begun(index)
    for index in range(TRIALS):
        yield e.TrialRunning(trial=index, attempt=1, metadata={"job": index})
        yield e.TrialRunFinished(trial=index, attempt=1, awaiting=("y",))
        yield e.DataAttached(trial=index, observations=(Observation("y", index / TRIALS, 0.1),))
        yield e.TrialCompleted(trial=index)
        if index + AT_ONCE < TRIALS:
            yield from begun(index + AT_ONCE)


def begun(index: int) -> Iterator[Event]:
    """A trial that is made and submitted."""
    parameters = {"temperature": 20.0 + index / TRIALS, "solvent": "water", "equivalents": 1.5}
    suggestion = Suggestion(parameters=parameters, node="sobol", generator="Sobol", position=index + 1)
    yield e.TrialCreated(trial=index, parameters=parameters, arm_name=f"{index}_0", suggestion=suggestion)
    yield e.TrialSubmitting(trial=index, runner="lab", attempt=1, key=f"{index:032x}")


def fold(events: list[Event]) -> tuple[State, list[float]]:
    """The state after *events*, and microseconds per event in each tenth of them."""
    state, costs, size = State(), [], -(-len(events) // PARTS)
    for start in range(0, len(events), size):
        part = events[start : start + size]
        began = time.perf_counter()
        for at, event in enumerate(part, start):
            state = evolve(state, event, at)
        costs.append((time.perf_counter() - began) / len(part) * 1e6)
    return state, costs


def main() -> None:
    events = [decode_current(encode(event)[2]) for event in experiment()]
    gc.collect()
    gc.freeze()
    runs = [fold(events) for _ in range(REPEATS)]
    best = [min(costs) for costs in zip(*(costs for _, costs in runs), strict=True)]
    print(f"{len(events)} events of {TRIALS} trials, best of {REPEATS}")
    print("us/event by tenths:", " ".join(f"{cost:.2f}" for cost in best))
    print(f"first tenth {best[0]:.2f}, last tenth {best[-1]:.2f}, mean {sum(best) / PARTS:.2f} us/event")
    print(f"snapshot of the last state: {len(pack(runs[0][0])) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
