"""Environments of their own: made once for the versions that are wanted, and told of when missing."""

import pytest
from tests.adapters import environments
from tests.adapters.servers.process import elsewhere


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "HOME", tmp_path)


def finish(name):
    environments.folder(name).mkdir()
    environments.stamp(name).touch()


@pytest.mark.parametrize("name", [*environments.PYTHON, *environments.NODE])
def test_a_missing_environment_fails_the_test_with_the_command_that_makes_it(name):
    with pytest.raises(pytest.fail.Exception, match=f"environment {name} is missing: run `make test-adapters`"):
        elsewhere(name, "bin/python")


def test_a_finished_environment_gives_the_path_of_its_files():
    finish("lewis")

    assert elsewhere("lewis", "bin/lewis") == environments.HOME / "lewis/bin/lewis"


def test_an_environment_for_other_versions_counts_as_missing(monkeypatch):
    finish("lewis")
    monkeypatch.setitem(environments.PYTHON, "lewis", ["lewis==1.3.0"])

    assert not environments.stamp("lewis").exists()


def test_what_is_finished_is_left_alone(monkeypatch, capsys):
    for name in [*environments.PYTHON, *environments.NODE]:
        finish(name)
    monkeypatch.setattr("sys.argv", ["environments.py"])
    environments.main()

    assert capsys.readouterr().out.count("ready") == 4
