"""Write the golden log of format 1, and one line of JSON per event type: run once per released format, never again.

    python tests/golden/make_v1.py

Before the first release it may be run again when an event changes; afterwards a change needs a schema number and an
upcaster (messages/codec.py), and these files stay as they are.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from titrant.log.base import Append, Draft
from titrant.log.sqlite import SqliteLog
from titrant.messages import events as e
from titrant.messages.codec import encode
from titrant.model.experiment import Experiment, GenerationStrategy, RunnerSpec, RunOptions
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

START = 1_790_000_000_000_000
HERE = Path(__file__).parent

SPACE = SearchSpace(
    parameters=(
        RangeParameterConfig(name="temperature_c", bounds=(20.0, 90.0)),
        RangeParameterConfig(name="catalyst_mol_percent", bounds=(0.1, 10.0), scaling="log"),
        RangeParameterConfig(name="equivalents", bounds=(1, 4), parameter_type="int"),
        ChoiceParameterConfig(name="solvent", values=("MeCN", "THF", "水"), is_ordered=False),
        FixedParameterConfig(name="dry", value=True),
    ),
    constraints=(
        LinearConstraint(
            text="temperature_c + 10*equivalents <= 110",
            terms=(("temperature_c", 1.0), ("equivalents", 10.0)),
            relation="<=",
            bound=110.0,
        ),
    ),
)
GOAL = OptimizationConfig(
    text="yield, -cost",
    objectives=(Objective("yield", (("yield", 1.0),)), Objective("-cost", (("cost", -1.0),))),
    constraints=(OutcomeConstraint("purity >= 0.95*baseline", (("purity", 1.0),), ">=", 0.95, relative=True),),
)
RUNNERS = (
    RunnerSpec(name="flow", capacity=2, honours_keys=True, can_report_status=True, can_stop=True),
    RunnerSpec(name="batch", rerun_safe=True, absence_is_proof=True, on_unknown="abandon"),
)
VERSIONS = {"titrant": "0.1.0", "torch": "2.5.1", "botorch": "0.13.0"}


def conditions(trial: int) -> dict[str, bool | int | float | str]:
    return {
        "temperature_c": 20.0 + 7 * trial / 3,
        "catalyst_mol_percent": 0.1 * 2**trial,
        "equivalents": 1 + trial % 4,
        "solvent": ("MeCN", "THF", "水")[trial % 3],
        "dry": True,
    }


def created(trial: int, node: str = "sobol") -> e.TrialCreated:
    bo = node == "bo"
    suggestion = Suggestion(
        parameters=conditions(trial),
        node=node,
        generator="SingleTaskGP + qLogNEHVI" if bo else "scrambled Sobol",
        position=trial,
        seed=20260901 + trial,
        data_seq=10 * trial,
        pending=tuple(range(trial))[-2:],
        predicted={"yield": (61.5, 2.25), "cost": (1e-7, 0.0)} if bo else {},
        acquisition_value=-0.125 if bo else None,
        fallback="fit did not converge" if bo else None,
        seconds=1.75,
        versions=VERSIONS if bo else {},
    )
    return e.TrialCreated(trial=trial, parameters=conditions(trial), arm_name=f"{trial}_0", suggestion=suggestion)


def submitting(trial: int, attempt: int = 1, runner: str = "flow") -> e.TrialSubmitting:
    return e.TrialSubmitting(trial=trial, runner=runner, attempt=attempt, key=f"{trial:016x}{attempt:016x}")


def history() -> list[tuple[e.Event, ...]]:
    """Five trials in one laboratory on one eventful day; each tuple is one request."""
    session = e.SessionOpened(
        engine="titrant 0.1.0", log_id="0f" * 16, seed=42, host="lab-pc", pid=4711, timezone="Europe/Berlin",
        versions=VERSIONS,
    )  # fmt: skip
    return [
        (session,),
        (
            e.ExperimentConfigured(
                experiment=Experiment(space=SPACE, name="Suzuki", description="a “test”", owner="ada")
            ),
        ),
        (e.OptimizationConfigured(optimization=GOAL),),
        (e.StrategyConfigured(strategy=GenerationStrategy(method="quality", initialization_budget=3, seed=7)),),
        (e.MetricsConfigured(names=("yield", "cost", "purity")), e.TrackingMetricsConfigured(names=("pressure_bar",))),
        (e.RunnersConfigured(runners=RUNNERS),),
        (e.TrialCreated(trial=0, parameters=conditions(0), origin="baseline", arm_name="baseline", asked=True),),
        (
            e.DataAttached(
                trial=0,
                observations=(
                    Observation("yield", 41.25, 0.5),
                    Observation("cost", 1.0, 0.0),
                    Observation("purity", None, status="nan"),
                    Observation("pressure_bar", 2.5, None, progression=30.0, arm="A1"),
                ),
            ),
            e.TrialCompleted(trial=0, missing=("purity",), reason="detector was off"),
        ),
        (e.RunStarted(options=RunOptions(max_trials=4, parallelism=2, timeout_seconds=3600.0)),),
        (created(1), created(2)),
        (e.TrialStaged(trial=1), submitting(1)),
        (e.TrialStaged(trial=2), submitting(2)),
        (e.SubmissionRetried(trial=1, attempt=1, retry=1, reason="503 from the pump", delay_seconds=0.5),),
        (e.TrialRunning(trial=1, attempt=1, metadata={"job": 17, "rack": ["A", 1.5, None], "nested": {"ok": True}}),),
        (e.TrialRunning(trial=2, attempt=1),),
        (e.TrialRunFinished(trial=1, attempt=1, awaiting=("yield", "purity")),),
        (e.FetchFailed(trial=1, metric="purity", reason="HPLC is offline"),),
        (e.FetchRequested(trial=1, metrics=("purity",)),),
        (
            e.DataAttached(
                trial=1,
                observations=(Observation("yield", 55.123456789012345, 0.1), Observation("purity", 0.97, 1e-300)),
            ),
            e.TrialCompleted(trial=1),
        ),
        (e.StopRequested(trial=2, cause="early", reason="no better than the baseline"),),
        (e.TrialEarlyStopped(trial=2, reason="no better than the baseline"),),
        (e.GenerationFailed(node="bo", reason="Cholesky failed", fallback="sobol"),),
        (created(3, "bo"),),
        (e.TrialStaged(trial=3), submitting(3, runner="batch")),
        (e.TrialLost(trial=3, reason="the network went away"),),
        (e.SessionClosed(),),
        (msgspec.structs.replace(session, pid=4712),),
        (e.TrialReattached(trial=2, attempt=1),),
        (e.TrialResolved(trial=3, outcome="rerun", reason="the vial is still full"),),
        (e.TrialRequeued(trial=3, reason="the vial is still full"), submitting(3, 2)),
        (e.TrialFailed(trial=3, reason="clogged"),),
        (created(4, "bo"),),
        (e.TrialAbandoned(trial=4, reason="precipitates"),),
        (e.ActorRestarted(name="generator", reason="worker died: SIGKILL", restarts=1),),
        (e.RunnerQuarantined(name="batch", reason="3 failures in a row"),),
        (e.ExperimentPaused(),),
        (e.RunnerRestored(name="batch"),),
        (e.ExperimentUnpaused(),),
        (e.FailureRateTripped(failed=2, total=4, tolerated=0.5),),
        (e.GenerationExhausted(reason="every combination was tried"),),
        (e.ExperimentDraining(),),
        (e.ExperimentStopping(),),
        (e.RunEnded(outcome="failure_rate", reason="2 of 4 trials failed"),),
        (e.ExperimentHalted(reached=("flow",), failed=("batch",)),),
        (e.ExperimentReset(),),
        (e.SessionClosed(),),
    ]


def requests() -> list[Append]:
    made, at = [], START
    for group in history():
        at += 1_250_000
        person = isinstance(group[0], e.ExperimentPaused | e.ExperimentReset | e.TrialResolved | e.ExperimentUnpaused)
        made.append(
            Append(
                drafts=tuple(
                    Draft(
                        event=event,
                        recorded_at=at,
                        observed_at=at - 400_000 if isinstance(event, e.TrialRunFinished) else None,
                        actor="user:Ada Lovelace" if person else "engine",
                        role="chemist" if person else None,
                        reason="weekly “maintenance”" if person else None,
                        trial=getattr(event, "trial", None),
                        cause=len(made) or None,
                        correlation=f"command-{len(made)}",
                        key=event.key if isinstance(event, e.TrialSubmitting) else None,
                    )
                    for event in group
                )
            )
        )
    return made


async def write(path: Path) -> str:
    log = await SqliteLog.create(path, log_id="0f" * 16, now=START, engine="titrant 0.1.0")
    for request in requests():
        await log.commit([request])
    await log.close()
    return log.head.hash.hex()


def main() -> None:
    path = HERE / "v1.titrant"
    path.unlink(missing_ok=True)
    head = asyncio.run(write(path))
    path.with_name(path.name + ".lock").unlink()
    path.chmod(0o644)
    lines = dict.fromkeys(encode(draft.event) for request in requests() for draft in request.drafts)
    text = "".join(f"{payload}\n" for _, _, payload in lines)
    (HERE / "v1.jsonl").write_text(text, encoding="utf-8")
    (HERE / "v1.head").write_text(head + "\n", encoding="utf-8")
    sys.stdout.write(head + "\n")


if __name__ == "__main__":
    main()
