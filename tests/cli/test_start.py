"""``titrant new``, ``check``, ``doctor`` and ``demo``."""

import json
import re
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from titrant import Client, RangeParameterConfig
from titrant.cli import health
from titrant.cli.table import TABLE
from titrant.definition.templates import TEMPLATES
from titrant.log.heads import head

from .files import FAST

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def quick(monkeypatch):
    """A doctor who does not wait for torch."""
    monkeypatch.setattr("titrant.cli.health.machine.worker", lambda: iter(()))


def findings(told, level):
    return [one["what"] for one in told.json["findings"] if one["level"] == level]


# --- new ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_file_can_be_checked_at_once(titrant, template):
    written = titrant("new", "my lab", "--template", template)

    assert written.code == 0
    assert "titrant check my-lab.toml" in written.out
    assert tomllib.loads(Path("my-lab.toml").read_text(encoding="utf-8"))["name"] == "my lab"
    assert titrant("check", "my-lab.toml").code == 0


def test_no_file_is_written_over(titrant):
    titrant("new")
    before = Path("reaction.toml").read_text(encoding="utf-8")

    told = titrant("new", "reaction", "--template", "blank")

    assert told.code == 2
    assert "is not written over" in told.err
    assert Path("reaction.toml").read_text(encoding="utf-8") == before


def test_a_new_file_may_go_into_a_folder(titrant, tmp_path):
    (tmp_path / "labs").mkdir()

    assert titrant("new", "labs/first", "--json").json["file"] == str(Path("labs/first.toml"))


def test_the_schema_is_printed_as_it_is_published(titrant):
    published = json.loads((DOCS / "experiment.schema.json").read_text(encoding="utf-8"))

    assert json.loads(titrant("new", "--schema").out) == published
    assert titrant("new", "--schema", "--json").json == published


# --- check ----------------------------------------------------------------------------------------------------------


def test_a_sound_file_passes_and_nothing_is_written(titrant, tmp_path):
    Path("lab.toml").write_text(FAST)

    told = titrant("check", "lab.toml")

    assert told.code == 0
    assert "8 suggestions that keep every bound" in told.out
    assert "one simulated trial gave yield = " in told.out
    assert [path.name for path in tmp_path.iterdir()] == ["lab.toml"]


def test_all_faults_are_listed_with_their_lines(titrant):
    Path("lab.toml").write_text(
        FAST.replace("seed = 1\n", "sed = 1\n", 1).replace("parallelism = 2", "parallelism = 0")
    )

    told = titrant("check", "lab.toml")

    assert told.code == 1
    assert "line 3, sed: there is no field of this name: did you mean 'seed'?" in told.out
    assert "run.parallelism" in told.out
    assert "lab.toml has 2 faults." in told.out


def test_a_report_is_one_document(titrant):
    Path("lab.toml").write_text(FAST.replace("max_trials", "trials"))

    told = titrant("check", "lab.toml", "--json")

    assert told.code == 1
    assert told.json["passed"] is False
    assert told.json["report"]["problems"][0]["where"] == "run.trials"


# --- doctor ---------------------------------------------------------------------------------------------------------


def test_the_doctor_looks_at_the_machine(titrant):
    told = titrant("doctor", "--json")

    assert told.json["passed"] == (told.code == 0)
    looked_at = " ".join(one["what"] for one in told.json["findings"])
    for word in ("Python", "SQLite", "processor", "MiB free", "clock", "worker process answers", "botorch"):
        assert word in looked_at


def test_an_old_sqlite_is_warned_of(titrant, quick, monkeypatch):
    monkeypatch.setattr("titrant.log.health.sqlite_version", lambda: (3, 51, 2))

    told = titrant("doctor")

    assert told.code == 0
    assert "SQLite 3.51.2 has a fault" in told.out
    assert "→ use a Python with SQLite 3.51.3 or later" in told.out


def test_a_full_disk_is_a_fault(titrant, quick, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: type("Usage", (), {"free": 1 << 20}))

    told = titrant("doctor", "--json")

    assert told.code == 1
    assert any("1 MiB free" in one for one in findings(told, "fail"))


def test_a_network_drive_is_warned_of(titrant, quick, monkeypatch):
    monkeypatch.setattr("titrant.log.health.file_system", lambda _folder: "nfs4")

    assert any("network drive (nfs4)" in one for one in findings(titrant("doctor", "--json"), "warn"))


