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
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager, nullcontext
from functools import partial, wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import anyio
import anyio.from_thread

from titrant.api.base import acting_as
from titrant.api.circumstances import Context
from titrant.api.running import RunReport
from titrant.async_client import AsyncClient
from titrant.errors import ClientClosed
from titrant.generators.base import Generator
from titrant.log.base import Record
from titrant.model.strategy import Policy
from titrant.rules.state import State
from titrant.runtime.virtual_loop import VirtualTimeLoop

P = ParamSpec("P")
T = TypeVar("T")


class _LoopThread:
    """An event loop in a daemon thread, and one async client open in it."""

    def __init__(self, client: AsyncClient, *, virtual_time: bool) -> None:
        self._client = client
        self._ready: Future[anyio.from_thread.BlockingPortal] = Future()
        self._done = threading.Event()
        options = {"loop_factory": VirtualTimeLoop} if virtual_time else {}
        self._thread = threading.Thread(
            target=lambda: anyio.run(self._main, backend_options=options), name="titrant loop", daemon=True
        )
        self._thread.start()
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

    @property
    def is_over(self) -> bool:
        """Whether the loop has ended."""
        return self._done.is_set()

    @property
    def is_current(self) -> bool:
        """Whether the caller is in the loop's own thread."""
        return threading.current_thread() is self._thread

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


