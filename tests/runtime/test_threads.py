"""Blocking code in threads, on the real loops of both back ends: no time passes in these tests."""

import threading

import anyio
import pytest

from titrant.runtime.threads import run_in_thread

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


async def test_the_result_comes_back():
    assert await run_in_thread(divmod, 7, 2) == (3, 1)


async def test_an_exception_passes():
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(divmod, 7, 0)


async def test_even_an_exit_is_only_raised_where_the_call_was_made():
    def leave():
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        await run_in_thread(leave)
    assert await run_in_thread(int, "1") == 1


async def test_no_such_thread_keeps_the_process_from_ending():
    assert await run_in_thread(lambda: threading.current_thread().daemon)


async def test_calls_run_side_by_side():
    meeting = threading.Barrier(3)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(run_in_thread, meeting.wait)

    assert not meeting.broken


async def test_an_idle_thread_is_used_again():
    first = await run_in_thread(threading.get_ident)

    assert await run_in_thread(threading.get_ident) == first


async def test_a_cancelled_call_is_left_to_itself():
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    def block():
        begun.set()
        release.wait()
        ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_in_thread, block)
        await run_in_thread(begun.wait)
        tasks.cancel_scope.cancel()

    assert not ended.is_set()
    release.set()
    await run_in_thread(ended.wait)


def test_a_thread_that_comes_back_after_the_loop_is_gone_does_no_harm():
    begun, release = threading.Event(), threading.Event()
    threads = []

    def block():
        threads.append(threading.current_thread())
        begun.set()
        release.wait()

    async def leave():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_in_thread, block)
            await run_in_thread(begun.wait)
            tasks.cancel_scope.cancel()

    anyio.run(leave)
    release.set()

    assert anyio.run(run_in_thread, threads[0].is_alive)
