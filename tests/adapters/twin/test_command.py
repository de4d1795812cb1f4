"""``titrant twin``: found by its entry point, serving until it is told to stop."""

import json
import re
import signal
import socket
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from zipfile import ZipFile

import httpx
import psutil
import pytest
from tests.adapters.servers.mqtt import mosquitto
from tests.adapters.servers.process import Server

from titrant.cli import added
from titrant.cli.app import main
from titrant_adapters.twin import Behaviour
from titrant_adapters.twin.doors import PROTOCOLS
from titrant_adapters.twin.faults import KINDS

PAGE = Path(__file__).parents[3] / "docs/twin.md"
SERVE = [sys.executable, "-m", "titrant.cli", "twin", "serve"]


@pytest.fixture
def serve():
    """Starts ``titrant twin serve`` and gives the process with the first document it tells."""
    started = []

    def serve(*words):
        process = subprocess.Popen(
            [*SERVE, *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        line = process.stdout.readline()
        assert line, process.stderr.read()
        return process, json.loads(line)

    yield serve
    for process in started:
        process.kill()
        process.communicate()


def ended(process, number=signal.SIGINT):
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return process.returncode, [json.loads(line) for line in out.splitlines()], err


def test_help_lists_what_packages_add_without_importing_it():
    script = (
        "import sys; from titrant.cli.app import main; code = main(['--help']);"
        "sys.exit('imported' if 'titrant_adapters' in sys.modules else code)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert re.search(r"twin\s+Serve a simulated lab over a protocol", ran.stdout)


def test_a_package_cannot_replace_a_command_of_titrants_own(monkeypatch):
    points = [EntryPoint("run", "json:loads", added.GROUP), EntryPoint("brew", "json:loads", added.GROUP)]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: points)
    added.added.cache_clear()
    found = set(added.added())
    added.added.cache_clear()

    assert found == {"brew"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("json:loads", "JSON (JavaScript Object Notation) <https://json.org> is a subset of"),
        ("titrant.cli.table:TABLE", "The commands, in the order in which people meet them;"),
        ("no_such_module:app", "Added by the package no_such_module."),
        ("titrant.no_such_module:app", "Added by the package titrant.no_such_module."),
    ],
)
def test_the_sentence_is_the_first_of_the_module_or_whose_it_is(value, said):
    assert added.sentence(EntryPoint("brew", value, added.GROUP)).startswith(said)


def test_help_says_what_there_is(capsys):
    assert main(["twin", "--help"]) == 0
    assert main(["twin", "serve", "--help"]) == 0

    told = " ".join(capsys.readouterr().out.split())
    assert "To begin: `titrant twin serve rest`" in told
    assert "crash_after_done" in told
    assert "[[faults]]" in told


def test_a_served_lab_is_driven_and_ends_with_ctrl_c(serve, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    process, told = serve("rest", "--seed", "3", "--speed", "1000", "--ledger", str(ledger))
    with httpx.Client(base_url=told["address"]) as http:
        order = {"key": "k", "parameters": {"temperature": 90.0, "residence_time": 5.0, "equivalents": 1.2}}
        http.post("/runs", json=order).raise_for_status()
        while (run := http.get("/runs/1").json())["state"] == "running":
            pass
    code, after, err = ended(process)

    assert told["address"] == f"http://127.0.0.1:{told['port']}"
    assert run["values"]["yield"] == pytest.approx(27.0, abs=2.5)
    assert [one.get("type") for one in after] == ["start", "end", None]
    assert (code, after[-1], err) == (0, {"served": "rest", "starts": 1}, "")
    assert len(ledger.read_text().splitlines()) == 2


def test_the_ledger_outlives_a_kill(serve, tmp_path):
    ledger = str(tmp_path / "ledger.jsonl")
    process, told = serve("rest", "--with", "duration_s=3600", "--ledger", ledger)
    httpx.post(f"{told['address']}/runs", json={"key": "k"}).raise_for_status()
    process.kill()
    process.wait()
    _, again = serve("rest", "--ledger", ledger)

    assert httpx.get(f"{again['address']}/runs", params={"key": "k"}).json()["state"] == "lost"


def test_a_plan_of_faults_is_kept_to(serve, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('[[faults]]\nkind = "refuse"\nrun = 1\n')
    _, told = serve("rest", "--faults", str(plan))

    assert [httpx.post(f"{told['address']}/runs", json={}).status_code for _ in range(2)] == [409, 201]


@pytest.mark.parametrize("protocol", sorted(set(PROTOCOLS) - {"mqtt"}))
def test_every_protocol_is_served_and_listens_on_the_loopback_interface_only(serve, protocol):
    process, told = serve(protocol)
    with socket.create_connection(("127.0.0.1", told["port"]), 5):
        pass
    connections = psutil.Process(process.pid).net_connections(kind="inet")
    hosts = {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}
    code, after, err = ended(process, signal.SIGTERM)

    assert hosts
    assert hosts <= {"127.0.0.1", "::ffff:127.0.0.1"}  # gRPC writes it the second way
    assert (code, after, err) == (0, [{"served": protocol, "starts": 0}], "")


def test_the_device_at_a_broker_can_be_reached_by_this_machine_alone(serve, tmp_path):
    with Server("mosquitto", mosquitto(tmp_path), tmp_path) as broker:
        process, _ = serve("mqtt", "--broker-port", str(broker.port))
        connections = psutil.Process(process.pid).net_connections(kind="inet")
        code, _, err = ended(process)

    assert {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN} <= {"127.0.0.1"}
    assert (code, err) == (0, "")


WHEEL = "olymp-0.0.1b0-py3-none-any.whl"


@pytest.fixture
def wheel(tmp_path):
    """A wheel as that package's is made: readings of one set, and what their columns are called."""
    rows = [f"{volume},{volume * 2 + twice}" for volume in (0.01, 0.02, 0.03) for twice in (0, 1)]
    config = {
        "parameters": [{"name": "sample_loop", "type": "continuous", "low": 0.0, "high": 0.08}],
        "measurements": [{"name": "peak_area", "type": "continuous"}],
    }
    with ZipFile(tmp_path / WHEEL, "w") as made:
        made.writestr("olympus/datasets/dataset_hplc/data.csv", "\n".join(rows))
        made.writestr("olympus/datasets/dataset_hplc/config.json", json.dumps(config))
    return str(tmp_path / WHEEL)


@pytest.mark.parametrize("physics", ["plate", "replay"])
def test_other_matter_than_a_reaction_is_measured(serve, wheel, physics):
    data = ["--data", wheel, "--data-set", "hplc"] if physics == "replay" else []
    _, told = serve("rest", "--physics", physics, "--speed", "1000", "--with", "noise_sd=0", *data)
    with httpx.Client(base_url=told["address"]) as http:
        outputs = {one["name"] for one in http.get("/").json()["values"]}
        http.post("/runs", json={"key": "k"}).raise_for_status()
        while (run := http.get("/runs/1").json())["state"] == "running":
            pass

    assert (run["state"], run["values"].keys()) == ("done", outputs)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["telnet"], "telnet"),
        (["scpi", "--speed", "0"], "the speed is 0.0"),
        (["scpi", "--with", "noise=1"], "There are duration_s, latency_s, noise_sd"),
        (["scpi", "--with", "places=0"], "places is 0"),
        (["scpi", "--physics", "replay"], "--data PATH"),
        (["scpi", "--physics", "replay", "--data", "nowhere"], "nowhere"),
        (["scpi", "--faults", "nowhere.toml"], "the fault plan nowhere.toml cannot be read"),
    ],
)
def test_bad_input_is_told_before_anything_is_built(words, said, capsys):
    assert main(["twin", "serve", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_fault_that_a_protocol_cannot_express_is_told_with_the_reason(tmp_path, capsys):
    plan = tmp_path / "plan.toml"
    plan.write_text('[[faults]]\nkind = "duplicate"\n')

    assert main(["twin", "serve", "opcua", "--faults", str(plan)]) == 2
    assert "opcua has no way to express duplicate: a secure channel numbers its messages" in " ".join(
        capsys.readouterr().err.split()
    )


def test_the_page_names_every_fault_protocol_and_behaviour():
    page = PAGE.read_text(encoding="utf-8")

    assert [name for name in (*KINDS, *PROTOCOLS, *Behaviour.__struct_fields__) if f"`{name}`" not in page] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mqtt", "--broker-port", "1"], "there is no MQTT broker at 127.0.0.1:1"),
        (["opcua", "--node-sets", "nowhere"], "holds no Opc.Ua.Di.NodeSet2.xml"),
    ],
)
def test_what_a_protocol_lacks_is_told_without_a_traceback(words, said):
    ran = subprocess.run([*SERVE, *words], capture_output=True, text=True, check=False)

    assert ran.returncode == 2, ran.stderr
    assert said in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr
