"""Experiments with an open door: in this process, and in one of their own that a terminal talks to."""

import subprocess
import sys

import msgspec
import pytest
from tests.control.lab import Child, make_experiment

from titrant.control import address


@pytest.fixture(params=["unix socket", "loopback"])
def way(request, monkeypatch):
    """Both ways to the engine."""
    if request.param == "unix socket" and not address.HAS_UNIX_SOCKETS:
        pytest.skip("this system has no Unix sockets")
    monkeypatch.setattr(address, "HAS_UNIX_SOCKETS", request.param == "unix socket")
    return request.param


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lab.titrant"


@pytest.fixture
def experiment(path):
    """An experiment that is open, with a slow instrument and nothing under way."""
    with make_experiment(path) as client:
        yield client


@pytest.fixture
def run_child(path):
    """Starts the closed loop in a process of its own; what is left of it is killed in the end."""
    started = []

    def run(**plan):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.control.child", msgspec.json.encode({"path": str(path), **plan}).decode()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return Child(process)

    yield run
    for process in started:
        process.kill()
        process.communicate()
    address.sweep(path)
