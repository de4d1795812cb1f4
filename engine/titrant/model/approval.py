"""Approval: which trials a person must see before anything is done with them."""

from __future__ import annotations

import msgspec


class ApprovalRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason to ask a person; all conditions given in a rule must hold.

    Attributes:
        name: What people are told; made of the conditions where empty.
        when: Comparisons of parameters, joined by ``and``: ``"temperature > 80 and solvent == 'DMF'"``.
        first: Only the first so many trials of the experiment.
        proposed_by: A pattern (``*`` and ``?``) on who brings the trial in: ``"agent:*"``, ``"generator"``.
        approvers: Who may approve: actors (``"user:kim"``) or roles (``"role:chemist"``), patterns allowed; any
            person (``user:…``) where empty.  An agent never approves.
    """

    name: str = ""
    when: str = ""
    first: int | None = None
    proposed_by: str = ""
    approvers: tuple[str, ...] = ()


class ApprovalPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rules; a trial to which one applies is PROPOSED until a person approves it."""

    rules: tuple[ApprovalRule, ...] = ()
