"""What a past experiment gave, as the present one keeps it: its trials' data in columns, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from titrant.model.observation import Observation
from titrant.model.trial import Parameterization, ParameterValue


class Past(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data of a past experiment, in the present one's parameters and metrics.

    Attributes:
        name: The past experiment's name.
        file: The name of its log's file, without the folder.
        log_id: The log's own identity.
        seq: The number of the last event that was read.
        hash: That event's hash (hex): with ``seq`` what it takes to find the same data again.
        found: Finished trials with data of the metrics that were in the log.
        parameters: Name to the value in each of the ``n`` trials that were taken; None where it was not active.
        metrics: Name to the mean in each, in the metric's unit here; None where it was not measured.
        sems: Name to its standard errors; a metric without any is left out.
        renamed: Names in the past log to names here, where they differ.
        scaled: Name here to factor and offset: a value here is ``factor * value + offset``.
        filled: Parameters that the past experiment did not have, and the value that it is taken to have had.
        dropped: Parameters of the past experiment that there are no more here.
        lacking: Metrics that are sought here and were not measured there.
        left_out: Trials of ``found`` that have no place in the present search space.
    """

    name: str
    file: str
    log_id: str
    seq: int
    hash: str
    found: int
    parameters: dict[str, tuple[ParameterValue | None, ...]]
    metrics: dict[str, tuple[float | None, ...]]
    sems: dict[str, tuple[float | None, ...]] = {}
    renamed: dict[str, str] = {}
    scaled: dict[str, tuple[float, float]] = {}
    filled: Parameterization = {}
    dropped: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def count(self) -> int:
        """How many trials were taken."""
        return len(next(iter(self.metrics.values()), ()))

    def trials(self) -> Iterator[tuple[Parameterization, tuple[Observation, ...]]]:
        """Conditions and observations of each trial."""
        for i in range(self.count):
            conditions = {name: value for name, column in self.parameters.items() if (value := column[i]) is not None}
            yield conditions, tuple(self._observed(i))

    def _observed(self, i: int) -> Iterator[Observation]:
        for name, column in self.metrics.items():
            mean = column[i]
            if mean is not None:
                sems = self.sems.get(name)
                yield Observation(name, mean, None if sems is None else sems[i])

    def __str__(self) -> str:
        told = [f"{self.count} of {self.found} trials of {self.name!r} ({self.file})"]
        if self.left_out:
            told.append(f"{self.left_out} have no place in the present search space")
        if self.renamed:
            told.append("called otherwise there: " + ", ".join(f"{a} for {b}" for a, b in self.renamed.items()))
        if self.scaled:
            told.append("converted: " + ", ".join(self.scaled))
        if self.filled:
            told.append("taken to have had " + ", ".join(f"{name}={value}" for name, value in self.filled.items()))
        if self.dropped:
            told.append("without its " + ", ".join(self.dropped))
        if self.lacking:
            told.append("nothing on " + ", ".join(self.lacking))
        return "; ".join(told)
