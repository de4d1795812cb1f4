"""Who is ahead?  Ranks over everything that was run, paired, with bootstrap intervals; regret against virtual time.

    python benchmarks/ranking.py results/optimization.json results/peers-*.json
    python benchmarks/ranking.py results/*.json --plot regret.png

A *cell* is a problem with so many trials at once.  Within a cell and a seed all optimizers met the same durations and
the same noise; they are ranked by the regret at the end, and ties share a rank.  Cells count alike, however many seeds
they have.  Intervals are of 95 %: cells are drawn with replacement, and seeds within them.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Cell = tuple[str, int, float]
Finals = dict[Cell, dict[str, dict[int, dict[str, Any]]]]
Floats = NDArray[np.float64]
DRAWS, OURS = 4000, "titrant"


def gathered(files: Iterable[Path]) -> Finals:
    """Runs by cell, optimizer and seed."""
    found: Finals = defaultdict(lambda: defaultdict(dict))
    for file in files:
        for one in json.loads(file.read_text())["runs"]:
            cell = (one["problem"], one["parallel"], one["seconds"])
            found[cell][one["optimizer"]][one["seed"]] = one
    return found


def paired(runs: dict[str, dict[int, dict[str, Any]]], names: Sequence[str]) -> Floats | None:
    """Regrets at the end of the seeds that all *names* have; None where one took no part.

    Returns:
        Array of shape ``(seeds, names)``.
    """
    if not all(runs.get(name) for name in names):
        return None
    seeds = sorted(set.intersection(*(set(runs[name]) for name in names)))
    return np.array([[runs[name][seed]["regret"][-1] for name in names] for seed in seeds]) if seeds else None


def interval(cells: Sequence[Floats]) -> tuple[Floats, Floats, Floats]:
    """The mean over cells of each column's mean, and the bounds of its bootstrap interval."""
    rng = np.random.default_rng(0)
    draws = np.empty((DRAWS, cells[0].shape[1]))
    for i in range(DRAWS):
        chosen = [cells[j] for j in rng.integers(len(cells), size=len(cells))]
        draws[i] = np.mean([cell[rng.integers(len(cell), size=len(cell))].mean(axis=0) for cell in chosen], axis=0)
    middle = np.mean([cell.mean(axis=0) for cell in cells], axis=0)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    return middle, low, high


def ranks(finals: Finals, names: Sequence[str]) -> tuple[list[Cell], tuple[Floats, Floats, Floats]]:
    """Mean ranks of *names* over the cells in which all of them took part."""
    tables = {cell: table for cell, runs in finals.items() if (table := paired(runs, names)) is not None}
    return list(tables), interval([rankdata(table, axis=1) for table in tables.values()])


def wins(finals: Finals, peer: str) -> tuple[int, int, tuple[Floats, Floats, Floats]] | None:
    """The share of paired runs in which ours ends ahead of a peer's, ties counting half."""
    tables = [table for runs in finals.values() if (table := paired(runs, [OURS, peer])) is not None]
    if not tables:
        return None
    ahead = [(np.sign(table[:, 1:] - table[:, :1]) + 1) / 2 for table in tables]
    return len(tables), sum(map(len, tables)), interval(ahead)


def medians(finals: Finals, names: Sequence[str]) -> str:
    """A row for each cell: the median regret of each, how many runs; the best in bold, where there are others."""
    lines = [f"| problem | at once | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for cell in sorted(finals):
        found = {n: [one["regret"][-1] for one in finals[cell][n].values()] for n in names if finals[cell].get(n)}
        middle = {name: float(np.median(values)) for name, values in found.items()}
        best = min(middle.values()) if len(middle) > 1 else None
        told = [
            f"{'**' * (middle[n] == best)}{middle[n]:.3g}{'**' * (middle[n] == best)} ({len(found[n])})"
            if n in middle
            else "–"
            for n in names
        ]
        lines.append(f"| {cell[0]} | {cell[1]} | {' | '.join(told)} |")
    return "\n".join(lines)


def courses(runs: dict[str, dict[int, dict[str, Any]]], hours: Floats) -> dict[str, Floats]:
    """The median regret at each time, of the seeds that all have; infinite before half of them have a result."""
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in runs.values())))
    found = {}
    for name, by_seed in runs.items():
        table = [
            np.append(np.inf, by_seed[seed]["regret"])[
                np.searchsorted(np.asarray(by_seed[seed]["times"]) / 3600, hours, side="right")
            ]
            for seed in seeds
        ]
        found[name] = np.median(table, axis=0)
    return found


