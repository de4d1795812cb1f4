"""Replicates: the conditions of a trial carried out once more, each a trial and an observation of its own.

A replicate is nobody's new suggestion: it counts neither against a run's ``max_trials`` nor in the initial design, and
a finite search space does not refuse it.  It is carried out as planned for the trial it repeats, whatever was executed
there.
"""

from __future__ import annotations

from titrant.errors import CommandRefused, ConfigurationError, ParameterizationError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.trial import Trial
from titrant.rules.approving import proposer_of, screened
from titrant.rules.conditions import planned
from titrant.rules.state import State

MOST = 1_000
"""Replicates that one command may ask for."""


def replicate(state: State, command: c.Replicate, _at: int) -> tuple[Event, ...]:
    """Make replicates: in the queue of a closed loop that takes new trials, else RUNNING in the asker's hands."""
    if state.experiment is None:
        raise CommandRefused("there is no search space to make trials in: call configure_experiment first")
    trial = state.trial(command.trial)
    if not 1 <= command.count <= MOST:
        raise ConfigurationError(f"{command.count} replicates of trial {trial.index}: ask for 1 to {MOST}")
    try:
        parameters = state.experiment.space.check(planned(state, trial))
    except ParameterizationError as exc:
        raise CommandRefused(
            f"trial {trial.index} cannot be replicated, since it does not fit the search space as it is now: {exc}"
        ) from exc
    run = state.run
    asked = command.asked or run is None or run.draining is not None
    return screened(
        state,
        (
            e.TrialCreated(
                trial=index,
                parameters=parameters,
                origin="replicate",
                arm_name=f"{index}_0",
                asked=asked,
                replicate_of=recipe(trial),
                proposer=proposer_of(command),
            )
            for index in range(state.next_index, state.next_index + command.count)
        ),
    )


def recipe(trial: Trial) -> int:
    """The trial whose conditions it carries out: a replicate of a replicate is one of the first."""
    return trial.index if trial.replicate_of is None else trial.replicate_of
