"""The helper for scripts; importing configures nothing."""

import json

import pytest
import structlog

from titrant.progress.logging import configure_logging
from titrant.runtime.diagnostics import Logger


@pytest.fixture(autouse=True)
def unconfigured():
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def test_importing_configures_nothing():
    assert not structlog.is_configured()


def test_readable_lines_go_to_standard_error(capsys):
    configure_logging()
    Logger("titrant.test").info("trial.proposed", trial=3)
    said = capsys.readouterr()

    assert "trial.proposed" in said.err
    assert "trial=3" in said.err
    assert said.out == ""


def test_json_is_one_object_a_line(capsys):
    configure_logging(json=True)
    Logger("titrant.test").warning("trial.late", trial=3)
    said = json.loads(capsys.readouterr().err)

    assert (said["event"], said["trial"], said["level"]) == ("trial.late", 3, "warning")
    assert said["timestamp"].endswith("Z")


def test_less_than_the_level_is_not_shown(capsys):
    configure_logging(level="warning")
    Logger("titrant.test").info("trial.proposed")

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("as_json", [False, True])
def test_a_traceback_does_not_give_away_local_variables(capsys, as_json):
    configure_logging(json=as_json)
    password = "hunter2"
    try:
        raise RuntimeError(f"{len(password)} characters")
    except RuntimeError as exc:
        Logger("titrant.test").error("login.failed", exc_info=exc)
    said = capsys.readouterr().err

    assert "7 characters" in said
    assert "hunter2" not in said.replace('password = "hunter2"', "")
