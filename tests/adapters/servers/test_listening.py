"""Nothing that the tests start can be reached from another machine."""

import ipaddress

import psutil
import pytest
from tests.adapters.servers.process import bound_by

SERVERS = [
    "opentrons",
    "opentrons_protocols",
    "sila",
    "sila_independent",
    "opcua",
    "mosquitto",
    "amqtt",
    "epics_ca",
    "epics_pva",
    "modbus",
    "dask_cluster",
]
DEVICES = ["mosquitto_reactor", "amqtt_reactor"]
"""Devices are clients of a broker: they listen nowhere."""


def beyond_loopback(bound):
    def address(text):
        address = ipaddress.ip_address(text)
        return getattr(address, "ipv4_mapped", None) or address

    return [each for each in bound if not address(each[1]).is_loopback]


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_can_be_reached_over_the_loopback_only(name, request):
    bound = request.getfixturevalue(name).bound()

    assert bound
    assert beyond_loopback(bound) == []


@pytest.mark.parametrize("daemon", ["controller", "node"])
def test_a_daemon_of_slurm_can_be_reached_over_the_loopback_only(daemon, slurm):
    bound = getattr(slurm, daemon).bound()

    assert bound
    assert beyond_loopback(bound) == []


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_listens_nowhere(name, request):
    assert request.getfixturevalue(name).bound() == set()


def test_the_session_and_all_that_it_started_can_be_reached_over_the_loopback_only():
    session = psutil.Process()
    family = [each for each in [session, *session.children(recursive=True)] if each.status() != psutil.STATUS_ZOMBIE]

    assert beyond_loopback(bound_by(family)) == []


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7", "::ffff:192.0.2.7"])
def test_a_socket_beyond_the_loopback_would_be_seen(address):
    bound = [("tcp", address, 1), ("tcp", "::ffff:127.0.0.1", 2), ("udp", "::1", 3)]

    assert beyond_loopback(bound) == bound[:1]
