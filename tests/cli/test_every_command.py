"""Bad input to every command there is: found by walking the commands, so that a new one cannot be forgotten."""

import inspect
import keyword
import os
import shutil
import sqlite3
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple, get_args, get_origin, get_type_hints

import pytest
from typer.models import ArgumentInfo

from titrant.cli.app import main
from titrant.cli.table import TABLE

from .files import FAST

COMMANDS = {entry.name: entry for entry in TABLE}

ARGUMENTS = {
    "trial": "0",
    "outcome": "failed",
    "file": "lab.toml",
    "table": "results.csv",
    "source": "whole",
    "runner": "reactor",
    "before": "1",
    "past": "past.titrant",
    "better": "0",
    "worse": "1",
}
"""Something sound for each argument that a command cannot do without."""

VALUES = {
    "correct": ["yield=1"],
    "tell": ["yield=1", "impurity=1"],
    "note": ["cloudy"],
    "executed": ["time_min=5"],
    "attach": ["temperature_c=50", "time_min=10", "equivalents=2", "solvent=DMF"],
}
OPTIONS = {
    "sign": ["--meaning", "reviewed"],
    "change": ["--bounds", "time_min=:30"],
    "resume": ["--trials", "1"],
    "replay": ["--speed", "max"],
}
"""What else some cannot do without."""

NO_LOG = {"demo", "new", "check", "run", "ls", "doctor", "unpack"}
"""Commands without a log to begin with; what they take instead is tried below and in ``test_bad_input.py``."""


class Parameter(NamedTuple):
    """A parameter of a command's function: its name, type, and what typer is told of it."""

    name: str
    kind: object
    info: object

    @property
    def is_argument(self):
        return isinstance(self.info, ArgumentInfo)

    @property
    def option(self):
        """How it is given; None for an argument."""
        declared = [name for name in self.info.param_decls or () if name.startswith("--")]
        return None if self.is_argument else (declared or [f"--{self.name.replace('_', '-')}"])[0]

    @property
    def types(self):
        """Its types, without None."""
        plain = [one for one in get_args(self.kind) if one is not type(None)]
        return plain if plain and get_origin(self.kind) is not Literal else [self.kind]


def parameters(name):
    """The parameters of a command's function."""
    entry = COMMANDS[name]
    python = name.replace("-", "_")
    function = getattr(import_module(f"titrant.cli.{entry.module}"), python + "_" * keyword.iskeyword(python))
    hints = get_type_hints(function, include_extras=True)
    found = []
    for one in inspect.signature(function).parameters:
        kind, *more = get_args(hints[one])
        found.append(Parameter(one, kind, more[0]))
    return found


def is_log(name, parameter):
    return parameter.name == "log" or (name, parameter.name) == ("log", "path")


def call(name, log="lab.titrant", *, more=(), **given):
    """A sound call of a command, but for what is *given*, and for *more* options."""
    arguments, options = [], []
    for one in parameters(name):
        value = given.get(one.name, ARGUMENTS.get(one.name))
        if is_log(name, one) and name not in NO_LOG:
            arguments += [log] if one.is_argument else []
            options += [] if one.is_argument else ["--log", log]
        elif one.is_argument and value is not None:
            arguments.append(value)
        elif (name, one.name) == ("unpack", "log"):
            arguments.append("again.titrant")
        elif one.name == "reason" and name != "note":
            options += ["-m", "why"]
    return [name, *options, *OPTIONS.get(name, []), *more, "--", *arguments, *VALUES.get(name, [])]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a finished experiment, an export of it, and all kinds of files that are no sound log."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "lab.toml").write_text(FAST)
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["run", "lab.toml", "--speed", "max", "--trials", "3"]) == 0
        assert main(["export", "lab", "-o", "whole"]) == 0
    finally:
        os.chdir(before)
    sound = folder / "lab.titrant"
    (folder / "results.csv").write_text("temperature_c,time_min,equivalents,solvent,yield\n50,10,2,DMF,1\n")
    (folder / "empty.titrant").touch()
    (folder / "text.titrant").write_text("no log " * 500)
    (folder / "folder.titrant").mkdir()
    with sqlite3.connect(folder / "other.titrant") as other:
        other.execute("CREATE TABLE something(x)")
    other.close()
    shutil.copy(sound, folder / "newer.titrant")
    with sqlite3.connect(folder / "newer.titrant") as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    (folder / "cut.titrant").write_bytes(sound.read_bytes()[:20_000])
    changed = bytearray(sound.read_bytes())
    changed[changed.index(b'"yield"') + 2] ^= 1
    (folder / "changed.titrant").write_bytes(changed)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy of it to work in."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def assert_told(told, code, *words):
    """One exit code, one message that says what is wrong, and nothing else."""
    assert told.code == code, told.out + told.err
    assert told.err.startswith("titrant: "), told.err
    assert len(told.err) < 1200
    for word in words:
        assert word in told.err


WITH_LOG = [name for name in COMMANDS if name not in NO_LOG]


