"""Preferences: nothing is measured, and somebody says which of two finished trials is better."""

from __future__ import annotations

from titrant.analysis import results
from titrant.api.answers import BestTrial, Prediction
from titrant.api.base import OnEngine, by
from titrant.engine import Engine
from titrant.errors import CommandRefused, GenerationError
from titrant.generators.base import Examination
from titrant.generators.requests import suggestion_request
from titrant.messages import commands as c
from titrant.model.insight import Pairing
from titrant.model.objective import PREFERENCE
from titrant.rules.changing import project
from titrant.rules.state import State
from titrant.runtime.diagnostics import Logger

log = Logger(__name__)


class Comparing(OnEngine):
    """What people prefer: taste, the look of a crystal, the feel of a cream."""

    async def configure_preference(self) -> None:
        """Seek what people prefer instead of a metric that is large or small.

        Trials need no data to be completed.  ``attach_comparison`` says which of two finished ones is better, and what
        is suggested next is the best challenger for what is liked best so far.

        Raises:
            CommandRefused: There is no search space yet.
        """
        await self.engine.do(c.ConfigureOptimization(optimization=PREFERENCE), by())

    async def attach_comparison(
        self, better: int, worse: int, *, judge: str = "", note: str = "", actor: str | None = None
    ) -> int:
        """Say which of two finished trials is better; answers that contradict each other are data like any other.

        Args:
            better: The trial that is preferred.
            worse: The other one.
            judge: Who compared, where that is not who tells it.
            note: Words on it.
            actor: Who tells it.

        Returns:
            The comparison's number, for ``withdraw_comparison``.

        Raises:
            CommandRefused: No preference is sought, or a trial is not finished.
            ConfigurationError: It is the same trial twice.
            TrialNotFound: There is no such trial.
        """
        return await self._compared(c.AttachComparison(better=better, worse=worse, judge=judge, note=note), actor)

    async def attach_tie(
        self, first: int, second: int, *, judge: str = "", note: str = "", actor: str | None = None
    ) -> int:
        """Say that nobody could tell which of two finished trials is better; else as ``attach_comparison``.

        It counts as half a preference each way, which draws their utilities together.
        """
        return await self._compared(
            c.AttachComparison(better=first, worse=second, tie=True, judge=judge, note=note), actor
        )

    async def _compared(self, command: c.AttachComparison, actor: str | None) -> int:
        return len((await self.engine.do(command, by(actor))).comparisons) - 1

    async def withdraw_comparison(self, comparison: int, reason: str, actor: str | None = None) -> None:
        """Let a comparison count no more: it stays in the history, and models forget it at once.

        Raises:
            CommandRefused: There is none of that number, it was withdrawn already, or no reason was given.
        """
        await self.engine.do(c.WithdrawComparison(comparison=comparison, reason=reason), by(actor, reason))

    async def get_next_comparison(self) -> Pairing:
        """The two finished trials whose comparison is worth most: ``.trials``; nothing changes by the question.

        Pairs that were compared least often come first, of these the one of the greatest expected utility of the
        better option (EUBO); before the first comparison the most different conditions.

        Raises:
            CommandRefused: No preference is sought.
            GenerationError: There are not two finished trials.
        """
        state = self.state
        if state.optimization is None or not state.optimization.is_preference:
            raise CommandRefused("no preference is sought, so there is nothing to compare: call configure_preference")
        basis = suggestion_request(state, node="bo", count=1, fixed={})
        found = await self.engine.examine(Examination(question="pairing", basis=basis))
        assert isinstance(found, Pairing), f"the answer to pairing is {found}"
        return found


async def preferred(engine: Engine, state: State, use_model: bool) -> BestTrial:
    """The finished trial that is liked best: by the mean utility of a model, or by how often it was preferred.

    Raises:
        CommandRefused: Nobody has compared anything yet.
    """
    best = results.best_observed(state)
    if best is None:
        raise CommandRefused(
            "nobody has compared finished trials yet: get_next_comparison names two, attach_comparison says which is "
            "better"
        )
    reason = ""
    recipes = [one for one in results.recipes(state) if project(state, one.trial) is not None] if use_model else []
    if recipes:
        try:
            reply = await engine.predict([results.conditions(state, one.trial) for one in recipes])
        except GenerationError as exc:
            reason = str(exc)
            log.warning("how often trials were preferred stands in for a model", reason=reason)
        else:
            means = [mean for told in reply.predictions for mean, _ in told.values()]
            place = max(range(len(recipes)), key=means.__getitem__)
            trial, values = recipes[place].trial, dict[str, tuple[float, float | None]](reply.predictions[place])
            return BestTrial(
                results.conditions(state, trial),
                values,
                trial.index,
                trial.arm_name,
                source="model",
                probability=reply.chances[place] if reply.chances else None,
            )
    won: Prediction = best.values
    return BestTrial(
        results.conditions(state, best.trial),
        won,
        best.trial.index,
        best.trial.arm_name,
        source="observed",
        reason=reason,
    )
