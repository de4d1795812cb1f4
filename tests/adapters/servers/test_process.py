"""Servers start on the loopback, tell why they do not, and never outlive the tests."""

import socket
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
from tests.adapters import conftest
from tests.adapters.servers.process import GUARD, LOOPBACK, ROOT, Server, free_port, program

LISTENER = """
import os, socket, sys
os.fork()
if os.fork() == 0: os.setsid()
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
while True: s.accept()
"""


def idle(_):
    return ["sleep", "600"]


def no_wait(_):
    """Ready as soon as started."""


def listener(port):
    return [sys.executable, "-c", LISTENER, port]


def test_a_server_is_reachable_once_started_and_gone_once_stopped(tmp_path):
    with Server("listener", listener, tmp_path) as server:
        server.connect()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port))


def test_another_program_on_its_port_is_not_taken_for_the_server(tmp_path):
    with Server("listener", listener, tmp_path) as other, Server("idle", idle, tmp_path, ready=no_wait) as server:
        server.port = other.port

        with pytest.raises(ConnectionRefusedError, match="another program listens"):
            server.connect()


def test_no_port_is_given_out_twice_in_a_row():
    assert len({free_port() for _ in range(100)}) == 100


def test_daemons_that_a_server_forked_die_with_it(tmp_path):
    server = Server("listener", listener, tmp_path).start()
    # The forks may still be on their way when the first of them listens; those that are there must die.
    family = server.descendants()
    server.stop()

    assert family
    assert not [process for process in family if process.is_running()]


def test_a_server_dies_with_a_killed_test_session(tmp_path):
    session = f"""
import subprocess, sys
server = subprocess.Popen([sys.executable, {str(GUARD)!r}, "sleep", "600"], stdin=subprocess.PIPE)
print(server.pid, flush=True)
server.wait()
"""
    process = subprocess.Popen([sys.executable, "-c", session], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    guard = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.communicate()
    psutil.wait_procs([guard], timeout=30)

    assert not guard.is_running()


def test_a_server_that_dies_at_once_shows_its_log(tmp_path):
    server = Server("broken", lambda port: [sys.executable, "-c", "raise SystemExit('no such robot')"], tmp_path)

    with pytest.raises(AssertionError, match=r"broken did not start; its log:\n.*no such robot"):
        server.start()


def test_a_restarted_server_keeps_its_port(tmp_path):
    with Server("listener", listener, tmp_path) as server:
        before = server.port
        server.stop()

        assert server.start().port == before


def test_what_a_server_listens_on_is_seen(tmp_path):
    with Server("listener", listener, tmp_path) as server:
        assert server.bound() == {("tcp", LOOPBACK, server.port)}


def test_a_missing_program_fails_the_test_with_the_command_that_installs_it():
    with pytest.raises(
        pytest.fail.Exception, match=r"frobd is not installed: run `make servers` \(or apt-get install frob\)"
    ):
        program("frobd", "frob")


@pytest.mark.parametrize(("failed", "shown"), [(True, [("log of robot", "no tips left")]), (False, [])])
def test_the_log_of_a_server_is_shown_with_the_failure_of_a_test_that_used_it(tmp_path, monkeypatch, failed, shown):
    server, item = Server("robot", listener, tmp_path), SimpleNamespace(fixturenames=["robot"])
    server.log.write_text("no tips left")
    monkeypatch.setattr(conftest, "RUNNING", {"robot": server, "another": None})
    report = SimpleNamespace(failed=failed, sections=[])
    hook = conftest.pytest_runtest_makereport(item)
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(report)

    assert report.sections == shown
