"""The acts: everything that people do to an experiment, by name, each with arguments of its own.

One table for all ways in.  The server performs acts on a running engine, the caller on a log that nobody holds, and
the command line has a command for each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec

from titrant.analysis.results import conditions
from titrant.api.base import by as acting
from titrant.api.base import correlated
from titrant.api.calls import Calls
from titrant.control import arguments as a
from titrant.control.outcome import Outcome
from titrant.control.status import status
from titrant.errors import ConfigurationError
from titrant.messages import commands as c
from titrant.messages.commands import By

A = TypeVar("A", bound=a.Arguments)
NO_RUN = "no run is under way"


class Act(msgspec.Struct, frozen=True):
    """One kind of act.

    Attributes:
        name: What it is called.
        arguments: The Struct of its arguments.
        summary: What it does, in a line.
        perform: Does it; the answer is the outcome's value.
    """

    name: str
    arguments: type[a.Arguments]
    summary: str
    perform: Callable[[Calls, Any], Awaitable[Any]]


ACTS: dict[str, Act] = {}
"""Every act there is, by name."""


async def perform(client: Calls, act: str, arguments: Mapping[str, Any], by: By) -> Outcome:
    """Do something to an experiment in somebody's name.

    Args:
        client: The experiment.
        act: What, by its name in ``ACTS``.
        arguments: The act's arguments, as JSON holds them.
        by: Who (``user:NAME`` or ``agent:NAME``), in which role and why; a ``reason`` among the arguments wins.

    Returns:
        The events it wrote and its answer, once they are durable.

    Raises:
        ConfigurationError: There is no such act, an argument is missing, unknown or of the wrong type, or its value
            makes no sense.
        CommandRefused: The experiment's state does not allow it.
        GenerationError: Trials were asked for and none could be made.
        LogError: The log failed.
    """
    given = a.checked(act, ACTS, arguments)
    given = msgspec.structs.replace(given, reason=given.reason or by.reason or "")
    correlation = client.engine.correlation()
    with (
        client.engine.hub.collecting(correlation) as events,
        client.acting_as(by.actor, by.role, given.reason),
        correlated(correlation),
    ):
        value = await ACTS[act].perform(client, given)
        return Outcome(events=tuple(events), value=_as_sent(value))


def _as_sent(value: Any) -> Any:
    """The answer as it is after its way through JSON, whichever way it goes."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _act(
    name: str, arguments: type[A]
) -> Callable[[Callable[[Calls, A], Awaitable[Any]]], Callable[[Calls, A], Awaitable[Any]]]:
    """Enter a function into the table; the first line of its docstring says what it does."""

    def entered(function: Callable[[Calls, A], Awaitable[Any]]) -> Callable[[Calls, A], Awaitable[Any]]:
        summary = (function.__doc__ or "").partition("\n")[0]
        ACTS[name] = Act(name, arguments, summary, function)
        return function

    return entered


# --- the closed loop ------------------------------------------------------------------------------------------------


@_act("pause", a.Arguments)
async def _pause(client: Calls, given: a.Arguments) -> None:
    """Start no new trials; what runs goes on."""
    await client.pause(given.reason)


@_act("unpause", a.Arguments)
async def _unpause(client: Calls, given: a.Arguments) -> None:
    """Start new trials again."""
    await client.unpause(given.reason)


@_act("drain", a.Arguments)
async def _drain(client: Calls, given: a.Arguments) -> str | None:
    """Finish what runs, start nothing new, then end the run."""
    if client.state.run is None:
        return f"{NO_RUN}: there is nothing to drain"
    await client.drain(given.reason)
    return None


@_act("stop", a.Arguments)
async def _stop(client: Calls, given: a.Arguments) -> str | None:
    """Stop what runs, bring instruments into their safe states, end the run."""
    if client.state.run is None and not client.engine.lab.instruments:
        return f"{NO_RUN}: there is nothing to stop"
    await client.stop(given.reason)
    return None


@_act("halt", a.Arguments)
async def _halt(client: Calls, given: a.Arguments) -> dict[str, Any]:
    """Safe state everywhere at once, latched until reset; not an emergency stop."""
    alone = not client.engine.lab.instruments
    reached, failed = await client.halt(given.reason)
    answer: dict[str, Any] = {"reached": reached, "failed": failed}
    if alone:
        answer["warning"] = "no runner is connected here: no instrument was brought into its safe state"
    return answer


