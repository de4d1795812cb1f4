"""The instruments' server, one for the tests of a module."""

import pytest
from tests.durability.campaign import server


@pytest.fixture(autouse=True)
def _workers_go_on():
    """Here they do not: each engine starts its own, and each is killed."""


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def instruments(tmp_path_factory):
    with server(tmp_path_factory.mktemp("instruments")) as running:
        yield running
