"""What looking back costs: verifying a log of 100,000 events, exporting it, and the state at its middle.

python benchmarks/audit.py                                       # five rounds, about a minute
python benchmarks/audit.py --json benchmarks/results/audit.json

The log is made by the real rules: a closed loop of some 16,000 trials, eight under way at a time, with retries, lost
contact, failures and people's acts among them, committed by the real log in large groups.  Beside it, in the same
rounds, the standard library alone: every line parsed with json, every envelope written and hashed again (what the
export's verify.py does at the least).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from _machine import Watch, commit, filesystem, machine, versions

from titrant.export import export, import_export
from titrant.log import verify as verifier
from titrant.log.base import Append, Draft
from titrant.log.scanning import scan
from titrant.log.sqlite import SqliteLog
from titrant.messages import commands as c
from titrant.model.experiment import Experiment, RunnerSpec, RunOptions
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space
from titrant.model.trial import Suggestion
from titrant.rules.decide import step
from titrant.rules.evolve import evolve
from titrant.rules.state import State

EVENTS = 100_000
AT_ONCE = 8
GROUP = 2_000
START = 1_790_000_000_000_000
LOG_ID = "ab" * 16
TARGETS = {"verify_s": 0.5, "export_s": 3.0, "state_at_middle_s": 0.6}


def requests(events: int) -> Iterator[Append]:
    """What a supervisor would append: each command decided by the rules in the state the ones before it left."""
    state, at, told = State(), START, 0
    for actor, command in experiment():
        at += 250_000
        decided, state = step(state, command, at)
        if not decided:
            continue
        reason = getattr(command, "reason", None) if actor.startswith("user:") else None
        yield Append(
            drafts=tuple(
                Draft(event=event, recorded_at=at, actor=actor, reason=reason, trial=getattr(event, "trial", None))
                for event in decided
            )
        )
        told += len(decided)
        if told >= events:
            return


def experiment() -> Iterator[tuple[str, c.Command]]:
    """Who asks for what, for ever."""
    space = search_space(
        [
            RangeParameterConfig("temperature_c", (20.0, 90.0)),
            RangeParameterConfig("flow_ml_min", (0.1, 5.0)),
            ChoiceParameterConfig("solvent", ("MeCN", "THF", "DMF"), is_ordered=False),
        ]
    )
    yield "engine", c.OpenSession(engine="benchmark", log_id=LOG_ID, seed=1)
    yield "user:ada", c.ConfigureExperiment(experiment=Experiment(space=space, name="long", owner="ada"))
    yield "user:ada", c.ConfigureOptimization(optimization=optimization_config("yield"))
    yield "user:ada", c.ConfigureMetrics(names=("yield",))
    yield "user:ada", c.ConfigureRunners(runners=(RunnerSpec(name="hplc", can_report_status=True),))
    yield "user:ada", c.StartRun(options=RunOptions(max_trials=1 << 40, parallelism=AT_ONCE))
    index = 0
    while True:
        yield "generator", c.AddTrials(suggestions=(suggestion(index),))
        index += 1
        if index < AT_ONCE:
            continue
        trial = index - AT_ONCE
        this = {"trial": trial, "attempt": 1}
        if trial % 50 == 7:
            yield "runner:hplc", c.ReportRetry(**this, retry=1, reason="503 from the pump", delay_seconds=0.5)
        yield "runner:hplc", c.ReportRunning(**this, metadata={"job": trial})
        if trial % 200 == 11:
            yield "runner:hplc", c.ReportLost(**this, reason="unplugged")
            reason = "the vial is full"
            yield "user:ada", c.Resolve(trial=trial, outcome="running", reason=reason)
        if trial % 25 == 3:
            yield "runner:hplc", c.ReportFinished(**this, status="failed", reason="clogged")
            continue
        yield "runner:hplc", c.ReportFinished(**this, status="completed")
        value = Observation("yield", 50 + 40 * (trial % 997 / 997), 0.3)
        yield "metric:yield", c.RecordFetch(trial=trial, metric="yield", observations=(value,))


def suggestion(trial: int) -> Suggestion:
    x = trial % 991 / 991
    return Suggestion(
        parameters={"temperature_c": 20 + 70 * x, "flow_ml_min": 0.1 + 4.9 * x, "solvent": ("MeCN", "THF")[trial % 2]},
        node="bo",
        generator="SingleTaskGP + qLogNEI",
        position=5,
        seed=trial * 7919,
        data_seq=6 * trial,
        pending=(trial - 1, trial - 2),
        predicted={"yield": (50 + 40 * x, 2.3)},
        acquisition_value=-0.345,
        seconds=1.25,
        versions={"torch": "2.13.0", "botorch": "0.18.0"},
        request=hashlib.sha256(b"%d" % trial).hexdigest(),
    )


async def make(path: Path, events: int) -> int:
    """Write the log, a few thousand events a commit; how many it holds."""
    log = await SqliteLog.create(path, log_id=LOG_ID, now=START, engine="benchmark")
    group: list[Append] = []
    for request in requests(events):
        group.append(request)
        if len(group) == GROUP:
            await log.commit(group)
            group = []
    await log.commit(group)
    await log.close()
    return log.head.seq


def folded(path: Path, until: int) -> State:
    """The state at an event, from the log alone."""
    state = State()
    for _, at, event in scan(path, 0, until):
        state = evolve(state, event, at)
    return state


def plain(lines: Path, identity: list[Any]) -> bytes:
    """The chain by the standard library alone: the least that a verifier must do."""
    columns = "seq part type schema trial recorded_at observed_at actor role reason cause correlation idem_key epoch"
    names = columns.split()
    previous = hashlib.sha256(b"titrant-log-v1\n" + _line(identity)).digest()
    with lines.open("rb") as file:
        for line in file:
            event = json.loads(line)
            envelope = _line([event[name] for name in names])
            previous = hashlib.sha256(previous + envelope + b"\n" + event["payload"].encode()).digest()
            if previous.hex() != event["hash"]:
                raise AssertionError(f"event {event['seq']} does not fit")
    return previous


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()


def measure(folder: Path, events: int, rounds: int) -> dict[str, Any]:
    """Every round measures everything once, so that a busy minute falls on all alike."""
    path = folder / "long.titrant"
    made = asyncio.run(make(path, events))
    checker = [sys.executable, "-I", "-S", Path(verifier.__file__).parents[1] / "export" / "verify.py", folder / "out"]
    identity = [LOG_ID, 1, START, "benchmark", "sha256-v1"]
    samples: dict[str, list[float]] = {}
    spins: list[float] = []  # how long a fixed piece of work took before each round: 7 ms where nobody else is busy
    copy, out, archive = folder / "again.titrant", folder / "out", folder / "out.zip"

    def timed(name: str, work: Callable[[], Any]) -> Any:
        gc.collect()
        begun = time.perf_counter()
        given = work()
        samples.setdefault(name, []).append(time.perf_counter() - begun)
        return given

    for _ in range(rounds):
        spins.append(round(Watch().spin_ms, 2))
        shutil.rmtree(out, ignore_errors=True)
        archive.unlink(missing_ok=True)
        copy.unlink(missing_ok=True)
        verdict = timed("verify_s", lambda: verifier.verify(path))
        if not verdict.ok or verdict.events != made:
            raise AssertionError(str(verdict))
        timed("export_s", lambda: export(path, out))
        timed("export_zip_s", lambda: export(path, archive))
        timed("state_at_middle_s", lambda: folded(path, made // 2))
        timed("state_at_end_s", lambda: folded(path, made))
        if timed("plain_chain_s", lambda: plain(out / "events.jsonl", identity)) != verdict.head.hash:
            raise AssertionError("the chains differ")
        timed("verify_py_s", lambda: subprocess.run(checker, check=True, stdout=subprocess.DEVNULL))
        timed("import_s", lambda: import_export(out, copy))
    pairs = zip(samples["plain_chain_s"], samples["verify_s"], strict=True)
    ratios = [plain_s / verify_s for plain_s, verify_s in pairs]
    medians = {name: statistics.median(values) for name, values in samples.items()}
    return {
        "events": made,
        "log_bytes": path.stat().st_size,
        "samples": {name: [round(value, 4) for value in values] for name, values in samples.items()},
        "medians": {name: round(value, 4) for name, value in medians.items()},
        "spin_ms": spins,
        "best": {name: round(min(values), 4) for name, values in samples.items()},
        "verify_events_per_s": round(made / medians["verify_s"]),
        "plain_chain / verify": round(statistics.median(ratios), 2),
        "targets": {name: {"at most": most, "met": medians[name] <= most} for name, most in TARGETS.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    here = Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory(dir=here, prefix=".audit-") as folder:
        told = measure(Path(folder), arguments.events, arguments.rounds)
        kind = filesystem(Path(folder))
    about = {"machine": machine(), "filesystem": kind, "versions": versions(sys.executable), "commit": commit(here)}
    for name, value in told["medians"].items():
        target = TARGETS.get(name)
        print(
            f"{name:20} {value:8.3f}   best {min(told['samples'][name]):.3f}"
            + (f"   (at most {target})" if target else "")
        )
    print(f"verify: {told['verify_events_per_s']} events/s, {told['plain_chain / verify']} times the standard library")
    if arguments.json:
        arguments.json.write_text(json.dumps({**about, **told}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
