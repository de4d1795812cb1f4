"""Which instruments trials wait for while they have others: in a circle they would wait for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol


class Placed(Protocol):
    """What is asked of a step here."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def place(self) -> str:
        """The instrument it takes place on."""

    @property
    def until(self) -> str:
        """The step until whose end the trial keeps that."""


def circle(stages: Iterable[Sequence[Placed]]) -> tuple[str, str] | None:
    """Two instruments each of which may be waited for by who has the other; None where that cannot be.

    Instruments are taken in the order of the steps; those of a stage one after the other, before it begins.
    """
    after: dict[str, set[str]] = {}
    kept: list[Placed] = []
    for stage in stages:
        had = [step.place for step in kept]
        for step in stage:
            if step.place not in had:
                for place in had:
                    after.setdefault(place, set()).add(step.place)
                had.append(step.place)
        ended = {step.name for step in stage}
        kept = [step for step in (*kept, *stage) if step.until and step.until not in ended]
    for place in after:
        for other in _reached(after, place):
            if place in after.get(other, ()):
                return place, other
    return None


def _reached(after: dict[str, set[str]], place: str) -> set[str]:
    """All instruments that are waited for, and waited for from there, with *place* in hand."""
    found: set[str] = set()
    ahead = [place]
    while ahead:
        new = after.get(ahead.pop(), set()) - found
        found |= new
        ahead.extend(new)
    return found
