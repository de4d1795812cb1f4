"""One request for suggestions, and what its answer becomes."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from titrant.actors import mail
from titrant.model.experiment import Node
from titrant.model.trial import Parameterization, Suggestion
from titrant.rules.state import State


class Ask(msgspec.Struct):
    """A request for suggestions: the closed loop's (``order`` None) or somebody's; ``ahead`` of any free slot.

    ``in_place_of`` is the suggestion made ahead that the answer replaces, since it has seen more.
    """

    number: int
    count: int
    node: Node
    state: State
    data_seq: int
    order: mail.AskTrials | None = None
    made: tuple[int, ...] = ()
    ahead: bool = False
    held: tuple[Suggestion, ...] = ()
    in_haste: bool = False
    strategy_node: str = ""
    instead: str = ""
    in_place_of: Suggestion | None = None

    @property
    def fixed(self) -> Parameterization:
        """What whoever ordered it wants held at a value; for the loop, the context it was given."""
        if self.order is not None:
            return self.order.fixed
        return {} if self.state.run is None else self.state.run.options.context

    def message(self) -> mail.Suggest:
        """The request as the generator gets it."""
        return mail.Suggest(
            ask=self.number,
            state=self.state,
            count=self.count,
            node=self.node,
            fixed=self.fixed,
            held=self.held,
            in_haste=self.in_haste,
            strategy_node=self.strategy_node,
            instead=self.instead,
            for_run=self.order is None,
            since=None if self.order is None else self.order.since,
        )

    def suggestions(self, answer: mail.Suggested) -> tuple[Suggestion, ...]:
        """The answer's proposals, each with what it was made from."""
        request, made_from = answer.request, answer.fingerprint
        if request is None or made_from is None:
            return ()
        return tuple(
            Suggestion(
                parameters=proposal.parameters,
                node=proposal.node,
                generator=proposal.generator,
                position=proposal.position,
                seed=request.seed,
                data_seq=self.data_seq,
                pending=tuple(point.trial for point in request.pending if point.trial >= 0),
                predicted=proposal.predicted,
                acquisition_value=proposal.acquisition_value,
                fallback=proposal.fallback,
                seconds=answer.seconds,
                versions=answer.versions if place == 0 else {},
                request=made_from.digest,
                count=request.count,
                place=place,
                fixed=self.fixed if answer.context is None else {**self.fixed, **answer.context},
                held=tuple(suggestion.parameters for suggestion in self.held),
                results=self.state.results if request.observed else 0,
                asked_of=request.node if request.node != proposal.node else "",
                start=request.position if self.held else 0,
                parts=made_from.parts if place == 0 else {},
                maker=answer.maker,
                strategy_node=self.strategy_node,
                ahead=self.ahead,
            )
            for place, proposal in enumerate(answer.proposals)
        )


def used(suggestions: tuple[Suggestion, ...], state: State) -> tuple[Suggestion, ...]:
    """The same as they become trials: each knows how many changes of the results it has not seen."""
    return tuple(
        replace(one, unseen=state.results - one.results) if 0 < one.results < state.results else one
        for one in suggestions
    )
