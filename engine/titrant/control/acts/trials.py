"""Acts on trials: approval, and their course from the first word to the last."""

from __future__ import annotations

from typing import Any

from titrant.api.calls import Calls
from titrant.control import arguments as a
from titrant.control.acts.table import act


@act("approve", a.OfTrial)
async def _approve(client: Calls, given: a.OfTrial) -> None:
    """Let a proposed trial go ahead."""
    await client.approve_trial(given.trial, given.reason)


@act("reject", a.OfTrial)
async def _reject(client: Calls, given: a.OfTrial) -> None:
    """Do not carry a proposed trial out."""
    await client.reject_trial(given.trial, given.reason)


@act("hold", a.OfTrial)
async def _hold(client: Calls, given: a.OfTrial) -> None:
    """Keep a waiting trial back until it is approved."""
    await client.hold_trial(given.trial, given.reason)


@act("approval", a.Approval)
async def _approval(client: Calls, given: a.Approval) -> None:
    """Set which trials a person must approve."""
    await client.configure_approval(given.rules)


@act("retry", a.OfTrial)
async def _retry(client: Calls, given: a.OfTrial) -> None:
    """Carry a failed or unknown trial out once more."""
    await client.retry_trial(given.trial, given.reason)


@act("abandon", a.OfTrial)
async def _abandon(client: Calls, given: a.OfTrial) -> None:
    """Give a trial up; its conditions are not suggested again."""
    await client.mark_trial_abandoned(given.trial, given.reason or None)


@act("fail", a.OfTrial)
async def _fail(client: Calls, given: a.OfTrial) -> None:
    """Mark a trial as failed; its conditions may be suggested again."""
    await client.mark_trial_failed(given.trial, given.reason or None)


@act("resolve", a.Resolve)
async def _resolve(client: Calls, given: a.Resolve) -> None:
    """Say what became of an unknown trial."""
    await client.resolve(given.trial, given.outcome, given.reason, raw_data=a.raw(given.data))


@act("ask", a.Ask)
async def _ask(client: Calls, given: a.Ask) -> dict[str, Any]:
    """Make trials to carry out oneself."""
    made = await client.get_next_trials(given.count, given.fixed)
    return {"trials": {str(index): parameters for index, parameters in made.items()}}


@act("tell", a.Tell)
async def _tell(client: Calls, given: a.Tell) -> dict[str, Any]:
    """Tell the result of a trial in one's own hands."""
    status = await client.complete_trial(given.trial, a.raw(given.data), given.progression, executed=given.executed)
    return {"status": status.name}


@act("attach-data", a.Data)
async def _attach_data(client: Calls, given: a.Data) -> None:
    """Add data to a trial without ending it, or after its end."""
    await client.attach_data(given.trial, a.raw(given.data), given.progression)


@act("attach", a.Attach)
async def _attach(client: Calls, given: a.Attach) -> dict[str, Any]:
    """Add a trial with conditions of one's own, with its result where there is one."""
    attach = client.attach_baseline if given.baseline else client.attach_trial
    index = await attach(given.parameters, given.arm_name)
    if given.data is not None:
        await client.complete_trial(index, a.raw(given.data))
    return {"trial": index}


@act("replicate", a.Replicate)
async def _replicate(client: Calls, given: a.Replicate) -> dict[str, Any]:
    """Carry a trial's conditions out again."""
    return {"trials": await client.replicate_trial(given.trial, given.count)}


@act("executed", a.Executed)
async def _executed(client: Calls, given: a.Executed) -> None:
    """Say what was really carried out."""
    await client.record_executed(given.trial, given.parameters)