@_act("reset", a.Arguments)
async def _reset(client: Calls, given: a.Arguments) -> None:
    """Release the latch of a halt; starts nothing."""
    await client.reset(given.reason)


@_act("restore", a.OfRunner)
async def _restore(client: Calls, given: a.OfRunner) -> None:
    """Use a quarantined runner again."""
    _require_runner(client, given.name)
    await client.restore_runner(given.name, given.reason)


@_act("quarantine", a.OfRunner)
async def _quarantine(client: Calls, given: a.OfRunner) -> None:
    """Give a runner no more trials until it is restored."""
    _require_runner(client, given.name)
    reason = given.reason or "quarantined on request"
    await client.engine.do(c.QuarantineRunner(name=given.name, reason=reason), acting(reason=reason))


def _require_runner(client: Calls, name: str) -> None:
    if client.state.runner(name) is None:
        names = ", ".join(repr(spec.name) for spec in client.state.runners) or "none"
        raise ConfigurationError(f"there is no runner {name!r}: there are {names}")


# --- approval -------------------------------------------------------------------------------------------------------


@_act("approve", a.OfTrial)
async def _approve(client: Calls, given: a.OfTrial) -> None:
    """Let a proposed trial go ahead."""
    await client.approve_trial(given.trial, given.reason)


@_act("reject", a.OfTrial)
async def _reject(client: Calls, given: a.OfTrial) -> None:
    """Do not carry a proposed trial out."""
    await client.reject_trial(given.trial, given.reason)


@_act("hold", a.OfTrial)
async def _hold(client: Calls, given: a.OfTrial) -> None:
    """Keep a waiting trial back until it is approved."""
    await client.hold_trial(given.trial, given.reason)


@_act("approval", a.Approval)
async def _approval(client: Calls, given: a.Approval) -> None:
    """Set which trials a person must approve."""
    await client.configure_approval(given.rules)


# --- the course of a trial ------------------------------------------------------------------------------------------


@_act("retry", a.OfTrial)
async def _retry(client: Calls, given: a.OfTrial) -> None:
    """Carry a failed or unknown trial out once more."""
    await client.retry_trial(given.trial, given.reason)


@_act("abandon", a.OfTrial)
async def _abandon(client: Calls, given: a.OfTrial) -> None:
    """Give a trial up; its conditions are not suggested again."""
    await client.mark_trial_abandoned(given.trial, given.reason or None)


@_act("fail", a.OfTrial)
async def _fail(client: Calls, given: a.OfTrial) -> None:
    """Mark a trial as failed; its conditions may be suggested again."""
    await client.mark_trial_failed(given.trial, given.reason or None)


@_act("resolve", a.Resolve)
async def _resolve(client: Calls, given: a.Resolve) -> None:
    """Say what became of an unknown trial."""
    await client.resolve(given.trial, given.outcome, given.reason, raw_data=a.raw(given.data))


@_act("ask", a.Ask)
async def _ask(client: Calls, given: a.Ask) -> dict[str, Any]:
    """Make trials to carry out oneself."""
    made = await client.get_next_trials(given.count, given.fixed)
    return {"trials": {str(index): parameters for index, parameters in made.items()}}


@_act("tell", a.Tell)
async def _tell(client: Calls, given: a.Tell) -> dict[str, Any]:
    """Tell the result of a trial in one's own hands."""
    status = await client.complete_trial(given.trial, a.raw(given.data), given.progression, executed=given.executed)
    return {"status": status.name}


@_act("attach-data", a.Data)
async def _attach_data(client: Calls, given: a.Data) -> None:
    """Add data to a trial without ending it, or after its end."""
    await client.attach_data(given.trial, a.raw(given.data), given.progression)


@_act("attach", a.Attach)
async def _attach(client: Calls, given: a.Attach) -> dict[str, Any]:
    """Add a trial with conditions of one's own, with its result where there is one."""
    attach = client.attach_baseline if given.baseline else client.attach_trial
    index = await attach(given.parameters, given.arm_name)
    if given.data is not None:
        await client.complete_trial(index, a.raw(given.data))
    return {"trial": index}


@_act("replicate", a.Replicate)
async def _replicate(client: Calls, given: a.Replicate) -> dict[str, Any]:
    """Carry a trial's conditions out again."""
    return {"trials": await client.replicate_trial(given.trial, given.count)}


@_act("executed", a.Executed)
async def _executed(client: Calls, given: a.Executed) -> None:
    """Say what was really carried out."""
    await client.record_executed(given.trial, given.parameters)


# --- results and words ----------------------------------------------------------------------------------------------


