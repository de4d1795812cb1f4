"""Acts on results: withdrawn, corrected, compared; and words."""

from __future__ import annotations

from typing import Any

from titrant.analysis.results import conditions
from titrant.api.calls import Calls
from titrant.control import arguments as a
from titrant.control.acts.table import act


@act("void", a.OfTrial)
async def _void(client: Calls, given: a.OfTrial) -> None:
    """Withdraw a finished result: kept in the history, forgotten by the model."""
    await client.void_trial(given.trial, given.reason)


@act("unvoid", a.OfTrial)
async def _unvoid(client: Calls, given: a.OfTrial) -> None:
    """Let a withdrawn result count again."""
    await client.unvoid_trial(given.trial, given.reason)


@act("correct", a.Correct)
async def _correct(client: Calls, given: a.Correct) -> None:
    """Replace observations of a finished trial."""
    await client.correct_trial(given.trial, a.raw(given.data), given.reason)


@act("next-comparison", a.Arguments)
async def _next_comparison(client: Calls, _given: a.Arguments) -> dict[str, Any]:
    """Name the two finished trials whose comparison tells most; changes nothing."""
    found = await client.get_next_comparison()
    shown = {str(index): conditions(client.state, client.state.trial(index)) for index in found.trials}
    return {"trials": list(found.trials), "parameters": shown, "expected": found.expected, "reason": found.reason}


@act("compare", a.Compare)
async def _compare(client: Calls, given: a.Compare) -> dict[str, Any]:
    """Say which of two finished trials is better."""
    attach = client.attach_tie if given.tie else client.attach_comparison
    return {"comparison": await attach(given.better, given.worse, judge=given.judge, note=given.note)}


@act("withdraw-comparison", a.OfComparison)
async def _withdraw_comparison(client: Calls, given: a.OfComparison) -> None:
    """Let a comparison count no more: kept in the history, forgotten by the model."""
    await client.withdraw_comparison(given.comparison, given.reason)


@act("note", a.Note)
async def _note(client: Calls, given: a.Note) -> None:
    """Add words to a trial or to the experiment."""
    await client.add_note(given.text, given.trial)


@act("sign", a.Sign)
async def _sign(client: Calls, given: a.Sign) -> dict[str, Any]:
    """Put one's name to everything in the log so far."""
    head = await client.sign(given.meaning, given.reason)
    return {"seq": head.seq, "hash": head.hash.hex()}
