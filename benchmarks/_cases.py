"""What is measured: cases with their sizes, and the rows of the table that come out of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Scale = Literal["full", "quick", "smoke"]

TITRANT = ("titrant", "titrant-0.1")
AX = ("ax", "ax-tuned")
COLUMNS = {
    "titrant": "titrant",
    "titrant-0.1": "titrant, polls 0.1 s",
    "ax": "Ax, defaults",
    "ax-tuned": "Ax, tuned",
}


@dataclass(frozen=True)
class Row:
    """One line of the table: a number of the result, and the most (or least) it may be.

    ``{trials}`` in the label is filled in with the plan's number.
    """

    label: str
    key: str
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    digits: int = 2

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:g} {self.unit}".strip()
        if self.at_least is not None:
            return f"≥ {self.at_least:g} {self.unit}".strip()
        return "–"

    def met(self, value: float) -> bool | None:
        if self.at_most is not None:
            return value <= self.at_most
        if self.at_least is not None:
            return value >= self.at_least
        return None


@dataclass(frozen=True)
class Case:
    """One measurement, made in a process of its own for each variant.

    Attributes:
        name: For ``--only``.
        kind: The function of ``_titrant_side`` and ``_ax_side``.
        rows: What of it goes into the table.
        plan: Its sizes; ``quick``, ``smoke`` and ``ax`` (unless ``--full``) replace some of them.
        variants: Who takes part.
        prepare: A kind that makes the database before the measurement; it is copied for each round.
    """

    name: str
    kind: str
    rows: tuple[Row, ...]
    plan: dict[str, Any]
    quick: dict[str, Any] = field(default_factory=dict)
    smoke: dict[str, Any] = field(default_factory=dict)
    ax: dict[str, Any] = field(default_factory=dict)
    variants: tuple[str, ...] = (*TITRANT, *AX)
    prepare: str = ""

    def sizes(self, scale: Scale, variant: str, *, full: bool) -> dict[str, Any]:
        plan = BASE | self.plan
        if scale == "full":
            return plan | (self.ax if variant in AX and not full else {})
        return plan | self.quick | (self.ax if variant in AX else {}) | (self.smoke if scale == "smoke" else {})


BASE: dict[str, Any] = {
    "seed": 1,
    "method": "random_search",
    "files": False,
    "sqlite": False,
    "durations": [0.0],
    "slots": 1,
    "crash": False,
}

LATENCY = (
    Row("… end of a trial noticed, mean", "latency_mean_ms", "ms", digits=0),
    Row("… end of a trial noticed, latest", "latency_max_ms", "ms", digits=0),
)
PAIRS = [2.5, 2.5, 1.0, 1.0]
"""An order in which a scheduler without overhead leaves no slot idle: 100 % can be reached."""


def utilisation(trials: int, smoke: dict[str, Any]) -> Case:
    label = "Slots busy, {trials} trials of 1.0 or 2.5 s, 4 slots, BO"
    return Case(
        f"utilisation{trials}",
        "closed_loop",
        (Row(label, "utilisation", "%", at_least=90, digits=1), *LATENCY),
        {"trials": trials, "slots": 4, "durations": PAIRS, "files": True, "method": "fast"},
        smoke=smoke,
    )


CASES = (
    Case(
        "tutorial",
        "closed_loop",
        (
            Row("Tutorial: {trials} trials x 5 s, 3 slots, BO: wall / ideal", "ratio", at_most=1.05, digits=3),
            *LATENCY,
        ),
        {"trials": 30, "slots": 3, "durations": [5.0], "files": True, "method": "fast"},
        quick={"trials": 12},
        smoke={"trials": 4, "durations": [0.05], "method": "random_search"},
    ),
    Case(
        "random8",
        "closed_loop",
        (
            Row("{trials} trials x 1 s, 8 slots, random: wall / ideal", "ratio", at_most=1.10, digits=3),
            *LATENCY,
        ),
        {"trials": 30, "slots": 8, "durations": [1.0], "files": True},
        smoke={"trials": 8, "durations": [0.05]},
    ),
    utilisation(16, {"trials": 4, "durations": [0.1, 0.1, 0.04, 0.04], "method": "random_search"}),
    utilisation(40, {"trials": 8, "durations": [0.1, 0.1, 0.04, 0.04], "method": "random_search"}),
    Case(
        "memory1000",
        "closed_loop",
        (
            Row("Overhead a zero-length trial, random, in memory, {trials} trials", "ms_per_trial", "ms", at_most=3),
            Row("… in the last fifth", "last_fifth_ms", "ms"),
        ),
        {"trials": 1000, "tuned_poll": 0},
        smoke={"trials": 50},
        ax={"trials": 200},
        variants=("titrant", *AX),
    ),
    Case(
        "memory10000",
        "closed_loop",
        (Row("… the last fifth of {trials} trials", "last_fifth_ms", "ms", at_most=3),),
        {"trials": 10_000},
        quick={"trials": 3_000},
        smoke={"trials": 50},
        variants=("titrant",),
    ),
    Case(
        "sqlite300",
        "closed_loop",
        (
            Row("The same in durable SQLite, {trials} trials", "ms_per_trial", "ms", at_most=10),
            Row("… in the last fifth", "last_fifth_ms", "ms"),
        ),
        {"trials": 300, "sqlite": True, "tuned_poll": 0},
        smoke={"trials": 20},
        variants=("titrant", *AX),
    ),
    Case(
        "sqlite10000",
        "closed_loop",
        (Row("… the last fifth of {trials} trials", "last_fifth_ms", "ms", at_most=10),),
        {"trials": 10_000, "sqlite": True},
        quick={"trials": 3_000},
        smoke={"trials": 50},
        variants=("titrant",),
    ),
    Case(
        "load",
        "load",
        (Row("Load an experiment of {trials} trials", "seconds", "s", at_most=0.3, digits=3),),
        {"trials": 500, "sqlite": True, "tuned_poll": 0},
        smoke={"trials": 20},
        ax={"trials": 300},
        variants=("titrant", "ax"),
        prepare="build",
    ),
    Case(
        "load_crashed",
        "load",
        (Row("… after a crash (no snapshot, every event read)", "seconds", "s", at_most=0.3, digits=3),),
        {"trials": 500, "sqlite": True, "crash": True},
        smoke={"trials": 10},
        variants=("titrant",),
        prepare="build",
    ),
    Case(
        "import",
        "import",
        (
            Row("Import of the client", "seconds", "s", at_most=0.2, digits=3),
            Row("… resident memory afterwards", "rss_mb", "MB", at_most=60, digits=1),
        ),
        {},
        variants=("titrant", "ax"),
    ),
    Case(
        "stall",
        "stall",
        (
            Row("Event loop late while BO fits {trials} points, p99.9", "p999_ms", "ms", at_most=50, digits=1),
            Row("… p50", "p50_ms", "ms", digits=2),
            Row("… p99", "p99_ms", "ms", digits=2),
            Row("… latest", "max_ms", "ms", digits=1),
            Row("… p99.9 of the same loop idle", "idle_p999_ms", "ms", digits=2),
        ),
        {"trials": 300, "asks": 12, "idle_s": 3.0},
        quick={"asks": 4},
        smoke={"trials": 6, "asks": 1, "idle_s": 0.2},
        variants=("titrant", *AX),
    ),
)
