"""What every command has from the frame."""

import inspect
import keyword
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

import titrant.cli.app as frame
from titrant import errors as e
from titrant.cli import errors, people
from titrant.cli.errors import BadInput
from titrant.cli.events import _WORDS, event_line
from titrant.cli.logs import find_log
from titrant.cli.table import TABLE
from titrant.log.base import Record
from titrant.messages import events
from titrant.messages.events import Event

NAMES = [entry.name for entry in TABLE]


def _function(entry):
    name = entry.name.replace("-", "_")
    return getattr(import_module(f"titrant.cli.{entry.module}"), name + "_" * keyword.iskeyword(name))


def test_help_names_every_command(titrant):
    told = titrant("--help")

    assert told.code == 0
    assert all(name in told.out for name in NAMES)


def test_no_argument_at_all_is_a_call_for_help(titrant):
    assert titrant().out == titrant("--help").out


def test_help_imports_neither_a_command_nor_anything_heavy():
    script = (
        "import sys; from titrant.cli.app import main; code = main(['--help']);"
        "heavy = {'torch', 'numpy', 'scipy', 'pandas', 'anyio', 'msgspec', 'sqlite3'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("entry", TABLE, ids=NAMES)
def test_the_table_says_what_the_command_says(entry):
    assert inspect.getdoc(_function(entry)).splitlines()[0] == entry.help


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_and_json(titrant, name):
    told = titrant(name, "--help")

    assert told.code == 0
    assert "--json" in told.out


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_bad_input(titrant, name):
    told = titrant(name, "--no-such-option")

    assert told.code == 2
    assert "--no-such-option" in told.err
    assert told.out == ""


@pytest.mark.parametrize("name", NAMES)
def test_with_json_a_usage_error_is_json_too(titrant, name):
    told = titrant(name, "--no-such-option", "--json")

    assert told.code == 2
    assert told.json["error"]["exit_code"] == 2
    assert told.err == ""


def test_a_misspelt_command_is_recognised(titrant):
    told = titrant("lss")

    assert told.code == 2
    assert "'ls'" in told.err


def test_the_version_is_told(titrant):
    assert titrant("--version").out.startswith("titrant ")


@pytest.mark.parametrize(
    ("exc", "code"),
    [
        (BadInput("x"), 2),
        (e.SearchSpaceError("x"), 2),
        (e.TrialNotFound(7, 3), 2),
        (e.LogMissing("x"), 2),
        (e.CommandRefused("x"), 3),
        (e.LogInUse("x", "y"), 4),
        (e.LogUnavailable("x"), 4),
        (e.LogCorrupt(3, "x"), 4),
        (e.FailureRateExceeded(1, 2, 0.1, ()), 1),
        (FileNotFoundError(2, "No such file", "x"), 2),
        (PermissionError(13, "Permission denied", "x"), 4),
        (ZeroDivisionError("x"), 70),
    ],
)
def test_each_error_has_its_exit_code(exc, code):
    assert errors.exit_code(exc) == code


def test_an_error_inside_titrant_says_how_to_see_more(titrant, monkeypatch):
    monkeypatch.setattr("titrant.cli.ls._about", lambda _path: 1 / 0)
    Path("x.titrant").touch()

    told = titrant("ls")

    assert told.code == 70
    assert "ZeroDivisionError" in told.err
    assert "TITRANT_TRACEBACK=1" in told.err


def test_the_traceback_is_there_for_those_who_ask(monkeypatch, capsys):
    monkeypatch.setenv("TITRANT_TRACEBACK", "1")

    assert frame.main(["ls", "nowhere"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_the_shell_completes_commands():
    def completed(words, at):
        environment = {**os.environ, "_TITRANT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        script = "import sys; from titrant.cli.app import main; sys.exit(main([]))"
        ran = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        return ran.stdout.split()

    assert sorted(completed("titrant l", 1)) == ["learn", "log", "ls"]
    assert "--json" in completed("titrant ls --", 2)


def test_the_only_log_here_is_meant():
    Path("one.titrant").touch()

    assert find_log(None) == Path("one.titrant")


def test_a_log_may_be_named_without_its_ending():
    Path("one.titrant").touch()
    Path("two.titrant").touch()

    assert find_log(Path("two")) == Path("two.titrant")


def test_the_environment_names_a_log(monkeypatch):
    Path("one.titrant").touch()
    Path("two.titrant").touch()
    monkeypatch.setenv("TITRANT_LOG", "two.titrant")

    assert find_log(None) == Path("two.titrant")


def test_of_two_logs_neither_is_guessed():
    Path("one.titrant").touch()
    Path("two.titrant").touch()

    with pytest.raises(BadInput, match=r"one\.titrant, two\.titrant"):
        find_log(None)


def test_where_there_is_no_log_one_is_asked_for():
    with pytest.raises(BadInput, match="TITRANT_LOG"):
        find_log(None)


def test_a_folder_is_no_log(tmp_path):
    with pytest.raises(BadInput, match="is a folder"):
        find_log(tmp_path)


def test_a_name_alone_is_a_person():
    assert people.asked_by("kim", "chemist", " too hot ") == people.By("user:kim", "chemist", "too hot")
    assert people.actor("agent:planner") == "agent:planner"
    assert people.actor(None).startswith("user:")


@pytest.mark.parametrize("name", ["", "runner:reactor", "engine:", "user: "])
def test_nobody_may_call_themselves_a_part_of_the_engine(name):
    with pytest.raises(BadInput):
        people.actor(name)


def test_every_event_has_words():
    assert set(_WORDS) == set(get_args(Event))


def test_an_event_is_one_line():
    record = Record(
        seq=41, event=events.ResultVoided(trial=7, reason="vial cracked"), schema=1, recorded_at=0, observed_at=None,
        actor="user:kim", role="chemist", reason="vial cracked", trial=7, cause=None, correlation=None, key=None,
        epoch=1, hash=b"",
    )  # fmt: skip

    assert event_line(record, began=0, virtual=True) == (
        "   41  +00:00:00  trial.voided              7  user:kim (chemist): vial cracked"
    )


def test_no_command_loads_what_is_heavy_before_it_is_called():
    script = (
        "import sys; from titrant.cli.app import load; from titrant.cli.table import TABLE;"
        "[load(one) for one in TABLE];"
        "heavy = {'torch', 'numpy', 'scipy', 'pandas', 'rich.console', 'anyio', 'titrant.engine'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