def _blocking(
    method: Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Client, P], T]:
    """The blocking twin of a method of ``AsyncClient``."""

    @wraps(method)
    def blocking(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._call(partial(method, self._async), *args, **kwargs)

    return blocking


class Client:
    """An experiment, asked and told, or run as a closed loop.

    Args:
        path: Where the durable log is to be made; None keeps the experiment in memory.
        random_seed: Seed of everything random; drawn and recorded where None.
        generator: A generator of one's own in place of titrant's.
        control: Whether other processes of the same user may act on the experiment while it is open (``titrant pause``
            in a terminal); only where there is a log file and time is real.
        virtual_time: Run in virtual time, for simulated labs: waiting costs nothing, and the same seed gives the same
            log, byte for byte.

    Raises:
        LogExists: There is a log at *path* already: use ``Client.open``.
        ConfigurationError: The seed is below 0.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        random_seed: int | None = None,
        *,
        generator: Generator | None = None,
        control: bool = True,
        virtual_time: bool = False,
        _create: bool = True,
    ) -> None:
        self._async = AsyncClient(path, random_seed, generator=generator, control=control, _create=_create)
        self._thread = _LoopThread(self._async, virtual_time=virtual_time)
        _open.add(self)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        generator: Generator | None = None,
        control: bool = True,
        virtual_time: bool = False,
    ) -> Self:
        """Go on with the experiment whose log is at *path*: connect runners and metrics again, then run on.

        Raises:
            LogMissing: There is none.
            LogInUse: Another process holds it.
            LogCorrupt: It is damaged.
        """
        return cls(path, generator=generator, control=control, virtual_time=virtual_time, _create=False)

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

        try:
            return self._thread.portal.start_task_soon(driven)
        except RuntimeError as exc:
            if self._thread.is_current:  # it would wait for itself
                raise
            raise ClientClosed(None if self.path is None else str(self.path)) from exc

    @property
    def path(self) -> Path | None:
        """Where the log is; None for one in memory."""
        return self._async.engine.path

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
        policy: Policy | None = None,
        context: Context | None = None,
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
            policy,
            context,
        )

    def resume(self, progress: bool | None = None, context: Context | None = None) -> RunReport:
        """Finish the run that was interrupted; see ``AsyncClient.resume``."""
        return self._run(self._async.resume, progress, context)

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
        """Yield every event as soon as it is durable; blocks between events, ends when the client is closed.

        Raises:
            ClientClosed: It is closed already.
        """
        if self._thread.is_over:
            raise ClientClosed(None if self.path is None else str(self.path))
        with self._thread.portal.wrap_async_context_manager(_subscription(self._async)) as next_record:
            while True:
                try:
                    record = self._thread.portal.call(next_record)
                except RuntimeError:  # the loop has ended
                    return
                if record is None:
                    return
                yield record

    acting_as = staticmethod(acting_as)

    # The rest is AsyncClient's, called and awaited: the same names, arguments and errors.

    configure_experiment = _blocking(AsyncClient.configure_experiment)
    keep_definition = _blocking(AsyncClient.keep_definition)
    configure_optimization = _blocking(AsyncClient.configure_optimization)
    configure_preference = _blocking(AsyncClient.configure_preference)
    configure_generation_strategy = _blocking(AsyncClient.configure_generation_strategy)
    configure_runner = _blocking(AsyncClient.configure_runner)
    configure_runners = _blocking(AsyncClient.configure_runners)
    configure_metrics = _blocking(AsyncClient.configure_metrics)
    configure_tracking_metrics = _blocking(AsyncClient.configure_tracking_metrics)
    learn_from = _blocking(AsyncClient.learn_from)
    change_search_space = _blocking(AsyncClient.change_search_space)
    change_bounds = _blocking(AsyncClient.change_bounds)
    add_parameter = _blocking(AsyncClient.add_parameter)
    remove_parameter = _blocking(AsyncClient.remove_parameter)
    fix_parameter = _blocking(AsyncClient.fix_parameter)
    add_constraint = _blocking(AsyncClient.add_constraint)
    remove_constraint = _blocking(AsyncClient.remove_constraint)
    configure_approval = _blocking(AsyncClient.configure_approval)
    approve_trial = _blocking(AsyncClient.approve_trial)
    reject_trial = _blocking(AsyncClient.reject_trial)
    hold_trial = _blocking(AsyncClient.hold_trial)
    retry_trial = _blocking(AsyncClient.retry_trial)
    get_next_trials = _blocking(AsyncClient.get_next_trials)
    complete_trial = _blocking(AsyncClient.complete_trial)
    attach_data = _blocking(AsyncClient.attach_data)
    attach_trial = _blocking(AsyncClient.attach_trial)
    attach_baseline = _blocking(AsyncClient.attach_baseline)
    attach_comparison = _blocking(AsyncClient.attach_comparison)
    attach_tie = _blocking(AsyncClient.attach_tie)
    withdraw_comparison = _blocking(AsyncClient.withdraw_comparison)
    get_next_comparison = _blocking(AsyncClient.get_next_comparison)
    replicate_trial = _blocking(AsyncClient.replicate_trial)
    mark_trial_failed = _blocking(AsyncClient.mark_trial_failed)
    mark_trial_abandoned = _blocking(AsyncClient.mark_trial_abandoned)
    mark_trial_early_stopped = _blocking(AsyncClient.mark_trial_early_stopped)
    fetch_data = _blocking(AsyncClient.fetch_data)
    void_trial = _blocking(AsyncClient.void_trial)
    unvoid_trial = _blocking(AsyncClient.unvoid_trial)
    correct_trial = _blocking(AsyncClient.correct_trial)
    add_note = _blocking(AsyncClient.add_note)
    record_executed = _blocking(AsyncClient.record_executed)
    sign = _blocking(AsyncClient.sign)
    pause = _blocking(AsyncClient.pause)
    unpause = _blocking(AsyncClient.unpause)
    drain = _blocking(AsyncClient.drain)
    stop = _blocking(AsyncClient.stop)
    halt = _blocking(AsyncClient.halt)
    reset = _blocking(AsyncClient.reset)
    resolve = _blocking(AsyncClient.resolve)
    restore_runner = _blocking(AsyncClient.restore_runner)
    get_best_parameterization = _blocking(AsyncClient.get_best_parameterization)
    get_pareto_frontier = _blocking(AsyncClient.get_pareto_frontier)
    get_hypervolume = _blocking(AsyncClient.get_hypervolume)
    predict = _blocking(AsyncClient.predict)
    model_fit = _blocking(AsyncClient.model_fit)
    parameter_importance = _blocking(AsyncClient.parameter_importance)
    optimality = _blocking(AsyncClient.optimality)
    front_optimality = _blocking(AsyncClient.front_optimality)
    summarize = _blocking(AsyncClient.summarize)
    waiting_for = _blocking(AsyncClient.waiting_for)


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
