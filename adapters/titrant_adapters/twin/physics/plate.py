"""A plate of wells, a pipette and a reader that share one truth: what is in each well.

Volumes are tracked, tips are used up, and a tip that is used again carries over what it touched before.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import msgspec

from titrant.errors import ConfigurationError
from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.physics.base import Input, MaterialError, Output

WATER = "water"


class Liquid(msgspec.Struct):
    """What a well or trough holds, in microlitres by substance."""

    parts: dict[str, float] = {}

    @property
    def volume(self) -> float:
        """All of it."""
        return sum(self.parts.values())

    def share(self, substance: str) -> float:
        """How much of it is one substance, from 0 to 1."""
        return self.parts.get(substance, 0.0) / self.volume if self.parts else 0.0

    def take(self, volume: float) -> dict[str, float]:
        """Draw a volume, all substances alike."""
        taken = {name: volume * self.share(name) for name in self.parts}
        for name, amount in taken.items():
            self.parts[name] -= amount
        return taken

    def add(self, parts: Mapping[str, float]) -> None:
        """Put something in."""
        for name, amount in parts.items():
            self.parts[name] = self.parts.get(name, 0.0) + amount


class Deck:
    """Wells, troughs and tips.

    Args:
        wells: How many there are.
        well_ul: What a well holds.
        tips: How many tips there are.
        tip_ul: What a tip holds.
        carry_over: The share of a transfer that stays in the tip and gets into whatever the tip touches next.
    """

    def __init__(
        self,
        wells: int = 96,
        *,
        well_ul: float = 300.0,
        tips: int = 96,
        tip_ul: float = 300.0,
        carry_over: float = 0.01,
    ) -> None:
        self.wells = [Liquid() for _ in range(wells)]
        self.troughs: dict[str, Liquid] = {}
        self.well_ul, self.tip_ul, self.carry_over = well_ul, tip_ul, carry_over
        self.tips = tips
        self._residue: dict[str, float] | None = None

    @property
    def has_tip(self) -> bool:
        """Whether the pipette holds one."""
        return self._residue is not None

    def pick_up_tip(self) -> None:
        """Take a new tip."""
        if self.has_tip:
            raise MaterialError("the pipette holds a tip already")
        if not self.tips:
            raise MaterialError("no tips are left")
        self.tips -= 1
        self._residue = {}

    def drop_tip(self) -> None:
        """Throw the tip away, with what is in it."""
        if not self.has_tip:
            raise MaterialError("the pipette holds no tip")
        self._residue = None

    def transfer(self, source: Liquid, target: Liquid, volume: float) -> None:
        """Move a volume; nothing moves where it cannot be done wholly."""
        if self._residue is None:
            raise MaterialError("the pipette holds no tip")
        if not 0 <= volume <= self.tip_ul:
            raise MaterialError(f"a tip holds 0 to {self.tip_ul:g} ul, not {volume:g}")
        if volume > source.volume:
            raise MaterialError(f"{volume:g} ul were asked of a well that holds {source.volume:g} ul")
        if target.volume + volume > self.well_ul:
            raise MaterialError(f"a well holds {self.well_ul:g} ul; {target.volume + volume:g} ul would be in it")
        moved = source.take(volume)
        moved_on = {name: amount * (1 - self.carry_over) for name, amount in moved.items()}
        target.add(moved_on)
        target.add(self._residue)
        self._residue = {name: moved[name] - moved_on[name] for name in moved}


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