@_act("void", a.OfTrial)
async def _void(client: Calls, given: a.OfTrial) -> None:
    """Withdraw a finished result: kept in the history, forgotten by the model."""
    await client.void_trial(given.trial, given.reason)


@_act("unvoid", a.OfTrial)
async def _unvoid(client: Calls, given: a.OfTrial) -> None:
    """Let a withdrawn result count again."""
    await client.unvoid_trial(given.trial, given.reason)


@_act("correct", a.Correct)
async def _correct(client: Calls, given: a.Correct) -> None:
    """Replace observations of a finished trial."""
    await client.correct_trial(given.trial, a.raw(given.data), given.reason)


@_act("next-comparison", a.Arguments)
async def _next_comparison(client: Calls, _given: a.Arguments) -> dict[str, Any]:
    """Name the two finished trials whose comparison tells most; changes nothing."""
    found = await client.get_next_comparison()
    shown = {str(index): conditions(client.state, client.state.trial(index)) for index in found.trials}
    return {"trials": list(found.trials), "parameters": shown, "expected": found.expected, "reason": found.reason}


@_act("compare", a.Compare)
async def _compare(client: Calls, given: a.Compare) -> dict[str, Any]:
    """Say which of two finished trials is better."""
    attach = client.attach_tie if given.tie else client.attach_comparison
    return {"comparison": await attach(given.better, given.worse, judge=given.judge, note=given.note)}


@_act("withdraw-comparison", a.OfComparison)
async def _withdraw_comparison(client: Calls, given: a.OfComparison) -> None:
    """Let a comparison count no more: kept in the history, forgotten by the model."""
    await client.withdraw_comparison(given.comparison, given.reason)


@_act("note", a.Note)
async def _note(client: Calls, given: a.Note) -> None:
    """Add words to a trial or to the experiment."""
    await client.add_note(given.text, given.trial)


@_act("sign", a.Sign)
async def _sign(client: Calls, given: a.Sign) -> dict[str, Any]:
    """Put one's name to everything in the log so far."""
    head = await client.sign(given.meaning, given.reason)
    return {"seq": head.seq, "hash": head.hash.hex()}


# --- the experiment in mid-course -----------------------------------------------------------------------------------


@_act("change-space", a.ChangeSpace)
async def _change_space(client: Calls, given: a.ChangeSpace) -> None:
    """Change the search space: several changes together, all of them or none."""
    await client.change_search_space(given.change, given.backfill)


@_act("change-bounds", a.ChangeBounds)
async def _change_bounds(client: Calls, given: a.ChangeBounds) -> None:
    """Change the bounds of a parameter."""
    await client.change_bounds(given.name, given.bounds)


@_act("add-parameter", a.AddParameter)
async def _add_parameter(client: Calls, given: a.AddParameter) -> None:
    """Add a parameter, and say which value it had in the trials so far."""
    await client.add_parameter(given.parameter, given.backfill)


@_act("remove-parameter", a.OfParameter)
async def _remove_parameter(client: Calls, given: a.OfParameter) -> None:
    """Remove a parameter."""
    await client.remove_parameter(given.name)


@_act("fix-parameter", a.FixParameter)
async def _fix_parameter(client: Calls, given: a.FixParameter) -> None:
    """Hold a parameter at one value from now on."""
    await client.fix_parameter(given.name, given.value)


@_act("add-constraint", a.Constraint)
async def _add_constraint(client: Calls, given: a.Constraint) -> None:
    """Add a constraint on parameters."""
    await client.add_constraint(given.text)


@_act("remove-constraint", a.Constraint)
async def _remove_constraint(client: Calls, given: a.Constraint) -> None:
    """Remove a constraint on parameters."""
    await client.remove_constraint(given.text)


@_act("objective", a.Objective)
async def _objective(client: Calls, given: a.Objective) -> None:
    """Set what is sought."""
    await client.configure_optimization(given.objective, given.constraints)


@_act("learn", a.Learn)
async def _learn(client: Calls, given: a.Learn) -> dict[str, Any]:
    """Let models learn from logs of past experiments too."""
    told = await client.learn_from(given.logs, names=given.names, scaled=given.scaled, fill=given.fill)
    return {"learned": [str(one) for one in told]}


@_act("strategy", a.Strategy)
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


@_act("status", a.Arguments)
async def _status(client: Calls, _given: a.Arguments) -> dict[str, Any]:
    """Say how things stand; changes nothing."""
    return status(client.state, client.engine.supervisor.durable_seq)
