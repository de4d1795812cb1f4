"""Calls into foreign code: deadlines, retries, back-off."""

import threading

import anyio
import pytest

from titrant.errors import DeadlineExceeded
from titrant.runtime.calls import RetryPolicy, call, is_async, retrying
from titrant.runtime.clock import RealClock

pytestmark = pytest.mark.anyio

CLOCK = RealClock()


async def called(function, *args, deadline_s=None, **kwargs):
    return await call(function, *args, clock=CLOCK, deadline_s=deadline_s, what="the call", **kwargs)


# --- one call -------------------------------------------------------------------------------------------------------


async def double(number):
    return 2 * number


def later(number):
    """A sync function that gives a coroutine."""
    return double(number)


@pytest.mark.parametrize("function", [double, lambda number: 2 * number, later])
async def test_a_function_is_called_whatever_its_kind(function):
    assert await called(function, 21) == 42


async def test_named_arguments_are_passed_on():
    assert await called(lambda *, number: number, number=1) == 1


async def test_a_sync_function_runs_outside_the_event_loop():
    assert await called(threading.get_ident) != threading.get_ident()


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_what_a_function_raises_comes_through(kind):
    def fail():
        raise OSError("unplugged")

    async def fail_later():
        fail()

    with pytest.raises(OSError, match="unplugged"):
        await called(fail if kind == "sync" else fail_later)


async def test_an_async_call_has_a_deadline():
    with pytest.raises(DeadlineExceeded, match="the call took longer than its deadline of 5 s"):
        await called(anyio.sleep, 3600, deadline_s=5.0)


async def test_a_blocking_call_has_a_deadline_and_leaves_the_loop_usable():
    release = threading.Event()
    try:
        with pytest.raises(DeadlineExceeded):
            await called(release.wait, deadline_s=5.0)
        await anyio.sleep(1)
    finally:
        release.set()


async def test_a_timeout_of_the_function_itself_is_not_mistaken_for_the_deadline():
    def fail():
        raise TimeoutError("of the instrument")

    with pytest.raises(TimeoutError, match="of the instrument") as caught:
        await called(fail)
    assert not isinstance(caught.value, DeadlineExceeded)


def test_coroutine_functions_are_known_in_any_dress():
    class Callable:
        async def __call__(self):
            """Nothing."""

    assert is_async(double)
    assert is_async(Callable())
    assert not is_async(print)


# --- again ----------------------------------------------------------------------------------------------------------


class Flaky:
    """Fails that many times."""

    def __init__(self, failures, error=None):
        self.failures = failures
        self.error = OSError("loose") if error is None else error
        self.calls = 0

    async def __call__(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return "done"


async def test_a_flaky_call_is_made_again_after_growing_waits():
    waits = []

    async def failed(made, error, delay):
        waits.append((made, str(error), delay))

    began = anyio.current_time()
    assert await retrying(Flaky(3), policy=RetryPolicy(jitter=0.0), key="k", failed=failed) == "done"

    assert waits == [(1, "loose", 0.2), (2, "loose", 0.4), (3, "loose", 0.8)]
    assert anyio.current_time() - began == pytest.approx(1.4)


async def test_the_last_error_comes_through():
    flaky = Flaky(99)

    with pytest.raises(OSError, match="loose"):
        await retrying(flaky, policy=RetryPolicy(attempts=4), key="k")
    assert flaky.calls == 4


@pytest.mark.parametrize("error", [TypeError, AttributeError, NameError, NotImplementedError, ImportError])
async def test_a_mistake_in_the_code_is_not_tried_again(error):
    flaky = Flaky(99, error("oops"))

    with pytest.raises(error):
        await retrying(flaky, policy=RetryPolicy(), key="k")
    assert flaky.calls == 1


def test_waits_grow_up_to_the_longest():
    policy = RetryPolicy(initial_seconds=1.0, factor=2.0, max_seconds=5.0, jitter=0.0)

    assert [policy.delay(retry, "k") for retry in (1, 2, 3, 4, 50)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_jitter_shortens_each_wait_by_up_to_its_share():
    policy = RetryPolicy(initial_seconds=1.0, factor=1.0, jitter=0.25)

    delays = [policy.delay(1, f"key {number}") for number in range(500)]

    assert 0.75 <= min(delays) < 0.76
    assert 0.99 < max(delays) <= 1.0


def test_jitter_is_the_same_in_every_replay():
    assert RetryPolicy().delay(3, "key") == RetryPolicy().delay(3, "key")
    assert RetryPolicy().delay(3, "key") != RetryPolicy().delay(3, "other")
