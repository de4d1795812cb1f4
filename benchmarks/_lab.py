"""A simulated laboratory that keeps its own books: the same code runs under every engine that is measured.

Standard library only, so that importing it costs neither side anything.
"""

from __future__ import annotations

import heapq
import itertools
import json
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_ALPHA = (1.0, 1.2, 3.0, 3.2)
_A = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
_P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)

NAMES = tuple(f"x{i}" for i in range(1, 7))


def hartmann6(parameters: Mapping[str, Any]) -> float:
    """Minimum -3.32237 on [0, 1]^6."""
    x = [float(parameters[name]) for name in NAMES]
    return -sum(
        alpha * math.exp(-sum(a * (xi - p) ** 2 for a, xi, p in zip(row_a, x, row_p, strict=True)))
        for alpha, row_a, row_p in zip(_ALPHA, _A, _P, strict=True)
    )


class Lab:
    """Runs trials that end by themselves after a known time; polled, with Ax's method names.

    Args:
        durations: Seconds of trial i: ``durations[i % len(durations)]``.
        folder: Where each trial gets a file of its own; None keeps everything in the metadata.
        running: What ``poll_trial`` answers while a trial runs, in the engine's own words.
        completed: What it answers afterwards.
    """

    def __init__(self, durations: Sequence[float], folder: str | None, running: Any, completed: Any) -> None:
        self.durations = tuple(durations)
        self.folder = folder
        self.running = running
        self.completed = completed
        self.spans: dict[int, tuple[float, float]] = {}
        self.polls = 0
        self._runs = itertools.count()

    def run_trial(self, trial_index: int, parameterization: Mapping[str, Any]) -> dict[str, Any]:
        began = time.time()
        ends = began + self.durations[trial_index % len(self.durations)]
        if trial_index in self.spans:
            raise AssertionError(f"trial {trial_index} was started twice")
        self.spans[trial_index] = (began, ends)
        trial = {"ends": ends, "value": hartmann6(parameterization)}
        if self.folder is None:
            return trial
        name = f"{trial_index}-{next(self._runs)}-{time.time_ns()}.json"
        Path(self.folder, name).write_text(json.dumps(trial))
        return {"file": name}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        self.polls += 1
        ends = float(read_trial(self.folder, trial_metadata)["ends"])
        return self.completed if time.time() >= ends else self.running

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        return {}


def read_trial(folder: str | None, metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a trial left: its file, or its metadata."""
    if folder is None:
        return metadata
    trial: dict[str, Any] = json.loads(Path(folder, metadata["file"]).read_text())
    return trial


def list_schedule(durations: Sequence[float], slots: int) -> float:
    """The makespan of *durations* taken in order, each by the slot that is free first: no overhead at all."""
    free = [0.0] * slots
    for duration in durations:
        heapq.heappush(free, heapq.heappop(free) + duration)
    return max(free)


def trial_durations(plan: Mapping[str, Any]) -> list[float]:
    return [plan["durations"][i % len(plan["durations"])] for i in range(plan["trials"])]


def by_fifths(began: float, starts: Sequence[float], ended: float) -> list[float]:
    """Milliseconds a trial in each fifth of the run; a fifth lasts until the next one's first trial starts."""
    n = len(starts)
    edges = [began, *(starts[n * k // 5] for k in range(1, 5)), ended]
    return [(edges[k + 1] - edges[k]) * 1e3 / (n * (k + 1) // 5 - n * k // 5) for k in range(5)]


def closed_loop_result(
    lab: Lab, plan: Mapping[str, Any], began: float, wall: float, noticed: Mapping[int, float]
) -> dict[str, Any]:
    """What a closed loop is judged by, from the laboratory's own books.

    Args:
        lab: The laboratory after the run.
        plan: The case's sizes.
        began: When ``run_trials`` was called, seconds since 1970.
        wall: How long it took.
        noticed: Trial index to when the engine recorded its end, seconds since 1970.
    """
    if len(lab.spans) != plan["trials"] or len(noticed) != plan["trials"]:
        raise AssertionError(f"{plan['trials']} trials asked, {len(lab.spans)} started, {len(noticed)} noticed")
    starts = sorted(start for start, _ in lab.spans.values())
    result: dict[str, Any] = {"wall_s": wall, "polls": lab.polls, "trials": plan["trials"]}
    busy = sum(end - start for start, end in lab.spans.values())
    if not busy:
        fifths = by_fifths(began, starts, began + wall)
        return result | {
            "ms_per_trial": wall * 1e3 / plan["trials"],
            "ms_by_fifths": fifths,
            "last_fifth_ms": fifths[-1],
        }
    ideal = list_schedule(trial_durations(plan), plan["slots"])
    ends = sorted(end for _, end in lab.spans.values())
    slots = plan["slots"]
    late = [noticed[trial] - end for trial, (_, end) in lab.spans.items()]
    return result | {
        "ideal_s": ideal,
        "ratio": wall / ideal,
        "busy_s": busy,
        "utilisation": 100 * busy / (wall * slots),
        "ceiling": 100 * busy / (ideal * slots),
        "first_starts_s": [start - began for start in starts[:slots]],
        "refills_s": [start - end for end, start in zip(ends, starts[slots:], strict=False)],
        "latency_mean_ms": statistics.mean(late) * 1e3,
        "latency_max_ms": max(late) * 1e3,
    }


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def lateness_result(late: Sequence[float], asks: Sequence[float], idle: Sequence[float]) -> dict[str, Any]:
    """Ticks' lateness in milliseconds, while asking and before."""
    return {
        "ticks": len(late),
        "p50_ms": quantile(late, 0.5) * 1e3,
        "p99_ms": quantile(late, 0.99) * 1e3,
        "p999_ms": quantile(late, 0.999) * 1e3,
        "max_ms": max(late) * 1e3,
        "idle_p999_ms": quantile(idle, 0.999) * 1e3,
        "idle_max_ms": max(idle) * 1e3,
        "ask_s": list(asks),
        "late_ms": [round(value * 1e3, 3) for value in sorted(late)[-20:]],
    }


def memory_mb() -> float:
    """Resident memory of this process, MB of 10^6 bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError("no VmRSS")
