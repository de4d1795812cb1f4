"""``Client``: the blocking face of ``AsyncClient``, with Ax's names and defaults.

It keeps an event loop of its own in a daemon thread, so it works in a script, in a notebook whose loop is already
running, and inside any host application.  It may be called from several threads: one can pause what another runs.
"""

from __future__ import annotations

import atexit
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import anyio
import anyio.from_thread

from titrant.analysis.table import Table
from titrant.async_client import AsyncClient, Prediction, RunReport
from titrant.generators.base import Generator
from titrant.log.base import Record
from titrant.model.trial import Parameterization, TrialStatus
from titrant.ports import Metric
from titrant.rules.state import State
from titrant.runtime.virtual_loop import VirtualTimeLoop

T = TypeVar("T")


class _LoopThread:
    """An event loop in a daemon thread, and one async client open in it."""

    def __init__(self, client: AsyncClient, *, virtual_time: bool) -> None:
        self._client = client
        self._ready: Future[anyio.from_thread.BlockingPortal] = Future()
        self._done = threading.Event()
        options = {"loop_factory": VirtualTimeLoop} if virtual_time else {}
        thread = threading.Thread(
            target=lambda: anyio.run(self._main, backend_options=options), name="titrant loop", daemon=True
        )
        thread.start()
        self.portal = self._ready.result()

    async def _main(self) -> None:
        try:
            async with self._client, anyio.from_thread.BlockingPortal() as portal:
                loop = _virtual_loop()
                if loop is not None:
                    loop.start_frozen()
                self._ready.set_result(portal)
                await portal.sleep_until_stopped()
                if loop is not None:
                    loop.drivers += 1
        except BaseException as exc:
            if self._ready.done():
                raise
            self._ready.set_exception(exc)
        finally:
            self._done.set()

    def close(self) -> None:
        """Let the log go and end the thread; idempotent."""
        if not self._done.is_set():
            try:
                self.portal.start_task_soon(self.portal.stop, True)  # noqa: FBT003  # anyio's own signature
            except RuntimeError:  # it ended meanwhile
                return
            self._done.wait()


def _virtual_loop() -> VirtualTimeLoop | None:
    import asyncio  # noqa: PLC0415  # the loop thread has it loaded

    loop = asyncio.get_running_loop()
    return loop if isinstance(loop, VirtualTimeLoop) else None


_open: weakref.WeakSet[Client] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for client in list(_open):
        client.close()


