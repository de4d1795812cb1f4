"""Who is ahead?  Ranks over everything that was run, paired, with bootstrap intervals; regret against virtual time.

    python benchmarks/ranking.py results/optimization.json results/peers-*.json
    python benchmarks/ranking.py results/*.json --plot regret.png --into README.md

A *cell* is a problem with so many trials at once.  Within a cell and a seed all optimizers met the same durations and
the same noise; they are ranked by the regret at the end, and ties share a rank.  Cells count alike, however many seeds
they have.  Intervals are of 95 %: cells are drawn with replacement, and seeds within them.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _courses import compared, plot
from _problems import PROBLEMS
from numpy.typing import NDArray
from scipy.stats import rankdata

Cell = tuple[str, int, float]
Finals = dict[Cell, dict[str, dict[int, dict[str, Any]]]]
Floats = NDArray[np.float64]
DRAWS, OURS = 4000, "titrant"
BEGIN, END = "<!-- ranking:begin -->", "<!-- ranking:end -->"


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


def settled(finals: Finals, names: Sequence[str]) -> str:
    """Where there is noise: the true regret of the trial each would settle on, and of its model's peak."""
    noisy = [cell for cell in sorted(finals) if cell[0] in PROBLEMS and PROBLEMS[cell[0]].noise]
    lines = ["| problem | at once | optimizer | best predicted trial | model's peak |\n|---|---|---|---|---|"]
    for cell in noisy:
        for name in names:
            runs = [one for one in finals[cell].get(name, {}).values() if one["recommended"] is not None]
            peaks = [one["peak"] for one in runs if one.get("peak") is not None]
            if runs:
                tried = f"{np.median([one['recommended'] for one in runs]):.3g} ({len(runs)})"
                peak = f"{np.median(peaks):.3g} ({len(peaks)})" if peaks else "–"
                lines.append(f"| {cell[0]} | {cell[1]} | {name} | {tried} | {peak} |")
    return "\n".join(lines) if len(lines) > 1 else ""


def standings(finals: Finals, names: Sequence[str]) -> Iterator[str]:
    """Mean ranks, first of the peers that took part nearly everywhere, then of all."""
    for group in [[n for n in names if n != "baybe"], names] if "baybe" in names else [names]:
        taken = [n for n in group if any(n in runs for runs in finals.values())]
        if not any(paired(runs, taken) is not None for runs in finals.values()):
            continue
        cells, (middle, low, high) = ranks(finals, taken)
        yield f"Mean rank, 1 to {len(taken)}, over the {len(cells)} cells in which all of them took part\n"
        yield "| | mean rank | 95 % |\n|---|---|---|"
        for i in np.argsort(middle):
            yield f"| {taken[i]} | {middle[i]:.2f} | [{low[i]:.2f}, {high[i]:.2f}] |"
        yield ""


def shares(finals: Finals, names: Sequence[str]) -> Iterator[str]:
    """How often ours ends ahead of each."""
    yield "Share of paired runs in which titrant ends ahead\n\n| of | share | 95 % | |\n|---|---|---|---|"
    for peer in names:
        found = wins(finals, peer) if peer != OURS else None
        if found is not None:
            cells_n, runs_n, ((middle,), (low,), (high,)) = found
            yield f"| {peer} | {middle:.0%} | [{low:.0%}, {high:.0%}] | {runs_n} pairs, {cells_n} cells |"


def report(everything: Finals, names: Sequence[str]) -> Iterator[str]:
    """All tables, line by line."""
    free = {cell: runs for cell, runs in everything.items() if not cell[2]}
    yield f"Median regret at the end (runs)\n\n{medians(free, names)}\n"
    if found := settled(free, names):
        yield f"What an optimizer would settle on: its true regret, median (runs)\n\n{found}\n"
    yield from standings(free, names)
    yield from shares(free, names)
    for (problem, parallel, length), runs in charged(everything, names).items():
        yield f"\n{problem}, {parallel} slots, trials of {length:g} s, time charged: share of the times until the end\n"
        yield "| peer | seeds | end | ahead of titrant | beyond chance | behind it beyond chance |\n" + "|---" * 6 + "|"
        yield from map(str, compared(runs[OURS], {name: runs[name] for name in runs if name != OURS}))


def charged(everything: Finals, names: Sequence[str]) -> dict[Cell, dict[str, dict[int, dict[str, Any]]]]:
    """What ran with suggestions' time on its clock."""
    return {
        cell: {name: runs[name] for name in names if runs.get(name)}
        for cell, runs in everything.items()
        if cell[2] and OURS in runs
    }


def write_into(page: Path, text: str) -> None:
    """Put *text* between the page's marks.

    Raises:
        ValueError: The page has none.
    """
    content = page.read_text(encoding="utf-8")
    before, opening, rest = content.partition(BEGIN)
    _, closing, after = rest.partition(END)
    if not opening or not closing:
        raise ValueError(f"{page} has no {BEGIN} … {END}: write both where the tables are to stand")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="what optimization.py wrote")
    parser.add_argument("--optimizers", default="titrant,ax,optuna-gp,optuna-tpe,baybe,sobol")
    parser.add_argument("--plot", type=Path, help="where the picture of regret against virtual time goes")
    parser.add_argument("--into", type=Path, help=f"a page between whose marks, {BEGIN} and {END}, the tables are put")
    options = parser.parse_args()
    names = options.optimizers.split(",")
    everything = gathered(options.files)
    lines = []
    for line in report(everything, names):
        print(line, flush=True)
        lines.append(line)
    if options.into is not None:
        write_into(options.into, "\n".join(lines))
    timed = charged(everything, names)
    if options.plot is not None and timed:
        plot(timed, OURS, options.plot)


if __name__ == "__main__":
    main()
