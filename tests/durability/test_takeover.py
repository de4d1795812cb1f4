"""One writer: a held log is refused with its owner's name, and free the moment the owner is dead."""

import socket
import subprocess
import sys

import pytest

from titrant import Client
from titrant.errors import LogInUse

HOLDER = """
import sys
from titrant import Client
client = Client(sys.argv[1], random_seed=7)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_log_is_refused_while_its_owner_lives_and_free_when_it_is_killed(tmp_path):
    path = tmp_path / "held.titrant"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        try:
            assert holder.stdout.readline() == b"held\n"
            for opening in (Client.open, Client):
                with pytest.raises(LogInUse, match=f"process {holder.pid} on {socket.gethostname()}"):
                    opening(path)
            holder.kill()
            holder.wait()
            with Client.open(path) as client:
                assert client.state.seed == 7
        finally:
            holder.kill()
