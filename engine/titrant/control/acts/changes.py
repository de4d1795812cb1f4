"""Acts that change the experiment in mid-course."""

from __future__ import annotations

from typing import Any

from titrant.api.calls import Calls
from titrant.control import arguments as a
from titrant.control.acts.table import act


@act("change-space", a.ChangeSpace)
async def _change_space(client: Calls, given: a.ChangeSpace) -> None:
    """Change the search space: several changes together, all of them or none."""
    await client.change_search_space(given.change, given.backfill)


@act("change-bounds", a.ChangeBounds)
async def _change_bounds(client: Calls, given: a.ChangeBounds) -> None:
    """Change the bounds of a parameter."""
    await client.change_bounds(given.name, given.bounds)


@act("add-parameter", a.AddParameter)
async def _add_parameter(client: Calls, given: a.AddParameter) -> None:
    """Add a parameter, and say which value it had in the trials so far."""
    await client.add_parameter(given.parameter, given.backfill)


@act("remove-parameter", a.OfParameter)
async def _remove_parameter(client: Calls, given: a.OfParameter) -> None:
    """Remove a parameter."""
    await client.remove_parameter(given.name)


@act("fix-parameter", a.FixParameter)
async def _fix_parameter(client: Calls, given: a.FixParameter) -> None:
    """Hold a parameter at one value from now on."""
    await client.fix_parameter(given.name, given.value)


@act("add-constraint", a.Constraint)
async def _add_constraint(client: Calls, given: a.Constraint) -> None:
    """Add a constraint on parameters."""
    await client.add_constraint(given.text)


@act("remove-constraint", a.Constraint)
async def _remove_constraint(client: Calls, given: a.Constraint) -> None:
    """Remove a constraint on parameters."""
    await client.remove_constraint(given.text)


@act("objective", a.Objective)
async def _objective(client: Calls, given: a.Objective) -> None:
    """Set what is sought."""
    await client.configure_optimization(given.objective, given.constraints)


@act("learn", a.Learn)
async def _learn(client: Calls, given: a.Learn) -> dict[str, Any]:
    """Let models learn from logs of past experiments too."""
    told = await client.learn_from(given.logs, names=given.names, scaled=given.scaled, fill=given.fill)
    return {"learned": [str(one) for one in told]}


@act("strategy", a.Strategy)
async def _strategy(client: Calls, given: a.Strategy) -> None:
    """Set how trials are made."""
    await client.configure_generation_strategy(
        method=given.method,
        initialization_budget=given.initialization_budget,
        initialization_random_seed=given.initialization_random_seed,
        initialize_with_center=given.initialize_with_center,
        use_existing_trials_for_initialization=given.use_existing_trials_for_initialization,
        min_observed_initialization_trials=given.min_observed_initialization_trials,
        suggestion_deadline_seconds=given.suggestion_deadline_seconds,
        initialization=given.initialization,
        grid_levels=given.grid_levels,
        nodes=given.nodes,
        policy=given.policy,
        suggestion_wait_seconds=given.suggestion_wait_seconds,
        learn_from_failures=given.learn_from_failures,
        cost=given.cost,
    )
