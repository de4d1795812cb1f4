"""The simulated motors and detector that ophyd-async ships: one move, one fault."""

import anyio
import pytest
from ophyd_async.core import init_devices, observe_value
from ophyd_async.sim import PatternGenerator, SimPointDetector, SimStage

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def devices():
    pattern = PatternGenerator()
    async with init_devices():
        stage = SimStage(pattern)
        detector = SimPointDetector(pattern, num_channels=1)
    await stage.x.velocity.set(100)
    await detector.acquire_time.set(0.01)
    return stage, detector


async def test_a_move_and_a_reading(devices):
    stage, detector = devices
    with anyio.fail_after(20):
        await stage.x.set(0.5)
        await detector.trigger()
        read = await detector.read()

    assert await stage.x.user_readback.get_value() == pytest.approx(0.5)
    assert len(read) == 1


async def test_a_move_that_is_stopped_is_an_error(devices):
    stage, _ = devices
    await stage.x.velocity.set(0.5)
    with anyio.fail_after(20):
        move = stage.x.set(5.0)
        async for position in observe_value(stage.x.user_readback):
            if position > 0:
                break
        await stage.x.stop(success=False)

        with pytest.raises(RuntimeError, match="was stopped"):
            await move
