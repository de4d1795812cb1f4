"""Both back ends, without waiting: asyncio on the virtual loop, trio with a clock that jumps."""

import pytest
import trio.testing

from titrant.runtime.virtual_loop import VirtualTimeLoop


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    if request.param == "asyncio":
        return "asyncio", {"loop_factory": VirtualTimeLoop}
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
