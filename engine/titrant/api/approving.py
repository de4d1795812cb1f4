"""Approval: which trials a person must see first, and what people decide on them."""

from __future__ import annotations

from collections.abc import Sequence

from titrant.api.base import OnEngine, by
from titrant.messages import commands as c
from titrant.model.approval import ApprovalPolicy, ApprovalRule


class Approving(OnEngine):
    """What people let go ahead, and what they do not."""

    async def configure_approval(
        self, rules: Sequence[ApprovalRule] | ApprovalPolicy, reason: str = "", actor: str | None = None
    ) -> None:
        """Set which trials a person must approve before anything is done with them; at any time, none to ask no more.

        A trial to which a rule applies is PROPOSED, however it comes in: suggested, asked for, attached, replicated or
        retried.  Trials that wait for a runner are held back when a new rule applies to them; what runs goes on, and
        what awaits approval already goes on awaiting it.

        Args:
            rules: Any of them suffices; all that one says must hold.
            reason: Why.
            actor: Who says so.

        Raises:
            ConfigurationError: A rule compares what the search space has not; the message names it.
        """
        policy = rules if isinstance(rules, ApprovalPolicy) else ApprovalPolicy(tuple(rules))
        await self.engine.do(c.ConfigureApproval(policy=policy), by(actor, reason))

    async def approve_trial(self, trial_index: int, reason: str = "", actor: str | None = None) -> None:
        """Let a PROPOSED trial go ahead: to a runner, or into the hands of whoever asked for it.

        Where a second rule names other approvers, the trial awaits theirs next.

        Raises:
            CommandRefused: The trial is not PROPOSED, or the caller is no person who may approve it, or brought it in
                where approvers are named.
        """
        await self.engine.do(c.Approve(trial=trial_index, reason=reason), by(actor, reason))

    async def reject_trial(self, trial_index: int, reason: str, actor: str | None = None) -> None:
        """Have a PROPOSED trial not carried out.

        Its conditions are not suggested again, it is no failure, and the closed loop makes another one in its place.

        Raises:
            CommandRefused: The trial is not PROPOSED, the caller is no person who may decide, or no reason was given.
        """
        await self.engine.do(c.Reject(trial=trial_index, reason=reason), by(actor, reason))

    async def hold_trial(self, trial_index: int, reason: str, actor: str | None = None) -> None:
        """Keep a trial back that waits for a runner, until a person approves it.

        Raises:
            CommandRefused: It does not wait (any more), or no reason was given.
        """
        await self.engine.do(c.Hold(trial=trial_index, reason=reason), by(actor, reason))

    async def retry_trial(self, trial_index: int, reason: str, actor: str | None = None) -> None:
        """Carry a FAILED or UNKNOWN trial out as a new attempt, or have it in hand again where it was asked for.

        Raises:
            CommandRefused: It is neither, its conditions fit the search space no more, or no reason was given.
        """
        await self.engine.do(c.Retry(trial=trial_index, reason=reason), by(actor, reason))
