"""Engines in virtual time, what they publish, and views drawn without a terminal."""

import io
from contextlib import aclosing, asynccontextmanager

import anyio
import pytest
from rich.console import Console

from titrant import AsyncClient, RangeParameterConfig
from titrant.progress.picture import Picture
from titrant.runtime.virtual_loop import VirtualTimeLoop


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": VirtualTimeLoop}


@pytest.fixture
def open_client():
    """An experiment with one parameter, its objective as given."""

    @asynccontextmanager
    async def opened(runners, objective="y", constraints=None, path=None):
        async with AsyncClient(path, random_seed=3) as client:
            await client.configure_experiment([RangeParameterConfig(name="x", bounds=(0.0, 1.0))], name="titration")
            await client.configure_optimization(objective, constraints)
            await client.configure_generation_strategy("random_search")
            await client.configure_runners(runners)
            yield client

    return opened


@pytest.fixture
def published():
    """Collect what an engine publishes while the block runs."""

    @asynccontextmanager
    async def collecting(engine):
        seen = []

        async def collect(task_status):
            async with aclosing(engine.hub.listen()) as events:
                task_status.started()
                async for pair in events:
                    seen.append(pair)

        async with anyio.create_task_group() as tasks:
            await tasks.start(lambda *, task_status: collect(task_status))
            yield seen
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()

    return collecting


@pytest.fixture
def drawn():
    """A renderable as text."""

    def draw(renderable, width=100):
        console = Console(width=width, height=60, file=io.StringIO(), color_system=None)
        console.print(renderable)
        return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())

    return draw


@pytest.fixture
def picture():
    """A picture with defaults."""

    def make(**fields):
        return Picture(**{"name": "titration", "asked": 10, "ended": 4, "elapsed_s": 65.0, **fields})

    return make
