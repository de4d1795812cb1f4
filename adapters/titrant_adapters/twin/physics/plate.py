"""A plate of wells, a pipette and a reader that share one truth: what is in each well.

Volumes are tracked, tips are used up, and a tip that is used again carries over what it touched before.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from titrant.errors import ConfigurationError
from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.physics.base import Input, MaterialError, Output
from titrant_adapters.twin.physics.deck import Deck, Liquid

WATER = "water"


class Plate:
    """Mixes dyes with water in the next empty well and reads its absorbance (Beer and Lambert).

    Args:
        dyes: Substance to absorbance of the undiluted dye.
        total_ul: What each well is filled up to.
        fresh_tips: Whether each transfer takes a new tip; one tip for all contaminates.
        noise_sd: Of the reader.
        deck: Where it happens.
    """

    outputs = (Output(name="absorbance"),)

    def __init__(
        self,
        dyes: Mapping[str, float] | None = None,
        *,
        total_ul: float = 200.0,
        fresh_tips: bool = True,
        noise_sd: float = 0.01,
        deck: Deck | None = None,
    ) -> None:
        self.dyes = {"red": 2.5, "blue": 1.5} if dyes is None else dict(dyes)
        if WATER in self.dyes or not self.dyes:
            raise ConfigurationError(f"a plate needs a dye, and {WATER} is none")
        self.total_ul, self.fresh_tips, self.noise_sd = total_ul, fresh_tips, noise_sd
        self.deck = Deck() if deck is None else deck
        for name in (*self.dyes, WATER):
            self.deck.troughs.setdefault(name, Liquid({name: 1e5}))
        self.inputs = tuple(Input(name=name, unit="ul", high=total_ul, start=0.0) for name in self.dyes)

    def truth(self, conditions: Mapping[str, Value]) -> dict[str, float]:
        """The absorbance of a clean mixture."""
        volumes = self._volumes(conditions)
        total = sum(volumes.values())
        return {"absorbance": sum(self.dyes.get(name, 0.0) * volume for name, volume in volumes.items()) / total}

    def measure(self, conditions: Mapping[str, Value], draws: Random) -> dict[str, float]:
        """Mix in the next empty well, and read it."""
        volumes = {name: volume for name, volume in self._volumes(conditions).items() if volume}
        well = next((well for well in self.deck.wells if not well.volume), None)
        if well is None:
            raise MaterialError("no empty well is left")
        for name, volume in volumes.items():
            if self.fresh_tips and self.deck.has_tip:
                self.deck.drop_tip()
            if not self.deck.has_tip:
                self.deck.pick_up_tip()
            self.deck.transfer(self.deck.troughs[name], well, volume)
        seen = sum(absorbance * well.share(name) for name, absorbance in self.dyes.items())
        return {"absorbance": seen + draws.normalvariate(0.0, self.noise_sd)}

    def _volumes(self, conditions: Mapping[str, Value]) -> dict[str, float]:
        volumes = {name: float(conditions[name]) for name in self.dyes}
        water = self.total_ul - sum(volumes.values())
        if water < 0:
            raise MaterialError(f"{sum(volumes.values()):g} ul were asked for, and a well takes {self.total_ul:g} ul")
        return {**volumes, WATER: water}
