"""Toy experiments for the client's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from titrant import Client, RangeParameterConfig

MakeClient = Callable[..., Client]


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    """Makes clients in virtual time with a one-dimensional space, and closes them."""
    made: list[Client] = []

    def make(
        path: Any = None, *, objective: str = "-y", virtual_time: bool = True, method: str = "random_search"
    ) -> Client:
        client = Client(path, random_seed=1, virtual_time=virtual_time)
        made.append(client)
        client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))], name="toy")
        client.configure_optimization(objective)
        client.configure_generation_strategy(method)
        return client

    yield make
    for client in made:
        client.close()
