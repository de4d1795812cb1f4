"""Real replicates, drawn again: the noise of the wire's other end is that of a real laboratory.

A reading is one of the measured replicates of a design; what a design is *worth* is the mean of them all.  The luckiest
reading often belongs to a mediocre design, so whoever scores by readings scores luck.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from statistics import fmean

from titrant.errors import ConfigurationError
from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.physics.base import Input, Output
from titrant_adapters.twin.physics.tables import Table, read_table

Design = tuple[Value, ...]
Reading = tuple[float, ...]


class Replay:
    """Answers with a measured replicate of the design nearest to the settings.

    Distance is taken over the span of each input; a text that differs counts as a whole span.

    Attributes:
        replicates: Each design that was measured, with its readings.
        left_out: Rows without a number where one should have been measured.
    """

    def __init__(self, table: Table) -> None:
        self.name = table.name
        self.replicates: dict[Design, list[Reading]] = {}
        width = len(table.inputs)
        rows = [row for row in table.rows if all(map(_is_number, row[width:]))]  # "≥90%" is none
        self.left_out = len(table.rows) - len(rows)
        if not rows:
            raise ConfigurationError(f"{table.name}: what was measured is not a number anywhere")
        numeric = [all(map(_is_number, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            design = tuple(float(cell) if number else cell for cell, number in zip(row, numeric[:width], strict=False))
            self.replicates.setdefault(design, []).append(tuple(map(float, row[width:])))
        columns = list(zip(*self.replicates, strict=True))
        self.inputs = tuple(map(_input, table.inputs, columns))
        self.outputs = tuple(Output(name=name) for name in table.outputs)

    @classmethod
    def load(cls, source: Path, name: str | None = None, outputs: tuple[str, ...] | None = None) -> Replay:
        """Read a data set; see ``read_table``."""
        return cls(read_table(source, name, outputs))

    def design(self, conditions: Mapping[str, Value]) -> Design:
        """The measured design nearest to some settings."""
        return min(self.replicates, key=lambda design: self._distance(design, conditions))

    def truth(self, conditions: Mapping[str, Value]) -> dict[str, float]:
        """The mean over the replicates of the nearest design."""
        readings = self.replicates[self.design(conditions)]
        return self._named(tuple(map(fmean, zip(*readings, strict=True))))

    def measure(self, conditions: Mapping[str, Value], draws: Random) -> dict[str, float]:
        """One replicate of the nearest design."""
        return self._named(draws.choice(self.replicates[self.design(conditions)]))

    def best(self, output: str, *, highest: bool = True) -> Design:
        """The design that is best by its mean."""
        place = [one.name for one in self.outputs].index(output)
        pick = max if highest else min
        return pick(self.replicates, key=lambda design: fmean(one[place] for one in self.replicates[design]))

    def _named(self, reading: Reading) -> dict[str, float]:
        return {one.name: value for one, value in zip(self.outputs, reading, strict=True)}

    def _distance(self, design: Design, conditions: Mapping[str, Value]) -> float:
        return sum(
            _apart(one, value, conditions[one.name]) ** 2 for one, value in zip(self.inputs, design, strict=True)
        )


def _apart(one: Input, value: Value, asked: Value) -> float:
    if isinstance(value, str) or isinstance(asked, str):
        return float(value != asked)
    return (value - asked) / ((one.high - one.low) or 1.0)


def _input(name: str, column: tuple[Value, ...]) -> Input:
    numbers = [value for value in column if not isinstance(value, str)]
    if len(numbers) == len(column):
        return Input(name=name, low=min(numbers), high=max(numbers))
    return Input(name=name, choices=tuple(sorted({str(value) for value in column})))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
