"""Adapters in experiment files: found by name, held against the space, and looked at by the doctor."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading

import pytest

from titrant.cli.app import main

FILE = """
name = "supply"
objective = "power"
[parameters]
x = [0, 3]
[run]
max_trials = 2
[[runners]]
use = "scpi"
[runners.with]
host = "127.0.0.1"
port = {port}
measure = {{ power = "MEAS:POW?" }}
settings.{name} = {{ to = "VOLT", unit = "{unit}" }}
"""


@pytest.fixture
def port():
    """Of an instrument that says who it is, and that no error is in its queue."""
    answers = {b"*IDN?": b"ACME,PSU,0,1\n", b"SYST:ERR?": b'0,"No error"\n'}
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            try:
                line, _ = server.accept()
                with line, line.makefile("rb") as frames:
                    for frame in frames:
                        line.sendall(answers[frame.strip()])
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
    # closing a listening socket wakes no accept: a connection of our own does where nobody came
    thread.join(0)


@pytest.fixture
def asked(tmp_path, capsys):
    """Runs a command on a file, and gives its exit code and its JSON."""

    def ask(command, *, port=1, name="x", unit="V"):
        path = tmp_path / "supply.toml"
        path.write_text(FILE.format(port=port, name=name, unit=unit))
        code = main([command, str(path), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return ask


def test_a_runner_that_fits_is_accepted(asked):
    code, told = asked("check")

    assert (code, told["passed"]) == (0, True)
    assert told["report"]["runners"] == ["ScpiRunner"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "voltage"}, "nothing says how 'x' reaches the instrument"),
        ({"unit": "volts"}, "'volts' is no unit known here"),
        ({"port": 0}, "port is 0"),
    ],
)
def test_what_cannot_work_is_told_by_check(asked, fields, said):
    code, told = asked("check", **fields)

    assert code == 1
    assert said in json.dumps(told["report"]["problems"])


def test_the_doctor_asks_the_instrument_who_it_is(asked, port):
    _, told = asked("doctor", port=port)

    assert "runner 'ScpiRunner': 127.0.0.1" in json.dumps(told["findings"])
    assert [one["level"] for one in told["findings"] if "ACME,PSU,0,1" in one["what"]] == ["ok"]


def test_the_doctor_tells_of_an_instrument_that_is_not_there(asked):
    code, told = asked("doctor", port=1)

    (fault,) = [one for one in told["findings"] if one["level"] == "fail"]
    assert code == 1
    assert "127.0.0.1:1 does not take connections" in fault["what"]
    assert fault["remedy"]


def test_naming_an_adapter_imports_no_other(tmp_path):
    code = (
        "import sys; from titrant.definition.connecting import resolve, RUNNERS; resolve(RUNNERS, 'scpi');"
        "print(sorted(m for m in sys.modules if m.startswith('titrant_adapters.') and '.shape' not in m))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout

    assert out.strip() == "['titrant_adapters.scpi']"
