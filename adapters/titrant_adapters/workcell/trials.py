"""Which trials are on their way, and which instruments are theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from titrant.model.trial import Attempt
from titrant_adapters.workcell.parts import Part
from titrant_adapters.workcell.places import Places
from titrant_adapters.workcell.progress import Progress


class Trials:
    """The trials that have begun, each with the instruments that it is on or keeps.

    Args:
        parts: The steps by name, in their order.

    Attributes:
        trials: Those on their way by key, and those of which nobody knows what became.
        places: Room on the instruments.
    """

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts
        self.trials: dict[str, Progress] = {}
        self.places = {
            place: Places(least([part.adapter.capacity for part in parts.values() if part.place == place]))
            for place in dict.fromkeys(part.place for part in parts.values())
        }

    def begin(self, attempt: Attempt) -> Progress:
        """A trial's progress, from what the log says of it; its instruments are its own at once."""
        trial = self.trials[attempt.key] = Progress.recalled(attempt, self._parts)
        for place in trial.occupied:
            self.places[place].seize(attempt.key)
        return trial

    def begin_anew(self) -> None:
        """Know of no trial: what the log says of them will be told again."""
        for trial in list(self.trials.values()):
            self.forget(trial)

    def forget(self, trial: Progress) -> None:
        """It is over: its instruments are the next one's."""
        if self.trials.get(trial.key) is trial:
            del self.trials[trial.key]
            for places in self.places.values():
                places.give(trial.key)

    def own(self, trial: Progress, parts: Sequence[Part]) -> list[Part]:
        """Steps on instruments that no other trial is on."""
        return [part for part in parts if not self.places[part.place].others(trial.key)]


def least(capacities: Sequence[int | None]) -> int | None:
    """The least of some capacities; None where nothing bounds any."""
    return min((one for one in capacities if one is not None), default=None)
