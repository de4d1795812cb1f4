"""The adapter that docs/adapters.md shows is written as it says, and keeps the contract."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.adapters.registry import ASKED, FEWEST, GET, PROJECT, REST, TOLD, adapter, registered

from titrant.testing.runner_contract import Carrier

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python file=(\S+)\n(.*?)```", PAGE, re.DOTALL))


def test_the_example_is_as_short_as_it_says():
    assert len(FILES["oven.py"].splitlines()) <= 30


def test_the_example_keeps_the_contract(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "conftest.py").write_text("from tests.adapters.test_scpi import lab\n", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stdout
    assert re.search(r"\b20 passed", ran.stdout), ran.stdout


def rows(head):
    """The cells of a table by the first one."""
    table = PAGE.split(f"{head}\n")[1].split("\n\n")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    return {name.strip("`"): rest for name, *rest in cells}


RUNNERS = rows("| `use` | speaks | extra | declares | proved against |")
METRICS = rows("| metric | reads | extra |")

DECLARED = {
    "finds": "can_report_status",
    "proof": "absence_is_proof",
    "keys": "honours_keys",
    "rerun": "rerun_safe",
    "stop": "can_stop",
}

NAMED = {"start": "GO {key}", "latest": "NAME?", "status": "STAT?", "stop": "HALT"}
MOST = {
    "scpi": NAMED,
    "visa": NAMED,
    "serial": NAMED,
    "epics": {"count": "RUNS"},
    "modbus": {"key": "4:uint32", "key_of_run": "6:uint32", "stop": {"at": "coil:1"}},
    "mqtt": {"reply": "p", "status": ASKED, "absence_is_proof": True, "stop": TOLD},
    "opcua": {"stop": "Operational/Stop"},
    "sila": {"stop": "CancelController.CancelCommand"},
    "opentrons": {"commands": [], "protocol": "p"},
    "rest": {"find": GET, "status": GET, "stop": GET, "absence_is_proof": True, "honours_keys": True},
    "shell": {"rerun_safe": True},
    "slurm": {"rerun_safe": True},
    "workcell": {
        "steps": [{"name": "a", "use": "rest", "with": REST | {"honours_keys": True}, "rerun_safe": True}],
    },
}
"""Fields with which it promises most."""


def promises(name, fields):
    spec = Carrier(adapter("runners", name)(**fields), "y").instrument.spec  # as the engine reads it
    return {word for word, field in DECLARED.items() if getattr(spec, field)}


def test_the_tables_name_what_is_registered():
    assert RUNNERS.keys() == registered("runners").keys()
    assert METRICS.keys() == registered("metrics").keys()


def test_of_every_runner_it_is_said_whether_settings_are_read_back():
    told = rows("| a setting is read back | with |")
    named = {name for cells in told.values() for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    assert RUNNERS.keys() - named == set()


def test_each_extra_is_one():
    extras = {cells[1].strip("`") for cells in (*RUNNERS.values(), *METRICS.values())} - {"–"}

    assert extras <= tomllib.loads(PROJECT)["project"]["optional-dependencies"].keys()


@pytest.mark.parametrize("name", RUNNERS)
def test_what_the_table_says_is_what_the_adapter_declares(name):
    always = re.sub(r"\(.*?\)", "", RUNNERS[name][2])
    said = set(re.findall(r"\w+", always))
    with_fields = set(re.findall(r"\w+", RUNNERS[name][2]))

    assert promises(name, FEWEST[name]) == said
    assert promises(name, FEWEST[name] | MOST.get(name, {})) == with_fields
