"""Every durable event is a line for programs that configured structlog, and none for those that did not."""

from __future__ import annotations

import json

import pytest
import structlog

from titrant import Client, RangeParameterConfig
from titrant.progress.logging import configure_logging


def run() -> None:
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("-y")
        client.configure_generation_strategy("random_search")
        client.configure_runner(lambda parameters: parameters["x"])
        client.run_trials(max_trials=2)


@pytest.fixture
def _unconfigured():
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("_unconfigured")
def test_events_are_lines_of_json_on_request(capsys):
    configure_logging(json=True)

    run()

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    course = [line["event"] for line in lines if line.get("trial") == 1]
    assert course == [
        "trial.created",
        "trial.submitting",
        "trial.running",
        "trial.run_finished",
        "trial.data_attached",
        "trial.completed",
    ]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))


@pytest.mark.usefixtures("_unconfigured")
def test_a_program_that_configured_nothing_sees_nothing(capsys):
    run()

    assert capsys.readouterr().err == ""