@pytest.mark.parametrize("name", WITH_LOG)
@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("missing.titrant", "there is no log at missing.titrant"),
        ("empty.titrant", "empty.titrant"),
        ("text.titrant", "is not an event log"),
        ("other.titrant", "of another application"),
        ("folder.titrant", "is a folder, not a log"),
        ("results.csv", "results.csv"),
    ],
)
def test_what_is_no_log_is_bad_input(titrant, folder, name, log, words):
    before = sorted(path.name for path in folder.iterdir())

    assert_told(titrant(*call(name, log)), 2, words)

    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize("name", WITH_LOG)
def test_a_log_of_a_newer_titrant_asks_for_it(titrant, folder, name):
    assert_told(titrant(*call(name, "newer.titrant")), 4, "update titrant")


LOOKS_NO_FURTHER = {"head", "watch"}
"""They show what stands there; whether it is sound is for ``verify`` to say."""


@pytest.mark.parametrize("name", [name for name in WITH_LOG if name != "verify"])
def test_a_damaged_file_is_unavailable(titrant, folder, name):
    assert_told(titrant(*call(name, "cut.titrant")), 4, "the file is damaged")


@pytest.mark.parametrize("name", [name for name in WITH_LOG if name not in {"verify", *LOOKS_NO_FURTHER}])
def test_a_tampered_log_is_not_worked_with(titrant, folder, name):
    assert_told(titrant(*call(name, "changed.titrant")), 4, "its hash does not fit")


@pytest.mark.parametrize("log", ["cut.titrant", "changed.titrant"])
def test_an_audit_of_either_finds_the_fault(titrant, folder, log):
    assert titrant("verify", log).code == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", WITH_LOG)
def test_a_log_that_may_not_be_read_is_bad_input(titrant, folder, name):
    (folder / "lab.titrant").chmod(0)

    assert_told(titrant(*call(name)), 2, "'lab.titrant' is not readable")


def wrong(name):
    """What cannot be a value of each of a command's parameters: parameter, and text."""
    for one in parameters(name):
        for kind in one.types:
            if kind is int:
                yield from ((one, text) for text in ("many", "1.5", "nan", "inf", "1e3", ""))
                if getattr(one.info, "min", None) is not None:
                    yield one, str(one.info.min - 1)
            elif kind is float:
                yield from ((one, text) for text in ("much", "nan", "inf", "-inf", ""))
                if getattr(one.info, "min", None) is not None:
                    yield one, str(one.info.min - 1)
            elif get_origin(kind) is Literal:
                yield one, "nonsense"
        if one.name in {"at", "until", "since", "start", "before", "after"}:
            yield from ((one, text) for text in ("yesterday", "999999", "nan", "-999999", ""))
        if one.name == "by":
            yield from ((one, text) for text in ("", "engine:x", "user:"))


WRONG = [(name, one, text) for name in COMMANDS for one, text in wrong(name)]


@pytest.mark.parametrize(
    ("name", "parameter", "text"), WRONG, ids=[f"{name} {one.option or one.name} {text}" for name, one, text in WRONG]
)
def test_a_value_that_is_none_is_bad_input(titrant, folder, name, parameter, text):
    given = {parameter.name: text} if parameter.is_argument else {"more": [parameter.option, text]}

    assert_told(titrant(*call(name, **given)), 2)


@pytest.mark.parametrize("name", [name for name in COMMANDS if any(one.name == "trial" for one in parameters(name))])
def test_a_trial_that_is_not_there_is_bad_input(titrant, folder, name):
    given = {"more": ["--trial", "9999"]} if name == "log" else {"trial": "9999"}

    assert_told(titrant(*call(name, **given)), 2, "there is no trial 9999")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "note"])
def test_an_argument_too_many_is_bad_input(titrant, folder, name):
    assert_told(titrant(*call(name), "surplus", "surplus"), 2, "surplus")


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_without_its_value_is_bad_input(titrant, folder, name):
    options = [one for one in parameters(name) if not one.is_argument and one.kind is not bool]
    for one in options:
        assert_told(titrant(name, one.option), 2, one.option)


@pytest.mark.parametrize("name", [name for name in COMMANDS if any(one.name in ARGUMENTS for one in parameters(name))])
def test_what_a_command_cannot_do_without_is_asked_for(titrant, name):
    assert_told(titrant(name), 2)


WRITES = {"export": "-o", "backup": "-o", "demo": "--log", "run": "--log"}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("place", ["nowhere/out", "lab.toml", "lab.toml/out"])
def test_a_place_that_cannot_be_written_is_bad_input(titrant, folder, name, place):
    before = (folder / "lab.toml").read_bytes()

    assert_told(titrant(*call(name, more=[WRITES[name], place])), 2)

    assert (folder / "lab.toml").read_bytes() == before


@pytest.mark.parametrize("name", ["unpack", "import"])
@pytest.mark.parametrize("source", ["nowhere", "empty.titrant", "text.titrant", "folder.titrant", "lab.titrant"])
def test_a_source_that_is_none_is_bad_input(titrant, folder, name, source):
    given = call(name, source=source) if name == "unpack" else call(name, table=source)

    assert_told(titrant(*given), 2, source)