def test_an_installed_runner_that_cannot_be_imported_is_a_fault(titrant, quick, monkeypatch):
    entry = EntryPoint("robot", "no_such_module:Robot", "titrant.runners")
    monkeypatch.setattr(
        "titrant.cli.health.installed.entry_points", lambda group: [entry] * (group == "titrant.runners")
    )

    told = titrant("doctor", "--json")

    assert told.code == 1
    assert findings(told, "fail")[0].startswith("runner 'robot' (no_such_module:Robot): ModuleNotFoundError")


def test_an_adapter_that_probes_is_asked(titrant, quick, monkeypatch, tmp_path):
    (tmp_path / "probing_lab.py").write_text("def probe():\n    return 'two pumps'\n\nclass Robot:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("robot", "probing_lab:Robot", "titrant.runners")
    monkeypatch.setattr(
        "titrant.cli.health.installed.entry_points", lambda group: [entry] * (group == "titrant.runners")
    )

    assert "runner 'robot' (probing_lab:Robot): two pumps" in findings(titrant("doctor", "--json"), "ok")


def test_a_worker_that_does_not_answer_is_a_fault(titrant, monkeypatch):
    monkeypatch.setattr("sys.executable", "/no/such/python")

    told = titrant("doctor", "--json")

    assert told.code == 1
    assert "models cannot be fitted" in findings(told, "fail")[0]


def test_a_sound_log_is_said_to_be_sound(titrant, quick):
    Path("lab.toml").write_text(FAST)
    titrant("run", "lab.toml", "--speed", "max")

    told = titrant("doctor", "lab.titrant", "--json")

    assert told.code == 0
    assert f"lab.titrant: {head('lab.titrant').seq} events, 6 trials, chain sound" in findings(told, "ok")
    assert "all runners and metrics it names can be made" in findings(told, "ok")


def test_a_runner_that_is_gone_is_a_fault(titrant, quick):
    Path("lab.toml").write_text(FAST)
    titrant("run", "lab.toml", "--speed", "max", "--trials", 1)
    Path("lab.toml").write_text(FAST.replace("titrant.simulation:reaction", "gone_lab:Robot"))
    titrant("doctor", "lab.toml", "--json")

    told = titrant("doctor", "lab.toml", "--json")

    assert told.code == 1
    assert "gone_lab" in findings(told, "fail")[0]


def test_who_holds_a_log_is_named(titrant, quick):
    with Client("lab.titrant") as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])

        assert any("it is held by process" in one for one in findings(titrant("doctor", "lab.titrant", "--json"), "ok"))


def test_what_waits_for_a_person_is_said(titrant, quick):
    with Client("lab.titrant") as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.halt("smoke")
    Path("lab.titrant.control").write_text("{}")

    told = findings(titrant("doctor", "lab.titrant", "--json"), "warn")

    assert "it is halted" in told
    assert any("lab.titrant.control was left" in one for one in told)


def test_a_damaged_log_is_a_fault(titrant, quick):
    Path("lab.titrant").write_bytes(b"SQLite format 3\0" + b"x" * 4000)

    told = titrant("doctor", "lab.titrant", "--json")

    assert told.code == 1
    assert "titrant verify lab.titrant" in json.dumps(told.json)


def test_every_remedy_names_a_command_there_is():
    sources = Path(health.__file__).parent.glob("*.py")
    source = "".join(path.read_text(encoding="utf-8") for path in sources)

    assert set(re.findall(r"titrant ([a-z]+) ?[-{\"]", source)) <= {entry.name for entry in TABLE}


# --- demo -----------------------------------------------------------------------------------------------------------


def test_the_demo_shows_what_it_found_and_how_to_go_on(titrant):
    told = titrant("demo", "--trials", 3, "--seconds", 0.05)

    assert told.code == 0
    assert "yield by trial" in told.out
    assert "Everything is in demo.titrant" in told.out
    assert titrant("resume", "demo.titrant", "--trials", 1, "--json").json["trials"] == 4


def test_a_second_demo_has_a_log_of_its_own(titrant):
    titrant("demo", "--trials", 1, "--seconds", 0.05)

    assert titrant("demo", "--trials", 1, "--seconds", 0.05, "--json").json["log"] == "demo-2.titrant"
