"""One server of each kind for the whole session, started when the first test asks for it."""

import gc
import threading
from pathlib import Path

import httpx
import pytest
from tests.adapters.servers import epics_ca as epics
from tests.adapters.servers import mqtt
from tests.adapters.servers.epics_wire import Search
from tests.adapters.servers.process import LOOPBACK, Server, elsewhere, program, python
from tests.adapters.servers.serial_line import SerialReactor
from tests.adapters.servers.slurm import Slurm

RUNNING = {}
"""The servers of this session by the name of their fixture."""


@pytest.fixture(autouse=True)
def grpc_ends_with_the_test():
    """gRPC has one poller a process; what comes late for a loop that is closed raises in the loop of another test.

    The poller ends with the last object that uses it, and those wait in cycles for the collector.
    """
    yield
    if any("_poll_wrapper" in thread.name for thread in threading.enumerate()):
        gc.collect()


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """Start servers that end with the session, however it ends: ``serve(name, command)``."""
    yield from serving(tmp_path_factory.mktemp("servers"))


@pytest.fixture(scope="module")
def serve_a_module(tmp_path_factory):
    """The same for those that one file of tests needs: an idle Dask cluster uses a seventh of a core."""
    yield from serving(tmp_path_factory.mktemp("servers"))


def serving(folder):
    started = []

    def start(name, command, **more):
        server = RUNNING[name] = Server(name, command, folder, **more)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        RUNNING.pop(server.name, None)
        server.stop()


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
def opentrons_protocols(serve):
    """An Opentrons robot that plays a protocol, held to the real server's OpenAPI document."""
    return serve("opentrons_protocols", python("opentrons_protocols"))


@pytest.fixture(scope="session")
def sila(serve):
    """A SiLA 2 reactor on the UniteLabs CDK."""
    return serve("sila", python("sila"))


@pytest.fixture(scope="session")
def opcua(serve):
    """An OPC UA reactor and a LADS device on asyncua."""
    return serve("opcua", python("opcua"))


@pytest.fixture(scope="session")
def mosquitto(serve, tmp_path_factory):
    """Debian's MQTT broker."""
    return serve("mosquitto", mqtt.mosquitto(tmp_path_factory.mktemp("mosquitto")))


@pytest.fixture(scope="session")
def amqtt(serve, tmp_path_factory):
    """An MQTT broker in Python."""
    return serve("amqtt", mqtt.amqtt(tmp_path_factory.mktemp("amqtt")))


@pytest.fixture(scope="session")
def mosquitto_reactor(serve, mosquitto):
    """The MQTT reactor at Debian's broker."""
    return serve_device(serve, "mosquitto_reactor", mosquitto)


@pytest.fixture(scope="session")
def amqtt_reactor(serve, amqtt):
    """The MQTT reactor at the broker in Python."""
    return serve_device(serve, "amqtt_reactor", amqtt)


def serve_device(serve, name, broker):
    """A device is a client too: it has no port of its own, and says in its log when it is there."""
    device = serve(name, lambda _: python("mqtt")(broker.port), ready=lambda server: server.has_said("online"))
    device.broker = broker
    return device


@pytest.fixture(scope="session")
def epics_search():
    """Where this process looks for EPICS: its client reads the settings once, so they are the same for all tests."""
    with epics.Repeater() as repeater, Search() as search, pytest.MonkeyPatch.context() as patch:
        for name, value in epics.client_settings(search.port, repeater.port).items():
            patch.setenv(name, value)
        search.repeater = repeater
        yield search


@pytest.fixture(scope="session")
def epics_ca(serve, epics_search):
    """An EPICS reactor over Channel Access."""
    server = serve("epics_ca", python("epics_ca", epics_search.repeater.port))
    epics_search.server, server.search = server.port, epics_search
    return server


@pytest.fixture(scope="session")
def epics_pva(serve):
    """An EPICS reactor over PV Access."""
    return serve("epics_pva", python("epics_pva"))


@pytest.fixture(scope="session")
def modbus(serve):
    """A Modbus TCP reactor on pymodbus."""
    return serve("modbus", python("modbus"))


@pytest.fixture
def serial_reactor():
    """A reactor at the other end of a serial line, one for each test."""
    reactor = SerialReactor()
    yield reactor
    reactor.unplug()


@pytest.fixture(scope="session")
def visa_library():
    """What to give pyvisa's ResourceManager for the instrument of data/visa.yaml."""
    return f"{Path(__file__).with_name('data') / 'visa.yaml'}@sim"


@pytest.fixture(scope="session")
def sila_independent(serve):
    """The same SiLA 2 reactor on the sila2 library."""
    return serve("sila_independent", python("sila_independent"))


@pytest.fixture(scope="module")
def dask_cluster(serve_a_module):
    """A Dask cluster of two worker processes."""
    ready = {"ready": lambda server: server.has_said("the workers are there")}
    return serve_a_module("dask_cluster", python("cluster"), **ready)


@pytest.fixture(scope="session")
def slurm(serve, tmp_path_factory):
    """A Slurm cluster of one node."""
    return Slurm(serve, tmp_path_factory.mktemp("slurm"))


@pytest.fixture(scope="session")
def madsci(serve, tmp_path_factory):
    """A MADSci node, in its own environment."""
    command = python("elsewhere.madsci_node", interpreter=elsewhere("madsci", "bin/python"))
    return serve("madsci", command, env={"HOME": str(tmp_path_factory.mktemp("madsci"))}, ready=is_initialized)


def is_initialized(node):
    """A MADSci node answers before a thread of it has initialized it."""
    node.connect()
    if httpx.get(f"http://{node.host}:{node.port}/status").json()["initializing"]:
        raise ConnectionRefusedError("it is initializing")


@pytest.fixture(scope="session")
def flowchem(serve):
    """flowchem's simulated heater and pump, in their own environment."""
    return serve("flowchem", python("elsewhere.flowchem_sim", interpreter=elsewhere("flowchem", "bin/python")))


@pytest.fixture(scope="session")
def julabo(serve):
    """Lewis' simulated Julabo circulator, a thousand times as fast as a real one; only ever run as a program."""
    program = elsewhere("lewis", "bin/lewis")

    def command(port):
        line = f"julabo-version-1: {{bind_address: {LOOPBACK}, port: {port}}}"
        return [program, "julabo", "-p", line, "--speed", "1000", "--cycle-delay", "0.01"]

    return serve("julabo", command)


@pytest.fixture(scope="session")
def node_opcua(serve, tmp_path_factory):
    """The OPC UA reactor on node-opcua."""
    modules, home = elsewhere("opcua", "node_modules"), tmp_path_factory.mktemp("node_opcua")
    script = Path(__file__).with_name("servers") / "elsewhere/opcua_server.js"
    # It keeps the certificates that it makes in the home directory.
    env = {"NODE_PATH": str(modules), "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    return serve("node_opcua", lambda port: [program("node", "nodejs"), script, port], env=env)
