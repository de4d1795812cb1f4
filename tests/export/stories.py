"""Experiments to audit and export, made by the rules themselves; small ones, with everything in them."""

from __future__ import annotations

import math
from pathlib import Path

from msgspec.structs import replace

from titrant.log.base import Append, Draft, Head
from titrant.log.chain import HASH_ALG, genesis
from titrant.log.filling import fill
from titrant.log.group import Row, Tail, plan
from titrant.log.schema import FORMAT
from titrant.messages import commands as c
from titrant.messages.commands import Command
from titrant.messages.events import Event
from titrant.model.experiment import Experiment, RunnerSpec, RunOptions
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space
from titrant.model.trial import Suggestion
from titrant.rules.decide import step
from titrant.rules.evolve import evolve
from titrant.rules.state import State

NOON = 1_790_000_000_000_000
LOG_ID = "cd" * 16
META = (LOG_ID, FORMAT, NOON, "titrant test", HASH_ALG)
SPACE = search_space(
    [
        RangeParameterConfig("temperature", (20.0, 90.0)),
        ChoiceParameterConfig("solvent", ("MeCN", "THF", "水"), is_ordered=False),
    ]
)


class Book:
    """An experiment that is told to it command by command, and its log so far."""

    def __init__(self, log_id: str = LOG_ID) -> None:
        self.meta = (log_id, *META[1:])
        names = ("log_id", "file_format", "created_at", "created_by", "hash_alg")
        self.tail = Tail(0, genesis(**dict(zip(names, self.meta, strict=True))))
        self.state = State()
        self.rows: list[Row] = []
        self.at = NOON
        self.epoch = 1

    @property
    def head(self) -> Head:
        return self.tail.head

    def do(self, command: Command, actor: str = "engine", role: str | None = None, **envelope: object) -> None:
        """Decide it, and write down what follows."""
        self.at += 1_500_000
        if isinstance(command, c.Personal):
            command = replace(command, actor=actor, role=role)
        events, _ = step(self.state, command, self.at)
        self.add(*events, actor=actor, role=role, reason=getattr(command, "reason", None) or None, **envelope)

    def add(self, *events: Event, **envelope: object) -> None:
        """Write events down and fold them."""
        self.forge(*events, **envelope)
        for event in events:
            self.state = evolve(self.state, event, self.at)

    def forge(self, *events: Event, **envelope: object) -> None:
        """Write events down, whatever the rules think of them."""
        if not events:
            return
        drafts = tuple(
            Draft(event=event, recorded_at=self.at, trial=getattr(event, "trial", None), **envelope) for event in events
        )
        planned = plan([Append(drafts=drafts)], self.tail, self.epoch, {})
        for outcome in planned.outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        self.rows += planned.rows
        self.tail = planned.tail

    def write(self, path: Path) -> Path:
        """The log as a file."""
        fill(path, self.meta, self.rows)
        return path


def suggestion(index: int, **fields: object) -> Suggestion:
    return Suggestion(
        **{
            "parameters": {"temperature": 20.0 + 70 * (index * 0.37 % 1), "solvent": ("MeCN", "THF", "水")[index % 3]},
            "node": "sobol",
            "generator": "scrambled Sobol",
            "position": index + 1,
            "seed": 42,
            "seconds": 0.25,
            **fields,
        }
    )


