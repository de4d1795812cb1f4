"""What is on a bench: sources, tips and wells, and which of them come next."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

from titrant.errors import ConfigurationError, RunnerError
from titrant.ports import run_in_thread
from titrant_adapters.pylabrobot.book import Book
from titrant_adapters.pylabrobot.config import Look, PylabrobotConfig
from titrant_adapters.shape import Errors, bad

ERRORS = Errors(
    {
        # The library looks before it moves anything; what a machine reports of a channel has happened to that channel.
        "pylabrobot.resources.errors.ResourceNotFoundError": "misconfigured",
        "pylabrobot.resources.errors.TooLittleLiquidError": "failed",
        "pylabrobot.resources.errors.TooLittleVolumeError": "failed",
        "pylabrobot.resources.errors.HasTipError": "failed",
        "pylabrobot.resources.errors.NoTipError": "failed",
        "pylabrobot.resources.errors.CrossContaminationError": "failed",
        "pylabrobot.resources.errors.ResourceDefinitionIncompleteError": "misconfigured",
        "pylabrobot.resources.errors.NoLocationError": "misconfigured",
        "pylabrobot.liquid_handling.errors.NoChannelError": "failed",
        "pylabrobot.liquid_handling.errors.ChannelsDoNotFitError": "failed",
        "pylabrobot.liquid_handling.errors.ChannelizedError": "failed",
        "pylabrobot.plate_reading.standard.NoPlateError": "misconfigured",
        # Back ends raise what their drivers raise; after that nobody knows where the arm stopped.
        "builtins.RuntimeError": "unknown",
        "builtins.ValueError": "unknown",
    }
)


class Bench:
    """A laid-out deck, with what is left on it.

    Attributes:
        handler: The liquid handler.
        reader: The plate reader.
        plate: The plate of the trials.
        book: What was used up.
    """

    def __init__(self, config: PylabrobotConfig) -> None:
        module, _, name = config.bench.partition(":")
        try:
            made = getattr(import_module(module), name)()
        except (ImportError, AttributeError) as exc:
            raise bad("bench", config.bench, f"there is no such function: {exc}") from exc
        if missing := [one for one in ("handler", "reader") if not hasattr(made, one)]:
            raise bad(
                "bench", config.bench, f"what it gives is a {type(made).__name__} without {' and '.join(missing)}"
            )
        self.handler, self.reader = made.handler, made.reader
        self.deck = made.handler.deck
        self.plate = self.deck.get_resource(config.plate)
        self._racks = [self.deck.get_resource(rack) for rack in config.tips]
        self._sources = {str(one.to): self._wells(str(one.to)) for one in config.settings.values()}
        self.book = Book(config.book)
        if self.book.page.state:
            self.deck.load_all_state(self.book.page.state)

    def _wells(self, text: str) -> list[Any]:
        plate, _, wells = text.rstrip("]").partition("[")
        try:
            return list(self.deck.get_resource(plate)[wells])
        except (KeyError, IndexError, ValueError) as exc:
            raise ConfigurationError(f"there is no {text!r} on the deck: {exc}") from exc

    async def write(self) -> None:
        """Write the book."""
        await run_in_thread(self.book.write, self.deck.serialize_all_state())

    def well(self) -> Any:
        """The next clean well."""
        for well in self.plate.get_all_items():
            if well.name not in self.book.page.used:
                return well
        raise RunnerError(f"every well of {self.plate.name} is used: put another plate there, and begin another book")

    def source(self, name: str, volume: float) -> Any:
        """The first of the sources that holds enough."""
        for well in self._sources[name]:
            if well.tracker.get_used_volume() >= volume:
                return well
        raise RunnerError(f"nothing in {name} holds {volume:g} uL any more")

    def tip(self) -> Any:
        """The next tip."""
        for rack in self._racks:
            for spot in rack.get_all_items():
                if spot.has_tip():
                    return spot
        raise RunnerError("there are no tips any more")

    async def read(self, well: Any, look: Look) -> float:
        """What the reader sees of a well.

        Raises:
            RunnerError: It sees nothing.
        """
        see = getattr(self.reader.backend, f"read_{look.of}")
        seen = await see(plate=self.plate, wells=[well], **look.at)
        value = seen[0]["data"][well.get_row()][well.get_column()]
        if value is None or not math.isfinite(value):
            raise RunnerError(f"the reader gives {value} for {well.name}: overflow, or not measured")
        return float(value)
