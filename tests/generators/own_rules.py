"""Functions that tests name as constraints."""

import os
import socket
import subprocess
import sys


def below_the_curve(values):
    return values["x"] * values["y"] <= 0.2


def room(values):
    """How far it is to the rim of a small disc: not negative inside."""
    return 0.05 - ((values["x"] - 0.7) ** 2 + (values["y"] - 0.2) ** 2) ** 0.5


def broken(values):
    raise KeyError("no such solvent")


def never(values):
    return False


def far(values):
    return values["x"] >= 0.9


def rising(values):
    return values["y"] - values["x"]


def calls_a_program(values):
    """Starts one that never ends, and waits for it; its number goes to the port that the environment names."""
    program = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
    with socket.create_connection(("127.0.0.1", int(os.environ["TELL_PROGRAM"]))) as line:
        line.sendall(str(program.pid).encode())
    return program.wait() == 0


NO_FUNCTION = 3