def story(objective: str = "yield", *, name: str = "Suzuki <coupling> & “friends”") -> Book:
    """A day in a lab: a run with failures, lost contact and a rerun, then people who withdraw, correct, note, sign."""
    book = Book()
    metrics = [part.strip(" -") for part in objective.split(",")]
    experiment = Experiment(space=SPACE, name=name, description='a "test" of </script> it all', owner="ada")
    book.do(c.OpenSession(engine="titrant 0.1.0", log_id=LOG_ID, seed=42, host="lab-pc", pid=7, versions={"t": "1"}))
    book.do(c.ConfigureExperiment(experiment=experiment), "user:ada", "chemist")
    book.do(c.ConfigureOptimization(optimization=optimization_config(objective)), "user:ada", "chemist")
    book.do(c.ConfigureMetrics(names=tuple(metrics)), "user:ada")
    book.do(c.ConfigureRunners(runners=(RunnerSpec(name="flow", rerun_safe=True, can_report_status=True),)), "user:ada")
    book.do(c.AttachTrial(parameters={"temperature": 25.0, "solvent": "THF"}, baseline=True), "user:ada", "chemist")
    values = tuple(Observation(metric, 40.0, 0.5) for metric in metrics)
    book.do(c.CompleteTrial(trial=0, observations=values), "user:ada", "chemist")
    book.do(c.StartRun(options=RunOptions(max_trials=6, parallelism=2)), "user:ada", "chemist")
    for index in range(1, 7):
        model = {"node": "bo", "generator": "SingleTaskGP + qLogNEI", "data_seq": len(book.rows)} if index > 3 else {}
        if model:
            model["predicted"] = dict.fromkeys(metrics, (50.0 + index, 2.5))
            model["results"] = book.state.results
            model["pending"] = ()
        book.do(c.AddTrials(suggestions=(suggestion(index, **model),)), "generator")
        _carry_out(book, index, metrics)
    book.do(c.VoidResult(trial=1, reason="the column was blocked"), "user:kim", "analyst")
    book.do(
        c.CorrectResult(trial=4, observations=(Observation(metrics[0], 71.5, 0.25),), reason="wrong dilution factor"),
        "user:kim",
        "analyst",
    )
    book.do(c.RecordExecuted(trial=4, parameters={"temperature": 55.5}), "user:kim", "analyst")
    book.do(c.AddNote(text="<b>rain</b> & thunder", trial=2), "user:ada")
    book.do(c.AddNote(text="new bottle of THF"), "agent:planner")
    book.do(c.VoidResult(trial=2, reason="looks odd"), "user:kim", "analyst")
    book.do(c.UnvoidResult(trial=2, reason="it was right"), "user:kim", "analyst")
    book.do(c.RecordRefusal(command="Retry", arguments={"trial": 2}, why="trial 2 is COMPLETED"), "agent:planner")
    book.do(c.Sign(meaning="reviewed", seq=book.head.seq, hash=book.head.hash.hex()), "user:lee", "head of lab")
    book.do(c.CloseSession())
    return book


def _carry_out(book: Book, trial: int, metrics: list[str]) -> None:
    """What becomes of each trial of the run: they differ."""
    this = {"trial": trial, "attempt": 1}
    book.do(c.ReportRunning(**this, metadata={"job": trial, "rack": ["A", 1.5, None]}), "runner:flow")
    if trial == 3:
        book.do(c.ReportFinished(**this, status="failed", reason="clogged"), "runner:flow")
        return
    if trial == 5:
        book.do(c.ReportLost(**this, reason="unplugged"), "runner:flow")
        book.do(c.Resolve(trial=5, outcome="rerun", reason="the vial is full"), "user:ada", "chemist")
        this["attempt"] = 2
        book.do(c.ReportRunning(**this, metadata={"job": 50}), "runner:flow")
    book.do(c.ReportFinished(**this, status="completed"), "runner:flow", observed_at=book.at)
    for place, metric in enumerate(metrics):
        mean = None if (trial, place) == (6, 0) else 60.0 + 7 * math.sin(trial + place)
        value = Observation(metric, mean, 0.3 if mean else None, status="ok" if mean else "nan")
        book.do(c.RecordFetch(trial=trial, metric=metric, observations=(value,)), f"metric:{metric}")


def bare() -> Book:
    """A log with a session and nothing else."""
    book = Book()
    book.do(c.OpenSession(engine="titrant 0.1.0", log_id=LOG_ID, seed=1))
    return book
