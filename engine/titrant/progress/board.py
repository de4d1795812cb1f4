"""The board: what is to be seen of a run, kept up event by event, at a cost that does not grow with the experiment."""

from __future__ import annotations

from collections import deque

from titrant.errors import TrialNotFound
from titrant.log.base import Record
from titrant.messages import events as e
from titrant.model.trial import Trial, TrialStatus
from titrant.progress import words
from titrant.progress.best import Leaderboard
from titrant.progress.notices import Notice, notice
from titrant.progress.pace import Pace
from titrant.progress.picture import Lane, Leader, Picture
from titrant.rules.conditions import carried_out
from titrant.rules.running import waiting_for
from titrant.rules.state import RunState, State

OVER = (e.TrialCompleted, e.TrialFailed, e.TrialAbandoned, e.TrialEarlyStopped)
ON_INSTRUMENT = (TrialStatus.SUBMITTING, TrialStatus.RUNNING, TrialStatus.UNKNOWN)
NOTICES_KEPT = 8


class Board:
    """Takes events and the states after them; gives pictures.

    Args:
        state: The state when somebody begins to look.
        virtual: Whether the engine's clock is virtual.
    """

    def __init__(self, state: State, *, virtual: bool = False) -> None:
        self.state = state
        self.virtual = virtual
        self.notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self.leaders = Leaderboard(state)
        self.pace = Pace()
        self.run: RunState | None = state.run
        self.ended = state.run.ended if state.run is not None else 0
        self.asked = 0
        self.ended_at: int | None = None
        self._refetched: set[int] = set()
        self._slots: dict[str, list[int | None]] = {}
        self._where: dict[int, tuple[str, int]] = {}
        self._count_asked(state)
        for index in sorted(state.open):
            self._place(state.open[index])

    def record(self, record: Record, state: State) -> tuple[Notice | None, bool]:
        """Take an event in; returns what to say of it, and whether its trial leads since."""
        self.state = state
        if state.run is not None:
            self.run = state.run
        event = record.event
        leads = False
        match event:
            case e.RunStarted():
                self.ended, self.ended_at = 0, None
                self.pace.begin(record.recorded_at)
            case e.RunEnded():
                self.ended_at = record.recorded_at
            case (
                e.OptimizationConfigured()
                | e.SpaceChanged()
                | e.ResultVoided()
                | e.ResultUnvoided()
                | e.ResultCorrected()
            ):
                self.leaders.rebuild(state)
            case e.FetchRequested(trial=index):
                self._refetched.add(index)
            case _:
                pass
        if record.trial is not None:
            leads = self._of_trial(record, state)
        self._count_asked(state)
        told = notice(record)
        if told is not None:
            self.notices.append(told)
        return told, leads

    def _count_asked(self, state: State) -> None:
        """Trials this run sees to their end; when it is over, as many as there were."""
        run = state.run
        if run is not None:
            ending = run.draining is not None or run.exhausted is not None
            to_make = 0 if ending else max(0, run.options.max_trials - run.created)
            self.asked = self.ended + state.in_loop + to_make

    def _of_trial(self, record: Record, state: State) -> bool:
        event = record.event
        try:
            trial = state.trial(record.trial or 0)
        except TrialNotFound:  # an event of a later version's kind
            return False
        self._place(trial)
        if isinstance(event, e.TrialRunFinished) and trial.started_at is not None and trial.runner is not None:
            self.pace.lasted(trial.runner, (record.recorded_at - trial.started_at) / 1e6)
        if isinstance(event, OVER):
            again = trial.index in self._refetched
            self._refetched.discard(trial.index)
            if not again and not trial.asked:
                self.ended += 1
                self.pace.ended(record.recorded_at)
            return self.leaders.consider(trial, state)
        late = isinstance(event, e.DataAttached) and trial.ended_at is not None and trial.ended_at < record.recorded_at
        return self.leaders.consider(trial, state) if late else False

    def _place(self, trial: Trial) -> None:
        """Give the trial the first free slot of its runner, or take it off where it is not on it any more."""
        on = trial.status in ON_INSTRUMENT and trial.runner is not None and not trial.run_done and not trial.asked
        where = self._where.get(trial.index)
        if where is not None:
            if on and where[0] == trial.runner:
                return
            self._slots[where[0]][where[1]] = None
            del self._where[trial.index]
        if on and trial.runner is not None:
            slots = self._slots.setdefault(trial.runner, [])
            if None not in slots:
                slots.append(None)
            slot = slots.index(None)
            slots[slot] = trial.index
            self._where[trial.index] = (trial.runner, slot)

    # --- pictures ---------------------------------------------------------------------------------------------------

    def picture(self, now: int) -> Picture:
        """What is to be seen *now* (microseconds since 1970 UTC)."""
        state, run = self.state, self.run
        began = None if run is None else run.started_at
        until = now if self.ended_at is None else self.ended_at
        lanes = self._lanes(now)
        return Picture(
            name=state.experiment.name if state.experiment is not None else "experiment",
            virtual=self.virtual,
            began=began,
            elapsed_s=0.0 if began is None else max(0, until - began) / 1e6,
            left_s=None if state.run is None else self.pace.left(state, state.run, lanes, now),
            asked=self.asked,
            ended=self.ended,
            counts=self._counts(),
            lanes=lanes,
            leader=self._leader(),
            front=len(self.leaders.front) if self._several() else None,
            trace=tuple((point.utilities[0], point.feasible) for point in self.leaders.trace),
            waiting=waiting_for(state),
            fetching=tuple(index for index in sorted(state.open) if state.open[index].run_done),
            notices=tuple(self.notices),
            unknown=state.unknown,
            needs_person=bool(state.unknown or state.quarantined or state.halted),
            outcome="" if state.run is not None or state.last_run is None else state.last_run.outcome,
            reason="" if state.run is not None or state.last_run is None else state.last_run.reason,
            failures=() if state.run is not None or state.last_run is None else state.last_run.failures,
        )

    def _lanes(self, now: int) -> tuple[Lane, ...]:
        lanes: list[Lane] = []
        state = self.state
        parallelism = self.run.options.parallelism if self.run is not None else 1
        for spec in state.runners:
            slots = self._slots.get(spec.name, [])
            places = len(slots) if spec.capacity is None else min(spec.capacity, parallelism)
            expected = self.pace.expected(spec.name)
            trials = [*slots, *[None] * max(0, places - len(slots), 1 - len(slots))]
            for number, index in enumerate(trials, start=1):
                trial = None if index is None else state.open.get(index)
                lanes.append(self._lane(spec.name, number, trial, expected, now))
        return tuple(lanes)

    def _lane(self, runner: str, slot: int, trial: Trial | None, expected: float | None, now: int) -> Lane:
        quarantined = runner in self.state.quarantined
        if trial is None:
            return Lane(runner=runner, slot=slot, doing="quarantined" if quarantined else "idle")
        began = trial.started_at or trial.submitted_at or now
        doing = "stopping" if trial.stop_requested else trial.status.name.lower()
        return Lane(
            runner=runner,
            slot=slot,
            doing=doing,
            trial=trial.index,
            attempt=trial.attempt,
            conditions=words.conditions(trial.parameters),
            elapsed_s=max(0, now - began) / 1e6,
            expected_s=expected,
        )

    def _counts(self) -> tuple[tuple[str, int], ...]:
        found: dict[str, int] = {}
        for status in TrialStatus:
            if status.is_terminal and (number := self.state.count(status)):
                found[status.name.lower().replace("_", " ")] = number
        for trial in self.state.open.values():
            name = "in hand" if trial.asked else trial.status.name.lower()
            name = "fetching" if trial.run_done else "queued" if name in ("candidate", "staged") else name
            found[name] = found.get(name, 0) + 1
        order = ("completed", "running", "submitting", "fetching", "queued", "in hand", "early stopped", "failed")
        rank = {name: place for place, name in enumerate(order)}
        return tuple(sorted(found.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))

    def _several(self) -> bool:
        return self.state.optimization is not None and self.state.optimization.is_multi_objective

    def _leader(self) -> Leader | None:
        optimization = self.state.optimization
        if optimization is None or not self.leaders.front or optimization.is_multi_objective:
            return None
        leader = self.leaders.front[0]
        conditions = words.conditions(carried_out(self.state, self.state.trial(leader.trial)))
        return Leader(trial=leader.trial, result=words.result(optimization, leader.values), conditions=conditions)
