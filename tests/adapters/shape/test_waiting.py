"""Waits that end."""

import anyio
import pytest

from titrant_adapters.shape import bounded

pytestmark = pytest.mark.anyio


async def test_a_wait_that_takes_too_long_says_for_what_it_was():
    with pytest.raises(TimeoutError, match=r"^heating took longer than 0\.01 s$"), bounded(0.01, "heating"):
        await anyio.sleep_forever()


async def test_what_takes_too_long_further_in_speaks_for_itself():
    with pytest.raises(TimeoutError, match=r"^the pump$"), bounded(60.0, "heating"):
        raise TimeoutError("the pump")
