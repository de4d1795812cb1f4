"""What stands on a deck: wells and troughs with liquids in them, tips, and a pipette that takes them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from titrant_adapters.twin.physics.base import MaterialError


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
