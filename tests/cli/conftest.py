"""Commands as people call them: in a folder of their own, by name and arguments."""

import json

import pytest

from titrant.cli.app import main


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TITRANT_LOG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


class Ran:
    """What a command gave: its exit code, and what it printed."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def titrant(capsys):
    """Call a command: ``titrant("ls", folder)``."""

    def run(*args):
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)

    return run
