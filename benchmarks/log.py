"""What the event log costs: durable appends beside plain sqlite3 in the same rounds, and reading a long log again.

python benchmarks/log.py                                      # seven rounds, about half a minute on an idle machine
python benchmarks/log.py --rounds 3 --json benchmarks/results/log.json
.venv-bench/bin/python benchmarks/log.py                      # with the eventsourcing library beside it

Appends are measured in pairs, every other round the other way round, and reported as medians of the ratio: on a busy
machine the rates move tenfold, their ratio hardly.  The plain side does the same work without the engine around it: it
encodes, checks and hashes each event and inserts it into the same table without triggers, one commit each, WAL and
synchronous=FULL, in one thread that has nothing else to do.

Reading is measured beside the eventsourcing library where it is installed, in the same rounds, for the same reason.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.util
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import anyio
from _machine import commit, filesystem, machine, versions

from titrant.actors.log_writer import LogWriter
from titrant.log import beside, schema
from titrant.log.base import Append, Draft
from titrant.log.chain import HASH_ALG, genesis
from titrant.log.group import Tail, plan
from titrant.log.memory import MemoryLog
from titrant.log.replay import read_log
from titrant.log.scanning import scan
from titrant.log.sqlite import SqliteLog
from titrant.messages import events as e
from titrant.model.observation import Observation
from titrant.model.trial import Suggestion
from titrant.replay.moment import state_at

if TYPE_CHECKING:
    from _eventsourcing_side import Replayed

START = 1_790_000_000_000_000
TARGETS = {"1 producer / sqlite3": 0.7, "64 producers / sqlite3": 4.0, "replay events/s": 200_000}
REPLAY = "replay: decode, verify and fold"
ALONE = "the same in one process"
PEER = "eventsourcing: decode and fold"
PEER_EVENTS = 12_000  # its rate does not depend on their number, and it is slow


def history(count: int) -> list[Draft]:
    """Trials as a closed loop leaves them: created from a suggestion, submitted, running, finished, data, completed."""
    drafts: list[Draft] = []
    trial = 0
    while len(drafts) < count:
        x = trial % 997 / 997
        conditions = {
            "temperature_c": 20 + 60 * x,
            "flow_ml_min": 3.1 * x,
            "conc_mol_l": 1 / (trial + 1),
            "solvent": "THF",
        }
        suggestion = Suggestion(
            parameters=conditions,
            node="bo",
            generator="SingleTaskGP + qLogNEI",
            position=5,
            seed=trial * 7919,
            data_seq=6 * trial,
            pending=(trial - 1, trial - 2),
            predicted={"yield": (50 + 40 * x, 2.3)},
            acquisition_value=-0.345,
            seconds=1.25,
            versions={"torch": "2.5.1", "botorch": "0.13.0"},
        )
        key = f"{trial * 2654435761:032x}"
        for event in (
            e.TrialCreated(trial=trial, parameters=conditions, arm_name=f"{trial}_0", suggestion=suggestion),
            e.TrialSubmitting(trial=trial, runner="hplc", attempt=1, key=key),
            e.TrialRunning(trial=trial, attempt=1, metadata={"job": key}),
            e.TrialRunFinished(trial=trial, attempt=1, awaiting=("yield", "purity")),
            e.DataAttached(
                trial=trial, observations=(Observation("yield", 97 * x, 0.3), Observation("purity", x, None))
            ),
            e.TrialCompleted(trial=trial),
        ):
            drafts.append(
                Draft(
                    event=event,
                    recorded_at=START + 1000 * len(drafts),
                    trial=trial,
                    correlation=f"command-{trial}",
                    key=key if isinstance(event, e.TrialSubmitting) else None,
                )
            )
        trial += 1
    return drafts[:count]


def plain(folder: Path, drafts: Sequence[Draft]) -> float:
    """Appends a second of the sqlite3 module, one commit each."""
    tail = Tail(0, genesis(log_id="plain", file_format=1, created_at=0, created_by="", hash_alg=HASH_ALG))
    connection = sqlite3.connect(folder / f"plain-{time.perf_counter_ns()}.db", isolation_level=None)
    for statement in (*schema.WRITING, *schema.TABLES):
        connection.execute(statement)
    insert = schema.INSERT + schema.ROW
    begun = time.perf_counter()
    for draft in drafts:
        planned = plan([Append(drafts=(draft,))], tail, 1, {})
        connection.execute(insert, planned.rows[0])
        tail = planned.tail
    seconds = time.perf_counter() - begun
    connection.close()
    return len(drafts) / seconds


async def produced(folder: Path, drafts: Sequence[Draft], producers: int) -> tuple[float, list[float]]:
    """Appends a second through the log writer, and how long each waited to be told that it is durable."""
    log = await SqliteLog.create(folder / f"log-{time.perf_counter_ns()}.titrant", log_id="b", now=START, engine="b")
    writer, waiting, waits = LogWriter(log), iter(drafts), []

    async def produce() -> None:
        # The clock of a log never goes back; producers overtake each other.
        for draft in waiting:
            begun = time.perf_counter()
            await writer.append(Append(drafts=(draft,)))
            waits.append(time.perf_counter() - begun)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writer.run)
        begun = time.perf_counter()
        async with anyio.create_task_group() as group:
            for _ in range(producers):
                group.start_soon(produce)
        seconds = time.perf_counter() - begun
        tasks.cancel_scope.cancel()
    if log.head.seq != len(drafts):
        raise AssertionError(f"{log.head.seq} of {len(drafts)} events were stored")
    await log.close()
    return len(drafts) / seconds, waits


def appends(folder: Path, rounds: int) -> dict[str, Any]:
    drafts = history(64 * 48)
    rates: dict[str, list[float]] = {"sqlite3": [], "1 producer": [], "64 producers": []}
    waits: dict[str, list[float]] = {"1 producer": [], "64 producers": []}

    def through_writer(name: str, producers: int, count: int) -> None:
        rate, waited = asyncio.run(produced(folder, drafts[:count], producers))
        rates[name].append(rate)
        waits[name] += waited

    steps = (
        lambda: rates["sqlite3"].append(plain(folder, drafts[:240])),
        lambda: through_writer("1 producer", 1, 240),
        lambda: through_writer("64 producers", 64, len(drafts)),
    )
    for number in range(rounds):
        for step in steps if number % 2 == 0 else steps[::-1]:
            step()
    ratios = {
        f"{name} / sqlite3": statistics.median(a / b for a, b in zip(rates[name], rates["sqlite3"], strict=True))
        for name in waits
    }
    told = {
        name: {
            "p50_ms": 1e3 * statistics.median(found),
            "p99_ms": 1e3 * statistics.quantiles(found, n=100)[98],
        }
        for name, found in waits.items()
    }
    return {"rates": rates, "ratios": ratios, "acknowledged_after": told}


def replay(folder: Path, rounds: int, count: int) -> dict[str, Any]:
    path = folder / "long.titrant"

    async def fill(drafts: Sequence[Draft]) -> None:
        log = await SqliteLog.create(path, log_id="b", now=START, engine="b")
        for start in range(0, count, 1000):
            await log.commit([Append(drafts=(draft,)) for draft in drafts[start : start + 1000]])
        await log.close()

    asyncio.run(fill(history(count)))  # kept by nobody: who reads a log has not the same events in memory already

    def alone(way: Callable[[], int]) -> int:
        with patch.object(beside, "LONG", count + 1):
            return way()

    def counted(events: Iterable[Any]) -> int:
        return sum(1 for _ in events)

    ways: dict[str, Callable[[], int]] = {
        REPLAY: lambda: state_at(path).seq,
        ALONE: lambda: alone(lambda: state_at(path).seq),
        "scan: decode and verify": lambda: counted(scan(path)),
        "scan in one process": lambda: alone(lambda: counted(scan(path))),
        "scan: decode only": lambda: counted(scan(path, verify=False)),
        "read: records, decode and verify": lambda: counted(read_log(path)),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    cpu_rates: dict[str, list[float]] = {name: [] for name in ways}
    peer = replayed_by_peer(folder, history(PEER_EVENTS))
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            begun, cpu_begun = time.perf_counter(), time.process_time()
            found = way()
            rates[name].append(found / (time.perf_counter() - begun))
            cpu_rates[name].append(found / (time.process_time() - cpu_begun))
            if found != count:
                raise AssertionError(f"{found} of {count} events were read")
        if peer is not None:
            rates.setdefault(PEER, []).append(peer.rate())
    told = {"events": count, "bytes_an_event": path.stat().st_size / count, "rates": rates, "cpu_rates": cpu_rates}
    if peer is not None:
        peer.close()
        told["ratio"] = statistics.median(a / b for a, b in zip(rates[REPLAY], rates[PEER], strict=True))
    return told


def replayed_by_peer(folder: Path, drafts: Sequence[Draft]) -> Replayed | None:
    """The same history in the eventsourcing library's store, where it is installed."""
    if importlib.util.find_spec("eventsourcing") is None:
        return None
    from _eventsourcing_side import Replayed  # noqa: PLC0415  # a peer, in an environment of its own

    return Replayed(folder, drafts)


