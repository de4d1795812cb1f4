"""What an adapter adds to a trial, beside the same exchanges by hand with the library that it uses.

python benchmarks/adapters.py                                       # all adapters: some minutes
python benchmarks/adapters.py --only scpi,rest --rounds 5 --seconds 0.3
python benchmarks/adapters.py --json benchmarks/results/adapters.json

Both sides drive the same instrument, a process of its own: the lab twin, whose runs last ``--seconds``.  They take
turns, in reverse in every other round, so that what else goes on meets both.  An adapter does more than the bare side:
its deadlines, the check of who answers, the comparison of what was set; what it records goes nowhere here, since the
log is the engine's cost (see log.py).  The ratio is that of whole trials, pair by pair: the shorter the run, the more
an adapter weighs.  So the table also says from which length on it is within the target.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import sys
import time
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

import _adapter_batch  # noqa: F401  # enters its cases
import _adapter_cases  # noqa: F401  # the same
import _adapter_elsewhere  # noqa: F401  # the same
import _adapter_folders  # noqa: F401  # the same
import _adapter_lines  # noqa: F401  # the same
from _adapter_sides import CASES, Case, NotHereError, Trial
from _machine import commit, machine, versions

TARGET = 1.2
SECONDS = 1.0
WITHOUT = {
    "workcell": "its steps are carried out by the adapters above",
}
"""Why some have no case."""


async def timed(trial: Trial, value: float) -> dict[str, float]:
    """One trial: seconds that passed, and seconds of this process's CPU."""
    key = uuid.uuid4().hex  # a name for the run, nothing that is measured
    begun, cpu = time.perf_counter(), time.process_time()
    await trial(value, key)
    return {"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu}


async def measured(case: Case, seconds: float, rounds: int) -> dict[str, Any]:
    """Pairs of trials, after one of each that is not counted: connections, caches and imports are made by it."""
    found: dict[str, list[dict[str, float]]] = {"adapter": [], "bare": []}
    async with case.opened(seconds) as (adapter, bare):
        sides = (("adapter", adapter), ("bare", bare))
        for _, trial in sides:
            await trial(60.0, uuid.uuid4().hex)
        for number in range(rounds):
            for side, trial in sides if number % 2 else sides[::-1]:
                found[side].append(await timed(trial, 40.0 + number))
    return {"library": case.library, **found, **told(found)}


def told(found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Quartiles of the pairs' ratios and differences."""
    pairs = list(zip(found["adapter"], found["bare"], strict=True))
    ratio = quartiles([ours["wall_s"] / bare["wall_s"] for ours, bare in pairs])
    added = quartiles([1e3 * (ours["wall_s"] - bare["wall_s"]) for ours, bare in pairs])
    cpu = quartiles([1e3 * (ours["cpu_s"] - bare["cpu_s"]) for ours, bare in pairs])
    return {
        "ratio": ratio,
        "added_ms": added,
        "added_cpu_ms": cpu,
        "within_target_from_ms": max(0.0, added[1] / (TARGET - 1)),
        "met": ratio[1] <= TARGET,
    }


def quartiles(values: list[float]) -> list[float]:
    """Lower quartile, median, upper quartile."""
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def line(name: str, found: dict[str, Any]) -> str:
    """One row of the table."""
    if "missing" in found:
        return f"| {name} | – | {found['missing']} | | | | |"
    low, ratio, high = found["ratio"]
    least, added, most = found["added_ms"]
    said = "yes" if found["met"] else "**no**"
    return (
        f"| {name} | {found['library']} | {ratio:.3f} [{low:.3f}–{high:.3f}] | {said} | {added:.1f} "
        f"[{least:.1f}–{most:.1f}] | {found['added_cpu_ms'][1]:.1f} | {found['within_target_from_ms']:.0f} |"
    )


def table(result: dict[str, Any]) -> str:
    """Medians with quartiles."""
    ratio = f"ratio of a trial of {result['seconds']:g} s"
    head = f"| adapter | beside | {ratio} | ≤ {TARGET} | adds, ms | CPU, ms | within from, ms |"
    rows = [line(name, found) for name, found in result["adapters"].items()]
    return "\n".join([head, "|---" * 7 + "|", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of adapters, with commas")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"how long a run lasts (default: {SECONDS:g})")
    parser.add_argument("--json", type=Path, help="write the result here")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    registered = sorted(one.name for one in metadata.entry_points(group="titrant.runners"))
    registered += sorted(f"{one.name}_metric" for one in metadata.entry_points(group="titrant.metrics"))
    wanted = [name for name in options.only.split(",") if name] or registered
    result: dict[str, Any] = {
        "benchmark": "adapters",
        "commit": commit(Path(__file__).resolve().parents[1]),
        "machine": machine(),
        "versions": versions(sys.executable) | libraries(),
        "target": TARGET,
        "seconds": options.seconds,
        "rounds": options.rounds,
        "adapters": {},
    }
    for name in wanted:
        result["adapters"][name] = one(name, options)
        print(line(name, result["adapters"][name]), file=sys.stderr, flush=True)
    result["load_after"] = machine()["load"]
    print(table(result))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def one(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """An adapter's numbers, or why there are none."""
    if name not in CASES:
        return {"missing": WITHOUT.get(name, "no case of its own")}
    try:
        return asyncio.run(measured(CASES[name], options.seconds, options.rounds))
    except (NotHereError, ModuleNotFoundError) as exc:
        return {"missing": str(exc)}


def libraries() -> dict[str, str]:
    """Versions of what the bare side calls."""
    found = {}
    for name in sorted({package for case in CASES.values() for package in case.packages}):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
