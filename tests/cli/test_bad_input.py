"""Bad input to a command: a sentence on what is wrong, exit code 2, and no traceback."""

from pathlib import Path

import pytest

from .files import FAST

SOUND = "lab.toml"


@pytest.fixture(autouse=True)
def _files(tmp_path):
    Path(SOUND).write_text(FAST)
    Path("broken.toml").write_text("x = = 1")
    Path("nonsense.toml").write_text('objective = "y*y"\n[parameters]\nx = [2, 1]\n')
    Path("unnamed.toml").write_text("[parameters]\nx = [0, 1]\n[[runners]]\nuse = 'no_such_module:Lab'\n")
    Path("endless.toml").write_text(FAST.replace("max_trials = 6", ""))
    Path("binary.toml").write_bytes(b"\xff\x00\xfe")
    Path("text.titrant").write_text("not a log " * 100)
    Path("short.titrant").write_text("x")
    (tmp_path / "folder").mkdir()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["new", "///"], "makes no file's name"),
        (["new", "nowhere/lab"], "there is no folder nowhere"),
        (["new", "lab"], "exists, and is not written over"),
        (["new", "--template", "soup"], "soup"),
        (["new", "a", "b"], "unexpected"),
        (["check"], "FILE"),
        (["check", "missing.toml"], "missing.toml"),
        (["check", "folder"], "folder"),
        (["check", SOUND, "--trials", "0"], "--trials"),
        (["check", SOUND, "--trials", "many"], "--trials"),
        (["doctor", "missing.titrant"], "there is no file missing.titrant"),
        (["doctor", "folder"], "there is no file folder"),
        (["run"], "FILE"),
        (["run", "missing.toml"], "missing.toml"),
        (["run", "folder"], "folder"),
        (["run", "broken.toml"], "no TOML"),
        (["run", "binary.toml"], "UTF-8"),
        (["run", "nonsense.toml"], "2 faults"),
        (["run", "unnamed.toml", "--trials", "1"], "no module 'no_such_module'"),
        (["run", "endless.toml"], "how many trials?"),
        (["run", SOUND, "--speed", "slow"], "--speed"),
        (["run", SOUND, "--parallelism", "0"], "--parallelism"),
        (["run", SOUND, "--trials", "-1"], "--trials"),
        (["run", SOUND, "--log", "nowhere/lab.titrant"], "there is no folder nowhere"),
        (["run", SOUND, "--log", "text.titrant"], "is not an event log"),
        (["run", SOUND, "--log", "short.titrant"], "is not an event log"),
        (["run", SOUND, "--log", "folder"], "folder"),
        (["resume"], "which log?"),
        (["resume", "missing"], "there is no log at missing"),
        (["resume", "folder"], "is a folder, not a log"),
        (["resume", "text.titrant"], "is not an event log"),
        (["resume", "short.titrant"], "is not an event log"),
        (["ls", "missing"], "there is no folder missing"),
        (["demo", "--trials", "0"], "--trials"),
        (["demo", "--seconds", "-1"], "--seconds"),
        (["demo", "--log", "text.titrant"], "text.titrant"),
        (["demo", "--log", "nowhere/demo.titrant"], "nowhere"),
        (["no-such-command"], "no-such-command"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("json", [False, True], ids=["words", "json"])
def test_bad_input_is_named_and_costs_nothing_else(titrant, args, said, json):
    told = titrant(*args, *(["--json"] if json else []))

    assert told.code == 2, told.err
    if json:
        assert said in told.json["error"]["message"]
        assert told.json["error"]["exit_code"] == 2
        assert told.err == ""
    else:
        assert said in told.err
        assert told.out == ""
