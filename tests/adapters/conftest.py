"""One server of each kind for the whole session, started when the first test asks for it."""

import pytest
from tests.adapters.servers.process import Server, python

RUNNING = {}
"""The servers of this session by the name of their fixture."""


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """Start servers that end with the session, however it ends: ``serve(name, command)``."""
    folder = tmp_path_factory.mktemp("servers")

    def start(name, command, **more):
        server = RUNNING[name] = Server(name, command, folder, **more)
        return server.start()

    yield start
    for name in list(RUNNING):
        RUNNING.pop(name).stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Show the end of the log of each server that a failed test used."""
    report = yield
    if report.failed:
        for name in RUNNING.keys() & set(item.fixturenames):
            report.sections.append((f"log of {name}", RUNNING[name].tail()))
    return report


@pytest.fixture(scope="session")
def opentrons(serve):
    """The stand-in for an Opentrons robot-server."""
    return serve("opentrons", python("opentrons"))


@pytest.fixture(scope="session")
def sila(serve):
    """A SiLA 2 reactor on the UniteLabs CDK."""
    return serve("sila", python("sila"))


@pytest.fixture(scope="session")
def opcua(serve):
    """An OPC UA reactor and a LADS device on asyncua."""
    return serve("opcua", python("opcua"))