class Client:
    """An experiment, asked and told, or run as a closed loop.

    Args:
        path: Where the durable log is to be made; None keeps the experiment in memory.
        random_seed: Seed of everything random; drawn and recorded where None.
        generator: A generator of one's own in place of titrant's.
        virtual_time: Run in virtual time, for simulated labs: waiting costs nothing, and the same seed gives the same
            log, byte for byte.

    Raises:
        LogExists: There is a log at *path* already: use ``Client.open``.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        random_seed: int | None = None,
        *,
        generator: Generator | None = None,
        virtual_time: bool = False,
        _create: bool = True,
    ) -> None:
        self._async = AsyncClient(path, random_seed, generator=generator, _create=_create)
        self._thread = _LoopThread(self._async, virtual_time=virtual_time)
        _open.add(self)

    @classmethod
    def open(cls, path: str | Path, *, generator: Generator | None = None, virtual_time: bool = False) -> Self:
        """Go on with the experiment whose log is at *path*: connect runners and metrics again, then run on.

        Raises:
            LogMissing: There is none.
            LogInUse: Another process holds it.
            LogCorrupt: It is damaged.
        """
        return cls(path, generator=generator, virtual_time=virtual_time, _create=False)

    def close(self) -> None:
        """Let the log go.  What runs on instruments goes on, and is found again when the log is opened next."""
        _open.discard(self)
        self._thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any, **kwargs: Any) -> T:
        return _wait(self._begin(function, *args, **kwargs))

    def _begin(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any, **kwargs: Any) -> Future[T]:
        async def driven() -> T:
            loop = _virtual_loop()
            with nullcontext() if loop is None else loop.driven():
                return await function(*args, **kwargs)

        return self._thread.portal.start_task_soon(driven)

    @property
    def state(self) -> State:
        """The newest durable state; immutable."""
        return self._async.state

    def run_trials(
        self,
        max_trials: int,
        parallelism: int = 1,
        tolerated_trial_failure_rate: float = 0.5,
        initial_seconds_between_polls: float = 1,
        timeout_seconds: float | None = None,
        trial_ttl_seconds: float | None = None,
        min_failed_trials_for_failure_rate_check: int = 5,
        progress: bool | None = None,
    ) -> RunReport:
        """Run a closed loop; see ``AsyncClient.run_trials``.

        The first Ctrl-C drains (what runs is finished), the second stops what runs; both return, and leave a log that
        resumes.
        """
        return self._run(
            self._async.run_trials,
            max_trials,
            parallelism,
            tolerated_trial_failure_rate,
            initial_seconds_between_polls,
            timeout_seconds,
            trial_ttl_seconds,
            min_failed_trials_for_failure_rate_check,
            progress,
        )

    def resume(self, progress: bool | None = None) -> RunReport:
        """Finish the run that was interrupted; see ``AsyncClient.resume``."""
        return self._run(self._async.resume, progress)

    def _run(self, function: Callable[..., Coroutine[Any, Any, RunReport]], *args: Any) -> RunReport:
        with self._interruptible():
            return _wait(self._begin(function, *args))

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C drains, then stops; a third press is Python's own.

        A signal handler and not an ``except``: the second press may come while the first is still being answered.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        presses = 0

        def pressed(_signal: int, _frame: object) -> None:
            nonlocal presses
            presses += 1
            if presses == 1:
                self._begin(self._async.drain, "Ctrl-C")
                _say("draining: what runs is finished, then the run ends (press Ctrl-C again to stop it)")
            elif presses == 2:
                self._begin(self._async.stop, "Ctrl-C pressed twice")
                _say("stopping what runs (press Ctrl-C again to leave it to itself)")
            else:
                raise KeyboardInterrupt

        before = signal.signal(signal.SIGINT, pressed)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def subscribe(self) -> Iterator[Record]:
        """Yield every event as soon as it is durable; blocks between events, ends when the client is closed."""
        with self._thread.portal.wrap_async_context_manager(_subscription(self._async)) as next_record:
            while True:
                try:
                    record = self._thread.portal.call(next_record)
                except RuntimeError:  # the loop has ended
                    return
                if record is None:
                    return
                yield record

    # The rest is AsyncClient's, called and awaited.

    def configure_experiment(
        self,
        parameters: Sequence[Any],
        parameter_constraints: Sequence[str] | None = None,
        name: str | None = None,
        description: str | None = None,
        experiment_type: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Set the search space; see ``AsyncClient.configure_experiment``."""
        self._call(
            self._async.configure_experiment,
            parameters,
            parameter_constraints,
            name,
            description,
            experiment_type,
            owner,
        )

    def configure_optimization(self, objective: str, outcome_constraints: Sequence[str] | None = None) -> None:
        """Set what is sought; see ``AsyncClient.configure_optimization``."""
        self._call(self._async.configure_optimization, objective, outcome_constraints)

    def configure_generation_strategy(
        self, method: Literal["fast", "quality", "random_search"] = "fast", *args: Any, **kwargs: Any
    ) -> None:
        """Set how trials are made; see ``AsyncClient.configure_generation_strategy``."""
        self._call(self._async.configure_generation_strategy, method, *args, **kwargs)

    def configure_runner(self, runner: Any) -> None:
        """Set who carries trials out; see ``AsyncClient.configure_runner``."""
        self._call(self._async.configure_runner, runner)

    def configure_runners(self, runners: Sequence[Any]) -> None:
        """Set several runners; see ``AsyncClient.configure_runners``."""
        self._call(self._async.configure_runners, runners)

    def configure_metrics(self, metrics: Sequence[Metric]) -> None:
        """Set who fetches data; see ``AsyncClient.configure_metrics``."""
        self._call(self._async.configure_metrics, metrics)

    def configure_tracking_metrics(self, metric_names: Sequence[str]) -> None:
        """Name metrics that are recorded and not optimized."""
        self._call(self._async.configure_tracking_metrics, metric_names)

    def get_next_trials(
        self, max_trials: int = 1, fixed_parameters: Parameterization | None = None
    ) -> dict[int, Parameterization]:
        """Make trials to carry out oneself; see ``AsyncClient.get_next_trials``."""
        return self._call(self._async.get_next_trials, max_trials, fixed_parameters)

    def complete_trial(self, trial_index: int, raw_data: Any = None, progression: float | None = None) -> TrialStatus:
        """Tell a trial's result; see ``AsyncClient.complete_trial``."""
        return self._call(self._async.complete_trial, trial_index, raw_data, progression)

    def attach_data(self, trial_index: int, raw_data: Any, progression: float | None = None) -> None:
        """Add data to a trial without ending it."""
        self._call(self._async.attach_data, trial_index, raw_data, progression)

    def attach_trial(self, parameters: Parameterization, arm_name: str | None = None) -> int:
        """Add a trial with conditions of one's own; returns its index."""
        return self._call(self._async.attach_trial, parameters, arm_name)

    def attach_baseline(self, parameters: Parameterization, arm_name: str | None = None) -> int:
        """Add the trial that relative outcome constraints refer to; returns its index."""
        return self._call(self._async.attach_baseline, parameters, arm_name)

    def mark_trial_failed(self, trial_index: int, failed_reason: str | None = None) -> None:
        """The trial failed; its conditions may be suggested again."""
        self._call(self._async.mark_trial_failed, trial_index, failed_reason)

    def mark_trial_abandoned(self, trial_index: int, reason: str | None = None) -> None:
        """The trial is given up; its conditions are not suggested again."""
        self._call(self._async.mark_trial_abandoned, trial_index, reason)

    def mark_trial_early_stopped(self, trial_index: int, reason: str | None = None) -> None:
        """The trial was stopped before its end; its data count."""
        self._call(self._async.mark_trial_early_stopped, trial_index, reason)

    def fetch_data(self, trial_index: int, metric_names: Sequence[str] = ()) -> None:
        """Fetch the metrics of a finished trial again."""
        self._call(self._async.fetch_data, trial_index, metric_names)

    def pause(self, reason: str = "", actor: str | None = None) -> None:
        """Start no new trials; what runs goes on."""
        self._call(self._async.pause, reason, actor)

    def unpause(self, reason: str = "", actor: str | None = None) -> None:
        """Start new trials again."""
        self._call(self._async.unpause, reason, actor)

    def drain(self, reason: str = "", actor: str | None = None) -> None:
        """Finish what runs, start nothing new; ``run_trials`` then returns."""
        self._call(self._async.drain, reason, actor)

    def stop(self, reason: str = "", actor: str | None = None) -> None:
        """Stop what runs, then safe state; see ``AsyncClient.stop``."""
        self._call(self._async.stop, reason, actor)

    def halt(self, reason: str = "", actor: str | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Safe state everywhere at once, latched until ``reset``; see ``AsyncClient.halt``."""
        return self._call(self._async.halt, reason, actor)

    def reset(self, reason: str, actor: str | None = None) -> None:
        """Release the latch of a halt; starts nothing."""
        self._call(self._async.reset, reason, actor)

    def resolve(
        self,
        trial_index: int,
        outcome: Literal["running", "completed", "failed", "abandoned", "rerun"],
        reason: str,
        raw_data: Any = None,
        actor: str | None = None,
    ) -> None:
        """Say what became of an UNKNOWN trial; the reason says how you know."""
        self._call(self._async.resolve, trial_index, outcome, reason, raw_data, actor)

    def restore_runner(self, name: str, reason: str = "", actor: str | None = None) -> None:
        """Use a quarantined runner again."""
        self._call(self._async.restore_runner, name, reason, actor)

    def get_best_parameterization(
        self, use_model_predictions: bool = True
    ) -> tuple[Parameterization, Prediction, int, str]:
        """The best trial so far; see ``AsyncClient.get_best_parameterization``."""
        return self._call(self._async.get_best_parameterization, use_model_predictions)

    def get_pareto_frontier(self) -> list[tuple[Parameterization, Prediction, int, str]]:
        """The trials that no other beats in every objective."""
        return self._call(self._async.get_pareto_frontier)

    def predict(self, points: Sequence[Parameterization]) -> list[Prediction]:
        """A model's prediction of every metric at *points*; see ``AsyncClient.predict``."""
        return self._call(self._async.predict, points)

    def summarize(
        self, trial_indices: Iterable[int] | None = None, trial_statuses: Collection[str] | None = None
    ) -> Table:
        """One row a trial; see ``AsyncClient.summarize``."""
        return self._call(self._async.summarize, trial_indices, trial_statuses)

    def waiting_for(self) -> str:
        """What the closed loop waits for, as a sentence."""
        return self._call(self._async.waiting_for)


class _subscription:  # noqa: N801  # a context manager, used like a function
    """Opens a subscription in the loop; gives a function that awaits the next record, None at the end."""

    def __init__(self, client: AsyncClient) -> None:
        self._records = client.subscribe()

    async def __aenter__(self) -> Callable[[], Coroutine[Any, Any, Record | None]]:
        async def next_record() -> Record | None:
            return await anext(self._records, None)

        return next_record

    async def __aexit__(self, *_: object) -> None:
        await self._records.aclose()  # type: ignore[attr-defined]  # it is an async generator


def _wait(future: Future[T]) -> T:
    """The future's result; waits in short spells, since on Windows Ctrl-C does not wake a waiting thread."""
    while True:
        try:
            return future.result(timeout=0.5)
        except NotYet:
            if future.done():
                raise


def _say(text: str) -> None:
    sys.stderr.write(f"\ntitrant: {text}\n")
