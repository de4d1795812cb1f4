"""Servers in processes of their own: on a free port of the loopback, shown when a test fails, never left over."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.adapters import environments

ROOT = Path(__file__).parents[3]
GUARD = Path(__file__).with_name("guard.py")
LOOPBACK = "127.0.0.1"
WIDTH = 300
"""Some servers write a page into a line."""
TRIES = 3
"""Between finding a port free and the server's taking it another process may be quicker."""


# Below the ports that the kernel gives to outgoing connections: one of those could be ours by the time the server is
# up, and an attempt to connect to a port among them may even reach itself and so take a dead server for ready.
PORTS = range(20_000, 32_000)
_offset = itertools.count(os.getpid() * 97)  # sessions at the same time begin in different places


def free_port():
    """A port that nobody listens on now, neither over TCP nor over UDP, and that was not given out lately."""
    for offset in itertools.islice(_offset, len(PORTS)):
        port = PORTS[offset % len(PORTS)]
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            tcp.bind((LOOPBACK, port))
            udp.bind((LOOPBACK, port))
            return port
    raise AssertionError(f"all ports from {PORTS.start} to {PORTS.stop} are taken")


def program(name, package):
    """The path of a program from Debian; fails with the command that installs it."""
    # A test must not be skipped for want of its server: nobody would notice that it never runs.
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return path or pytest.fail(
        f"{name} is not installed: run `make servers` (or apt-get install {package})", pytrace=False
    )


class Server:
    """A server under a guard; its log is a file, its address a port of the loopback."""

    def __init__(self, name, command, folder, *, env=None, ready=None, port=None, seconds=60):
        """*command* is a function of the port; *ready*, a function of the server, raises OSError until it is."""
        self.name, self.command, self.env, self.seconds = name, command, env or {}, seconds
        self.ready = ready or Server.connect
        self.log = Path(folder) / f"{name}.log"
        self.ledger = Path(folder) / f"{name}.starts"
        self.fixed, self.port = port is not None, port or free_port()
        self.host = LOOPBACK
        self.process, self.logged = None, 0

    def start(self):
        """Start and wait until it can be connected to; the port stays the same over restarts once it was taken."""
        for tried in range(1, TRIES + 1):
            with self.log.open("ab") as log:
                self.logged = log.tell()
                self.process = subprocess.Popen(
                    [sys.executable, str(GUARD), *map(str, self.command(self.port))],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.log.parent,  # some leave files where they are started
                    env=os.environ | {"LEDGER": str(self.ledger), "PYTHONPATH": str(ROOT)} | self.env,
                )
            if self.gets_ready():
                return self
            self.stop()
            if tried < TRIES and not self.fixed:
                self.port = free_port()
        raise AssertionError(f"{self.name} did not start; its log:\n{self.tail()}")

    def gets_ready(self):
        """Wait: True when it is ready, False when it died; what takes longer than its time is an error."""
        for _ in range(int(self.seconds / 0.05)):
            with contextlib.suppress(OSError):
                self.ready(self)
                return True
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=0.05)  # the pace of the attempts, and the end of them if it dies
                return False
        self.stop()
        raise AssertionError(f"{self.name} was not ready within {self.seconds} s; its log:\n{self.tail()}")

    def stop(self):
        """Kill it, as a power cut would: no server here has anything to save."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None

    def descendants(self):
        """All its processes, without the guard."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def bound(self):
        """The addresses at which its processes can be reached."""
        return bound_by(self.descendants(), self.port)

    def starts(self, of=""):
        """How many runs it has physically begun; *of* one kind, where the ledger of the server has kinds."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return sum(line.startswith(of) for line in lines)

    def tail(self, lines=40):
        """The end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(line[:WIDTH] for line in text.splitlines()[-lines:])

    def connect(self):
        """One attempt to reach it; OSError if nobody is there, or somebody else."""
        socket.create_connection((LOOPBACK, self.port), timeout=1).close()
        if all(port != self.port for _, _, port, *_ in self.bound()):
            raise ConnectionRefusedError(f"another program listens on port {self.port}")

    def has_said(self, word):
        """OSError until its log, from this start on, holds *word*: for what has no port of its own."""
        if word.encode() not in self.log.read_bytes()[self.logged :]:
            raise ConnectionRefusedError(word)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def bound_by(processes, port=None):
    """What *processes* listen on (TCP) or are bound to (UDP), but for the nameless sockets that only send."""
    first, last = (int(each) for each in Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    bound = set()
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # a child may have ended since it was listed
            for each in process.net_connections("tcp"):
                if each.status == psutil.CONN_LISTEN:
                    bound.add(("tcp", *each.laddr))
            for each in process.net_connections("udp"):
                if each.laddr.port == port or not first <= each.laddr.port <= last:
                    bound.add(("udp", *each.laddr))
    return bound


def python(module, *args, interpreter=sys.executable):
    """The command of one of our own servers, as a function of its port."""
    return lambda port: [interpreter, "-m", f"tests.adapters.servers.{module}", port, *args]


def elsewhere(name, file):
    """The path of *file* in the environment *name*; fails with the command that makes it."""
    if not environments.stamp(name).exists():
        pytest.fail(f"the environment {name} is missing: {environments.REMEDY}", pytrace=False)
    return environments.folder(name) / file