def behind(course: dict[str, Floats], hours: Floats) -> list[str]:
    """When a peer's median regret was less than ours."""
    told = []
    for name, values in course.items():
        late = hours[values < course[OURS]] if name != OURS else hours[:0]
        if len(late):
            told.append(f"{name} at {len(late)} of {len(hours)} times, {late[0] * 3600:.0f} to {late[-1] * 3600:.0f} s")
    return told


def plot(cells: dict[Cell, tuple[Floats, dict[str, Floats]]], path: Path) -> None:
    """Regret against virtual time, one picture a cell."""
    import matplotlib  # noqa: PLC0415 (tables need none)

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415 (the back end is chosen first)

    figure, axes = pyplot.subplots(1, len(cells), figsize=(5.5 * len(cells), 4), squeeze=False, layout="constrained")
    for axis, ((problem, parallel, seconds), (hours, course)) in zip(axes[0], cells.items(), strict=True):
        for name, values in course.items():
            axis.step(hours, values, where="post", label=name, linewidth=2.2 if name == OURS else 1.2)
        axis.set(
            title=f"{problem}: trials of {seconds:g} s, {parallel} slots, suggestions' time charged",
            xlabel="virtual time / h",
            ylabel="median regret",
            yscale="log",
        )
        axis.title.set_fontsize(9)
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="what optimization.py wrote")
    parser.add_argument("--optimizers", default="titrant,ax,optuna-gp,optuna-tpe,baybe,sobol")
    parser.add_argument("--plot", type=Path, help="where the picture of regret against virtual time goes")
    options = parser.parse_args()
    names = options.optimizers.split(",")
    everything = gathered(options.files)
    free = {cell: runs for cell, runs in everything.items() if not cell[2]}
    print(f"Median regret at the end (runs)\n\n{medians(free, names)}\n")

    groups = [[n for n in names if n != "baybe"], names] if "baybe" in names else [names]
    for group in groups:
        taken = [n for n in group if any(n in runs for runs in free.values())]
        if not any(paired(runs, taken) is not None for runs in free.values()):
            continue
        cells, (middle, low, high) = ranks(free, taken)
        print(f"Mean rank, 1 to {len(taken)}, over the {len(cells)} cells in which all of them took part\n")
        for i in np.argsort(middle):
            print(f"| {taken[i]} | {middle[i]:.2f} | [{low[i]:.2f}, {high[i]:.2f}] |")
        print()
    print("Share of paired runs in which titrant ends ahead\n")
    for peer in names:
        found = wins(free, peer) if peer != OURS else None
        if found is not None:
            cells_n, runs_n, ((middle_1,), (low_1,), (high_1,)) = found
            print(f"| {peer} | {middle_1:.0%} | [{low_1:.0%}, {high_1:.0%}] | {runs_n} pairs, {cells_n} cells |")

    drawn = {}
    for cell, runs in everything.items():
        if cell[2] and OURS in runs:
            taking = {name: runs[name] for name in names if runs.get(name)}
            last = max(one["times"][-1] for by_seed in taking.values() for one in by_seed.values())
            hours = np.linspace(0, last / 3600, 400)
            drawn[cell] = (hours, courses(taking, hours))
            print(f"\n{cell[0]}, {cell[1]} slots, trials of {cell[2]:g} s, time charged: ahead of titrant were")
            print("\n".join(behind(drawn[cell][1], hours)) or "none at any time")
    if options.plot is not None and drawn:
        plot(drawn, options.plot)


if __name__ == "__main__":
    main()
