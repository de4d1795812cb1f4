"""Write the second golden log of format 1, which holds what came after the first, and one line of JSON per event type.

    python tests/golden/make_v2.py

The first golden log and its lines stay as they are.  Here every event follows from a command by the rules.  Before the
first release it may be run again when an event changes; afterwards a change needs a schema number and an upcaster
(messages/codec.py), and these files stay as they are too.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from titrant.log.base import Append, Draft
from titrant.log.sqlite import SqliteLog
from titrant.messages import commands as c
from titrant.messages.codec import encode
from titrant.messages.commands import By, Command
from titrant.messages.events import Event, TrialRunFinished, TrialSubmitting
from titrant.model.approval import ApprovalPolicy, ApprovalRule
from titrant.model.experiment import Definition, Experiment, GenerationStrategy, RunnerSpec, RunOptions
from titrant.model.objective import Objective, OptimizationConfig, OutcomeConstraint
from titrant.model.observation import Observation
from titrant.model.space import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    LinearConstraint,
    RangeParameterConfig,
    SearchSpace,
)
from titrant.model.trial import Suggestion
from titrant.rules.decide import step
from titrant.rules.state import State

START = 1_795_000_000_000_000
HERE = Path(__file__).parent

ENGINE, LOOP = By(), By("generator")
ADA = By("user:Ada Lovelace", "chemist", "weekly “maintenance”", "call-1")
KIM = By("user:kim", "reviewer")
AGENT = By("agent:planner", None, "it looks promising", "call-2")

CONSTRAINT = LinearConstraint(
    text="temperature_c + 10*equivalents <= 110",
    terms=(("temperature_c", 1.0), ("equivalents", 10.0)),
    relation="<=",
    bound=110.0,
)
TEMPERATURE = RangeParameterConfig(name="temperature_c", bounds=(20.0, 90.0))
OTHERS = (
    RangeParameterConfig(name="catalyst_mol_percent", bounds=(0.1, 10.0), scaling="log"),
    RangeParameterConfig(name="equivalents", bounds=(1, 4), parameter_type="int"),
    ChoiceParameterConfig(name="solvent", values=("MeCN", "THF", "水"), is_ordered=False),
    FixedParameterConfig(name="dry", value=True),
)
SPACE = SearchSpace(parameters=(TEMPERATURE, *OTHERS), constraints=(CONSTRAINT,))
NARROWER = SearchSpace(
    parameters=(
        RangeParameterConfig(name="temperature_c", bounds=(20.0, 60.0)),
        *OTHERS,
        RangeParameterConfig(name="stirring_rpm", bounds=(100.0, 800.0), step_size=50.0),
    ),
    constraints=(CONSTRAINT,),
)
DEFINITION = Definition(
    file="lab/suzuki.yaml",
    content={"name": "Suzuki", "runners": [{"flow": {"port": "COM3", "token": "$FLOW_TOKEN"}}], "seed": None},
)
GOAL = OptimizationConfig(
    text="yield, -cost",
    objectives=(Objective("yield", (("yield", 1.0),)), Objective("-cost", (("cost", -1.0),))),
    constraints=(OutcomeConstraint("purity >= 0.95*baseline", (("purity", 1.0),), ">=", 0.95, relative=True),),
)
POLICY = ApprovalPolicy(
    rules=(
        ApprovalRule(name="hot", when="temperature_c > 60 and solvent != '水'", approvers=("role:chemist", "user:kim")),
        ApprovalRule(proposed_by="agent:*"),
        ApprovalRule(first=1, approvers=("user:*",), proposed_by="generator"),
    )
)
RUNNERS = (
    RunnerSpec(name="flow", capacity=2, honours_keys=True, can_report_status=True, can_stop=True),
    RunnerSpec(name="batch", capacity=1, rerun_safe=True, can_stop=True, absence_is_proof=True),
)
VERSIONS = {"titrant": "0.1.0", "torch": "2.5.1", "botorch": "0.13.0"}
SESSION = c.OpenSession(
    engine="titrant 0.1.0", log_id="1e" * 16, seed=43, host="lab-pc", pid=4711, timezone="Asia/Tokyo", versions=VERSIONS
)
RUN = RunOptions(
    max_trials=9, parallelism=3, tolerated_trial_failure_rate=0.1, min_failed_trials_for_failure_rate_check=3
)


def conditions(place: int, temperature_c: float | None = None, **more: float) -> dict[str, bool | int | float | str]:
    return {
        "temperature_c": 20.0 + 7 * place / 3 if temperature_c is None else temperature_c,
        "catalyst_mol_percent": 0.1 * 1.5**place,
        "equivalents": 1 + place % 3,
        "solvent": ("MeCN", "THF", "水")[place % 3],
        "dry": True,
        **more,
    }


def suggestion(place: int, temperature_c: float | None = None, **more: float) -> Suggestion:
    """What a model says for the even places, and the quasi-random sequence for the odd ones."""
    proposed = conditions(place, temperature_c, **more)
    if place % 2:
        return Suggestion(parameters=proposed, node="sobol", generator="scrambled Sobol", position=place, seed=7)
    return Suggestion(
        parameters=proposed,
        node="bo",
        generator="SingleTaskGP + qLogNEHVI",
        position=place,
        seed=20260901 + place,
        data_seq=12,
        pending=(1,),
        predicted={"yield": (61.5, 2.25), "cost": (1e-7, 0.0)},
        acquisition_value=-0.125,
        fallback="fit did not converge",
        seconds=1.75,
        versions=VERSIONS,
        request="5e" * 32,
        count=2,
        place=1,
        fixed={"dry": True},
        held=(conditions(place + 1),),
        results=2,
        asked_of="centre",
        start=place - 1,
        parts={"data": "0a1b2c3d", "bounds": "4e5f6071"},
        maker="lab.planner:Planner",
    )


def story() -> Iterator[tuple[By, Command]]:
    """A variation of another log, in which people approve, correct and sign; each pair is one request."""
    yield ENGINE, SESSION
    yield (
        ADA,
        c.DeriveLog(log_id="0f" * 16, seq=54, hash="ab" * 32, purpose="a lower bound", changes={"to": [20, 60.5]}),
    )
    yield (
        ADA,
        c.ConfigureExperiment(
            experiment=Experiment(space=SPACE, name="Suzuki", description="a “test”", owner="ada"),
            definition=DEFINITION,
        ),
    )
    yield ADA, c.ConfigureOptimization(optimization=GOAL)
    yield ADA, c.ConfigureStrategy(strategy=GenerationStrategy(method="quality", initialization_budget=3, seed=7))
    yield ADA, c.ConfigureMetrics(names=("yield", "purity"))
    yield ADA, c.ConfigureTrackingMetrics(names=("pressure_bar",))
    yield ADA, c.ConfigureRunners(runners=RUNNERS)
    yield ADA, c.ConfigureApproval(policy=POLICY)
    yield from told()
    yield from first_run()
    yield from second_run()
    yield ENGINE, c.CloseSession()


def told() -> Iterator[tuple[By, Command]]:
    """Trials 0 to 4: a baseline, two of an agent, one stopped early, one abandoned."""
    yield ADA, c.AttachTrial(parameters=conditions(0), baseline=True)
    yield ADA, c.AttachData(trial=0, observations=(Observation("pressure_bar", 2.5, None, progression=30.0, arm="A1"),))
    yield (
        ADA,
        c.CompleteTrial(
            trial=0,
            observations=(
                Observation("yield", 41.25, 0.5),
                Observation("cost", 1.0, 0.0),
                Observation("purity", None, status="nan"),
            ),
            executed={"temperature_c": 20.5},
        ),
    )
    yield AGENT, c.AddTrials(suggestions=(suggestion(1),), asked=True)
    yield (
        AGENT,
        c.RecordRefusal(command="approve", arguments={"trial": 1}, why="only a person (user:NAME) decides"),
    )
    yield KIM, c.Approve(trial=1, reason="gentle enough")
    yield AGENT, c.AttachTrial(parameters=conditions(2, 80.0))
    yield KIM, c.Reject(trial=2, reason="too hot")
    yield ADA, c.AttachTrial(parameters=conditions(3))
    yield ADA, c.AttachData(trial=3, observations=(Observation("yield", 12.0, 1e-300),))
    yield ADA, c.MarkEarlyStopped(trial=3, reason="no better than the baseline")
    yield ADA, c.Replicate(trial=0, count=1, asked=True)
    yield ADA, c.MarkAbandoned(trial=4, reason="precipitates")


def first_run() -> Iterator[tuple[By, Command]]:
    """Trials 1 and 5 to 8 on two runners, until the failure rate trips."""
    yield ADA, c.StartRun(options=RUN)
    yield ENGINE, c.ReportRetry(trial=1, attempt=1, retry=1, reason="503 from the pump", delay_seconds=0.5)
    yield (
        By("runner:flow"),
        c.ReportRunning(trial=1, attempt=1, metadata={"job": 17, "rack": ["A", 1.5, None], "nested": {"ok": True}}),
    )
    yield LOOP, c.AddTrials(suggestions=(suggestion(4), suggestion(5)))
    yield By("runner:flow"), c.ReportRunning(trial=5, attempt=1)
    yield By("runner:batch"), c.ReportRunning(trial=6, attempt=1)
    yield By("runner:flow"), c.ReportFinished(trial=1, attempt=1, status="completed", executed={"equivalents": 3})
    yield By("metric:yield"), c.RecordFetch(trial=1, metric="yield", observations=(Observation("yield", 55.125, 0.1),))
    yield By("metric:purity"), c.RecordFetchFailure(trial=1, metric="purity", reason="HPLC is offline")
    yield ADA, c.RefetchData(trial=1, metrics=("purity",))
    yield ADA, c.AddNote(text="“the HPLC is back”\n水", trial=1)
    yield By("runner:flow"), c.ReportLost(trial=5, attempt=1, reason="the network went away")
    yield ADA, c.Resolve(trial=5, outcome="rerun", reason="the vial is still full")
    yield By("runner:flow"), c.ReportNeverStarted(trial=5, attempt=2, reason="clogged")
    yield LOOP, c.AddTrials(suggestions=(suggestion(6, 85.0),))
    yield ADA, c.ChangeSpace(space=NARROWER, backfill={"stirring_rpm": 400.0})
    yield ENGINE, c.RecordGenerationFailure(node="bo", reason="Cholesky failed", fallback="sobol")
    yield LOOP, c.AddTrials(suggestions=(suggestion(7, stirring_rpm=250.0),))
    yield ENGINE, c.ExpireTrial(trial=6, attempt=1)
    yield By("runner:batch"), c.ReportStopped(trial=6, attempt=1)
    yield ENGINE, c.RecordRestart(name="generator", reason="worker died: SIGKILL", restarts=1)
    yield ENGINE, c.QuarantineRunner(name="batch", reason="3 failures in a row")
    yield By("runner:flow"), c.ReportFinished(trial=8, attempt=1, status="failed", reason="a leak")


def second_run() -> Iterator[tuple[By, Command]]:
    """A run that another process finds again, results withdrawn, a halt, and two signatures."""
    yield ADA, c.RestoreRunner(name="batch")
    yield ADA, c.StartRun(options=RunOptions(max_trials=1, timeout_seconds=3600.0))
    yield ADA, c.Pause()
    yield LOOP, c.AddTrials(suggestions=(suggestion(8, stirring_rpm=300.0),))
    yield ADA, c.Hold(trial=9, reason="the hood is open")
    yield KIM, c.Approve(trial=9)
    yield ADA, c.Unpause()
    yield By("runner:flow"), c.ReportRunning(trial=9, attempt=1, metadata={"job": 18})
    yield ENGINE, c.ExhaustRun(reason="every combination was tried")
    yield ENGINE, c.CloseSession()
    yield ENGINE, replace(SESSION, pid=4712)
    yield ADA, c.StartRun(options=RunOptions(max_trials=0))
    yield By("runner:flow"), c.ReportReattached(trial=9, attempt=1)
    yield ADA, c.Drain()
    yield ADA, c.Stop()
    yield ENGINE, c.RecordHalt(reached=("flow",), failed=("batch",))
    yield ADA, c.Reset()
    yield ADA, c.VoidResult(trial=1, reason="wrong bottle")
    yield ADA, c.UnvoidResult(trial=1, reason="the label was wrong, not the bottle")
    yield (
        KIM,
        c.CorrectResult(trial=1, observations=(Observation("yield", 54.5, None),), reason="a peak was counted twice"),
    )
    yield KIM, c.Sign(meaning="reviewed", seq=0, hash="")
    yield ADA, c.AddNote(text="done")
    yield ADA, c.Sign(meaning="responsible", seq=0, hash="")


async def write(path: Path) -> tuple[str, list[Event]]:
    """Carry the story out; returns the head's hash and the events."""
    log = await SqliteLog.create(path, log_id=SESSION.log_id, now=START, engine=SESSION.engine)
    state, written, last = State(), [], {}
    for nth, (by, asked) in enumerate(story(), start=1):
        at = START + 1_250_000 * nth
        command = replace(asked, actor=by.actor, role=by.role) if isinstance(asked, c.Personal) else asked
        if isinstance(command, c.Sign):
            command = replace(command, seq=log.head.seq, hash=log.head.hash.hex())
        events, state = step(state, command, at)
        assert events, command
        await log.commit([Append(drafts=tuple(draft(event, by, at, last) for event in events))])
        last.update({getattr(event, "trial", None): log.head.seq for event in events})
        written.extend(events)
    await log.close()
    return log.head.hash.hex(), written


def draft(event: Event, by: By, at: int, last: dict[int | None, int]) -> Draft:
    trial = getattr(event, "trial", None)
    return Draft(
        event=event,
        recorded_at=at,
        observed_at=at - 400_000 if isinstance(event, TrialRunFinished) else None,
        actor=by.actor,
        role=by.role,
        reason=by.reason,
        trial=trial,
        cause=None if trial is None else last.get(trial),
        correlation=by.correlation,
        key=event.key if isinstance(event, TrialSubmitting) else None,
    )


def main() -> None:
    path = HERE / "v2.titrant"
    path.unlink(missing_ok=True)
    head, events = asyncio.run(write(path))
    path.with_name(path.name + ".lock").unlink()
    path.chmod(0o644)
    lines = dict.fromkeys(encode(event) for event in events)
    text = "".join(f"{payload}\n" for _, _, payload in lines)
    (HERE / "v2.jsonl").write_text(text, encoding="utf-8")
    (HERE / "v2.head").write_text(head + "\n", encoding="utf-8")
    sys.stdout.write(head + "\n")


if __name__ == "__main__":
    main()