def in_memory(rounds: int) -> list[float]:
    """Microseconds an event: encode, decode again, compare, chain, keep."""
    drafts, found = history(12_000), []

    async def once() -> float:
        log = MemoryLog(log_id="b")
        begun = time.perf_counter()
        for draft in drafts:
            await log.commit([Append(drafts=(draft,))])
        return 1e6 * (time.perf_counter() - begun) / len(drafts)

    for _ in range(rounds):
        found.append(asyncio.run(once()))
    return found


def table(result: dict[str, Any]) -> str:
    def line(name: str, found: Sequence[float], note: str = "") -> str:
        return f"{name:38} {statistics.median(found):>12,.0f} [{min(found):,.0f}–{max(found):,.0f}] {note}"

    measured, lines = result["appends"], ["durable appends, events/s"]
    for name, found in measured["rates"].items():
        ratio = measured["ratios"].get(f"{name} / sqlite3")
        told = measured["acknowledged_after"].get(name)
        target = TARGETS.get(f"{name} / sqlite3")
        note = "" if ratio is None else f"{ratio:.2f} × sqlite3 (target {target}), p99 {told['p99_ms']:.1f} ms"
        lines.append("  " + line(name, found, note))
    lines.append(f"reading {result['replay']['events']:,} events, events/s")
    for name, found in result["replay"]["rates"].items():
        if name == PEER:
            lines.append("  " + line(name, found, f"replay is {result['replay']['ratio']:.1f} × as fast"))
            continue
        of_cpu = statistics.median(result["replay"]["cpu_rates"][name])
        target = f", target {TARGETS['replay events/s']:,}" if name == REPLAY else ""
        lines.append("  " + line(name, found, f"({of_cpu:,.0f} a second of CPU{target})"))
    lines.append("in memory, µs an event")
    lines.append("  " + line("append", result["memory_us"]))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=100_000, help="length of the log that is read")
    parser.add_argument("--json", type=Path, help="write the result here")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="measure on this folder's file system")
    options = parser.parse_args()
    before = machine()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix=".bench-log-") as name:
        folder = Path(name)
        result: dict[str, Any] = {
            "benchmark": "log",
            "commit": commit(Path(__file__).resolve().parents[1]),
            "machine": before,
            "filesystem": filesystem(folder),
            "versions": {**versions(sys.executable), "sqlite": sqlite3.sqlite_version},
            "targets": TARGETS,
            "appends": appends(folder, options.rounds),
            "replay": replay(folder, options.rounds, options.events),
            "memory_us": in_memory(options.rounds),
            "load_after": machine()["load"],
        }
    print(table(result))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
