"""Regret against virtual time, where suggestions' own time counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Runs = dict[int, dict[str, Any]]
DRAWS, TIMES, SURE = 2000, 400, 0.975
COLOURS = {
    "titrant": "tab:blue",
    "ax": "tab:orange",
    "optuna-gp": "tab:green",
    "optuna-tpe": "tab:red",
    "baybe": "tab:purple",
    "sobol": "tab:gray",
}
"""Of each optimizer: the same in all pictures, whoever else takes part."""
OTHERS = ("tab:brown", "tab:pink", "tab:olive", "tab:cyan")


def horizon(by_seed: Runs) -> float:
    """Seconds until which every run still had trials to begin: until then it went as one without an end would have."""
    return min(float(one["times"][max(0, len(one["times"]) - one["parallel"] - 1)]) for one in by_seed.values())


def course(by_seed: Runs, seeds: list[int], seconds: Floats) -> Floats:
    """The regret of each seed at each time; infinite before its first result.

    Returns:
        Array of shape ``(seeds, times)``.
    """
    return np.array(
        [
            np.append(np.inf, by_seed[seed]["regret"])[np.searchsorted(by_seed[seed]["times"], seconds, side="right")]
            for seed in seeds
        ]
    )


@dataclass(frozen=True)
class Comparison:
    """A peer beside titrant, over the seeds that both have, until one of them has no more trials to begin.

    Attributes:
        peer: Its name.
        seeds: How many.
        seconds: The times looked at.
        ahead: Where the peer's median regret is the smaller one.
        sure: Where it is in 97.5 % of the bootstrap's draws of seeds, too.
        behind: Where titrant's is, in as many.
    """

    peer: str
    seeds: int
    seconds: Floats
    ahead: Bools
    sure: Bools
    behind: Bools

    def __str__(self) -> str:
        row = (
            self.peer,
            self.seeds,
            f"{self.seconds[-1]:.0f} s",
            *map(self._when, (self.ahead, self.sure, self.behind)),
        )
        return f"| {' | '.join(map(str, row))} |"

    def _when(self, mask: Bools) -> str:
        if not mask.any():
            return "never"
        found = self.seconds[mask]
        return f"{mask.mean():.0%} ({found[0]:.0f} to {found[-1]:.0f} s)"


def compared(ours: Runs, runs: dict[str, Runs]) -> Iterator[Comparison]:
    """Each of *runs* beside *ours* at each time, paired by seed; medians, with a bootstrap over seeds."""
    for peer, theirs in runs.items():
        seeds = sorted(set(ours) & set(theirs))
        if not seeds:
            continue
        seconds = _times(min(horizon(ours), horizon(theirs)))
        pair = course(ours, seeds, seconds), course(theirs, seeds, seconds)
        mine, other = (np.median(one, axis=0) for one in pair)
        rng = np.random.default_rng(0)
        less, more = np.zeros(TIMES), np.zeros(TIMES)
        for _ in range(DRAWS):
            drawn = rng.integers(len(seeds), size=len(seeds))
            a, b = (np.median(one[drawn], axis=0) for one in pair)
            less, more = less + (b < a), more + (b > a)
        yield Comparison(peer, len(seeds), seconds, other < mine, less >= SURE * DRAWS, more >= SURE * DRAWS)


def _times(last: float) -> Floats:
    return np.linspace(0, last, TIMES + 1)[1:]


def coloured(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, those of ``COLOURS`` first; names that are not there take the others in turn."""
    unknown = dict.fromkeys(name for name in names if name not in COLOURS)
    return COLOURS | {name: OTHERS[at % len(OTHERS)] for at, name in enumerate(unknown)}


def plot(cells: dict[tuple[str, int, float], dict[str, Runs]], ours: str, path: Path) -> None:
    """Median regret against virtual time with ours' quartiles, one picture a cell."""
    import matplotlib  # noqa: PLC0415 (tables need none)

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415 (the back end is chosen first)

    colours = coloured(name for runs in cells.values() for name in runs)
    figure, axes = pyplot.subplots(1, len(cells), figsize=(5.5 * len(cells), 4), squeeze=False, layout="constrained")
    for axis, ((problem, parallel, length), runs) in zip(axes[0], cells.items(), strict=True):
        for name, by_seed in runs.items():
            seconds = _times(horizon(by_seed))
            found, hours = course(by_seed, sorted(by_seed), seconds), seconds / 3600
            mine = name == ours
            (line,) = axis.step(
                hours,
                np.median(found, axis=0),
                where="post",
                label=f"{name}, {len(by_seed)} seeds",
                color=colours[name],
                linewidth=2.2 if mine else 1.2,
                zorder=3 if mine else 2,
            )
            if mine:
                low, high = (np.quantile(found, q, axis=0, method="nearest") for q in (0.25, 0.75))
                axis.fill_between(hours, low, high, step="post", color=line.get_color(), alpha=0.15, linewidth=0)
        axis.set(
            title=f"{problem}: trials of {length:g} s, {parallel} slots, suggestions' time charged",
            xlabel="virtual time / h",
            ylabel="median regret",
            yscale="log",
        )
        axis.title.set_fontsize(9)
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=150)
