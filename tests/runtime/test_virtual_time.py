"""The virtual loop: time jumps where nothing can move, and stands still while the world outside is at work."""

import asyncio
import threading

import anyio
import pytest

from titrant.runtime.clock import VIRTUAL_EPOCH, RealClock, VirtualClock, clock_of_running_loop
from titrant.runtime.threads import run_in_thread
from titrant.runtime.virtual_loop import VirtualTimeLoop


def run(function, *args):
    """Run a coroutine function on a virtual loop."""
    return anyio.run(function, *args, backend_options={"loop_factory": VirtualTimeLoop})


def loop():
    return asyncio.get_running_loop()


def test_weeks_of_sleep_cost_nothing():
    async def main():
        await anyio.sleep(3600 * 24 * 60)
        return loop().time()

    assert run(main) == 3600 * 24 * 60


def test_sleepers_wake_in_order_of_their_time():
    woken = []

    async def sleeper(seconds):
        await anyio.sleep(seconds)
        woken.append((seconds, loop().time()))

    async def main():
        async with anyio.create_task_group() as tasks:
            for seconds in (3, 1, 2):
                tasks.start_soon(sleeper, seconds)

    run(main)
    assert woken == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_deadlines_obey_virtual_time():
    async def main():
        with pytest.raises(TimeoutError):
            with anyio.fail_after(3600):
                await anyio.sleep(7200)
        return loop().time()

    assert run(main) == 3600


def test_time_stands_still_while_outside_work_goes_on():
    begun, release = threading.Event(), threading.Event()

    def work():
        begun.set()
        release.wait()

    async def main():
        clock = VirtualClock(loop())
        times = []

        async def outside():
            await clock.outside(lambda: run_in_thread(work))
            times.append(loop().time())

        async def sleeper():
            await anyio.sleep(5)
            times.append(loop().time())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outside)
            tasks.start_soon(sleeper)
            threading.Thread(target=lambda: (begun.wait(), release.set())).start()
        return times

    assert run(main) == [0.0, 5.0]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_results_come_back_in_the_order_the_work_was_begun(order):
    """Each thread waits until the one before it in *order* is done, so that they really finish in that order."""
    finished = {number: threading.Event() for number in range(3)}
    before = dict(zip(order[1:], order, strict=False))
    really, told = [], []

    def work(number):
        if number in before:
            finished[before[number]].wait()
        really.append(number)
        finished[number].set()

    async def main():
        clock = VirtualClock(loop())

        async def outside(number):
            await clock.outside(lambda: run_in_thread(work, number))
            told.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(outside, number)

    run(main)
    assert tuple(really) == order
    assert told == [0, 1, 2]


def test_what_outside_work_raises_comes_back():
    async def main():
        await VirtualClock(loop()).outside(lambda: run_in_thread(int, "x"))

    with pytest.raises(ValueError, match="invalid literal"):
        run(main)


def test_cancelled_outside_work_does_not_hold_time():
    release = threading.Event()

    async def main():
        clock = VirtualClock(loop())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.outside, lambda: run_in_thread(release.wait))
            await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        await anyio.sleep(60)
        return loop().time()

    try:
        assert run(main) == 60
    finally:
        release.set()


def test_frozen_time_moves_only_while_somebody_drives():
    async def main():
        loop().start_frozen()
        woken = anyio.Event()
        async with anyio.create_task_group() as tasks:

            async def sleeper():
                await anyio.sleep(10)
                woken.set()

            tasks.start_soon(sleeper)
            for _ in range(3):
                await run_in_thread(int)
            assert not woken.is_set()
            assert loop().time() == 0
            with loop().driven():
                await woken.wait()
        return loop().time()

    assert run(main) == 10


def test_drivers_may_be_nested():
    async def main():
        loop().start_frozen()
        with loop().driven():
            with loop().driven():
                await anyio.sleep(1)
            await anyio.sleep(1)
        assert loop().drivers == 0
        return loop().time()

    assert run(main) == 2


# --- clocks ---------------------------------------------------------------------------------------------------------


def test_the_virtual_calendar_begins_on_a_fixed_day():
    async def main():
        clock = clock_of_running_loop()
        first = clock.now()
        await anyio.sleep(1.5)
        return first, clock.now(), clock.virtual

    assert run(main) == (VIRTUAL_EPOCH, VIRTUAL_EPOCH + 1_500_000, True)


def test_virtual_time_goes_on_where_the_log_ended():
    async def main():
        return clock_of_running_loop(not_before=VIRTUAL_EPOCH + 7).now()

    assert run(main) == VIRTUAL_EPOCH + 7


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_other_loops_have_the_real_clock(backend):
    async def main():
        return clock_of_running_loop().virtual

    assert anyio.run(main, backend=backend) is False


def test_the_real_clock_never_goes_back():
    future = 1 << 60

    clock = RealClock(not_before=future)

    assert (clock.now(), clock.now()) == (future, future)


def test_the_real_clock_counts_microseconds():
    assert 1_600_000_000_000_000 < RealClock().now() < 1 << 60


def test_years_pass_in_virtual_time():
    async def years() -> float:
        for _ in range(10):
            await anyio.sleep(31_536_000.1)  # noqa: ASYNC116  # a year is the point
        return anyio.current_time()

    assert anyio.run(years, backend_options={"loop_factory": VirtualTimeLoop}) == pytest.approx(315_360_001)
