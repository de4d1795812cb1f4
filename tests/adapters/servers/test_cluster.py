"""A bare Dask client against a cluster of processes."""

import os
import signal

import pytest
from distributed import Client, KilledWorker
from tests.adapters.servers.reactor import yield_at


@pytest.fixture(scope="module")
def client(dask_cluster):
    with Client(f"tcp://{dask_cluster.host}:{dask_cluster.port}", timeout=30) as client:
        client.wait_for_workers(2, timeout=30)
        yield client


def test_a_task_gives_its_result(client):
    assert client.submit(yield_at, 64.0, pure=False).result(timeout=30) == yield_at(64.0)


def test_an_error_in_a_task_arrives_as_it_was_raised(client):
    with pytest.raises(ZeroDivisionError):
        client.submit(divmod, 1, 0, pure=False).result(timeout=30)


def test_a_task_that_kills_its_worker_runs_once(client, tmp_path):
    ledger = tmp_path / "starts"

    def die():
        with ledger.open("a") as starts:
            starts.write("started\n")
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(KilledWorker):
        client.submit(die, pure=False, retries=0).result(timeout=60)

    assert ledger.read_text() == "started\n"
