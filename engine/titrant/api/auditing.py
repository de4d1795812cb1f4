"""People's acts on what is known: withdraw, restore, correct, note, say what was executed, sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from titrant.api.base import OnEngine, by, by_name
from titrant.log.base import Head
from titrant.messages import commands as c


class Auditing(OnEngine):
    """Acts that change what counts; who, when and why stand in the log, and so does what stood there before."""

    async def void_trial(self, trial_index: int, reason: str, actor: str | None = None) -> None:
        """Withdraw a finished result: it stays in the history, and models forget it at once.

        Raises:
            CommandRefused: The trial has no finished result, or no reason was given.
        """
        await self.engine.do(c.VoidResult(trial=trial_index, reason=reason), by(actor, reason))

    async def unvoid_trial(self, trial_index: int, reason: str, actor: str | None = None) -> None:
        """Let a withdrawn result count again.

        Raises:
            CommandRefused: The trial is not VOIDED, or no reason was given.
        """
        await self.engine.do(c.UnvoidResult(trial=trial_index, reason=reason), by(actor, reason))

    async def correct_trial(self, trial_index: int, raw_data: Any, reason: str, actor: str | None = None) -> None:
        """Replace observations of a finished trial; metrics that *raw_data* does not name keep theirs.

        Args:
            trial_index: The trial.
            raw_data: The right values, in any form ``complete_trial`` accepts.
            reason: What was wrong, or how you know.
            actor: Who says so.

        Raises:
            CommandRefused: The trial is not finished, or no reason was given.
            ObservationError: The data cannot be read.
        """
        data = await self.observed("CorrectResult", by(actor, reason), trial_index, raw_data)
        command = c.CorrectResult(trial=trial_index, observations=data, reason=reason)
        await self.engine.do(command, by(actor, reason))

    async def add_note(self, text: str, trial_index: int | None = None, actor: str | None = None) -> None:
        """Add words to a trial, or to the experiment, at any time."""
        await self.engine.do(c.AddNote(text=text, trial=trial_index), by(actor))

    async def record_executed(
        self, trial_index: int, parameters: Mapping[str, Any], reason: str = "", actor: str | None = None
    ) -> None:
        """Say what was really carried out, while the trial runs or afterwards; models learn from it.

        Args:
            trial_index: The trial.
            parameters: Those that were not carried out as planned, in their own units; off the grid or outside the
                bounds is fine.
            reason: Why, if there is more to say.
            actor: Who says so.

        Raises:
            CommandRefused: The trial has not been carried out yet.
            ConfigurationError: A name is no parameter, or a value of another type.
        """
        command = c.RecordExecuted(trial=trial_index, parameters=by_name("parameters", parameters))
        await self.engine.do(command, by(actor, reason))

    async def sign(
        self,
        meaning: Literal["reviewed", "approved", "responsible"],
        reason: str = "",
        actor: str | None = None,
    ) -> Head:
        """Put one's name to everything that is in the log by now; what comes later is not covered.

        Returns:
            What was signed: the number of the last event covered, and its hash.

        Raises:
            CommandRefused: An agent asked; only a person signs.
        """
        head = self.engine.log.head
        command = c.Sign(meaning=meaning, seq=head.seq, hash=head.hash.hex())
        await self.engine.do(command, by(actor, reason))
        return head
