"""A log played again, derived again, exported, unpacked and backed up from a terminal."""

import subprocess
import sys

import pytest

from titrant import Client, FunctionRunner, RangeParameterConfig


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("logs") / "one.titrant"
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))], name="first")
        client.configure_optimization("y")
        client.configure_generation_strategy(method="random_search")
        client.configure_runner(FunctionRunner(lambda parameters: {"y": parameters["x"]}, name="lab"))
        client.run_trials(4, parallelism=2)
    return path


@pytest.fixture
def log(made, monkeypatch):
    monkeypatch.setenv("TITRANT_LOG", str(made))
    return made


def test_a_log_is_played_as_a_run_is_seen(titrant, log):
    told = titrant("replay", "--speed", "max")

    assert told.code == 0
    assert "first: finished, 4 trials" in told.out
    assert "as of event 20" in titrant("replay", "--speed", "max", "--until", 20).out


def test_suggestions_are_derived_again(titrant, log):
    told = titrant("replay", "--verify-decisions", "--json")

    assert told.code == 0
    assert (told.json["ok"], told.json["equal"]) == (True, 4)


def test_watching_ends_where_nobody_runs_the_experiment(titrant, log):
    assert "nobody runs one.titrant any more" in titrant("watch").out


def test_a_whole_export_is_checked_without_titrant_and_becomes_the_same_log(titrant, log, tmp_path):
    assert titrant("export", "-o", tmp_path / "whole").code == 0

    checked = subprocess.run(
        [sys.executable, "-I", "-S", tmp_path / "whole" / "verify.py"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert titrant("unpack", tmp_path / "whole", tmp_path / "again.titrant").code == 0
    assert titrant("head", tmp_path / "again.titrant").out == titrant("head").out


def test_a_tampered_export_is_a_fault(titrant, log, tmp_path):
    titrant("export", "-o", tmp_path / "whole")
    events = tmp_path / "whole" / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"first", b"worst"))

    assert titrant("unpack", tmp_path / "whole", tmp_path / "again.titrant").code == 1
    assert not (tmp_path / "again.titrant").exists()


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl", "html", "ro-crate", "prov"])
def test_a_log_is_exported_in_other_forms(titrant, log, tmp_path, form):
    told = titrant("export", "--to", form, "-o", tmp_path / f"out-{form}.json")

    assert told.code == 0, told.err
    assert (tmp_path / f"out-{form}.json").exists()
    assert titrant("export", "--to", form, "-o", tmp_path / f"out-{form}.json").code == 2


def test_a_backup_is_the_same_log(titrant, log, tmp_path):
    assert titrant("backup", "-o", tmp_path / "copy.titrant").code == 0
    assert titrant("head", tmp_path / "copy.titrant").out == titrant("head").out
    assert titrant("backup", "-o", tmp_path / "copy.titrant").code == 2


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("replay", "--speed", "fast"), "give a number"),
        (("replay", "--speed", "-1"), "speed"),
        (("replay", "--until", "999999"), "999999"),
        (("replay", "--json"), "is for eyes"),
        (("export", "--to", "xml"), "xml"),
        (("unpack", "nowhere", "new.titrant"), "no export at nowhere"),
        (("watch", "nowhere.titrant"), "no log at nowhere.titrant"),
    ],
)
def test_bad_input_is_named_with_an_exit_code(titrant, log, args, why):
    told = titrant(*args)

    assert told.code == 2
    assert why in (told.out if "--json" in args else told.err)
