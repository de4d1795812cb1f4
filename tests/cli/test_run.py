"""``titrant run`` and ``titrant resume``, in this process and killed in others."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from titrant import Client, RangeParameterConfig
from titrant.cli.logs import read
from titrant.errors import LogMissing
from titrant.log.heads import head
from titrant.log.replay import read_log
from titrant.messages import events as e

from .files import FAST, OWN, OWN_LAB


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lab.toml"
    path.write_text(FAST)
    return path


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_lab.py").write_text(OWN_LAB)
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    yield path
    sys.modules.pop("own_lab", None)


def history(log):
    """What happened, without who and when."""
    return [record.event for record in read_log(log)]


def test_a_file_is_run_into_a_log_beside_it(titrant, file):
    told = titrant("run", file, "--speed", "max", "--json")

    assert told.code == 0
    assert told.json["outcome"] == "finished"
    assert told.json["trials"] == 6
    assert told.json["best"][0]["values"].keys() == {"yield", "impurity"}
    assert Path(told.json["log"]) == file.with_suffix(".titrant")


def test_people_see_a_line_for_each_trial_and_the_best(titrant, file):
    told = titrant("run", file, "--speed", "max", "--trials", 4, "--parallelism", 4)

    assert told.err.count("completed in") == 4
    assert "run of 4 trials, 4 at a time" in told.err
    assert "Best: yield = " in told.out
    assert "temperature_c" in told.out


def test_with_json_nothing_else_is_printed(titrant, file):
    assert titrant("run", file, "--speed", "max", "--json").err == ""


def test_in_virtual_time_the_same_file_gives_the_same_log(titrant, file, tmp_path):
    titrant("run", file, "--speed", "max", "--log", "one.titrant")
    titrant("run", file, "--speed", "max", "--log", "two.titrant")

    assert head("one.titrant") == head("two.titrant")


def test_an_existing_log_is_not_run_over(titrant, file):
    titrant("run", file, "--speed", "max")

    told = titrant("run", file, "--speed", "max")

    assert told.code == 2
    assert "titrant resume" in told.err


def test_a_log_that_never_got_an_experiment_is_taken(titrant, file):
    """Its maker was killed before anything was said."""
    with Client(file.with_suffix(".titrant"), random_seed=1, virtual_time=True):
        pass

    assert titrant("run", file, "--speed", "max").code == 0


def test_a_real_lab_is_not_run_in_virtual_time(titrant, own):
    told = titrant("run", own, "--speed", "max")

    assert told.code == 2
    assert "'measure' is not simulated" in told.err
    assert not own.with_suffix(".titrant").exists()


def test_a_function_beside_the_file_is_run(titrant, own):
    told = titrant("run", own, "--json")

    assert told.code == 0
    assert told.json["trials_created"] == 3


def test_a_file_without_runner_makes_a_log_for_asking_and_telling(titrant, tmp_path):
    (tmp_path / "hand.toml").write_text('objective = "y"\n[parameters]\nx = [0, 1]\n')

    told = titrant("run", "hand.toml")

    assert told.code == 0
    assert "hand.titrant is ready" in told.out
    assert titrant("resume", "hand.titrant").code == 0


def test_too_many_failures_are_a_fault(titrant, tmp_path):
    (tmp_path / "lab.toml").write_text(FAST.replace("seed = 1 }", "seed = 1, failure_probability = 1.0 }"))

    told = titrant("run", "lab.toml", "--speed", "max", "--json")

    assert told.code == 1
    assert told.json["error"]["kind"] == "FailureRateExceeded"


def test_a_run_that_is_over_has_nothing_left(titrant, file):
    titrant("run", file, "--speed", "max")

    told = titrant("resume")

    assert told.code == 0
    assert "Nothing is left to do" in told.out


def test_more_trials_are_made_where_asked_for(titrant, file):
    titrant("run", file, "--speed", "max")

    told = titrant("resume", "lab", "--trials", 2, "--json")

    assert told.json["trials"] == 8


def test_a_run_goes_on_in_the_time_it_was_in(titrant, file):
    """An hour of a simulated lab would be waited for otherwise."""
    file.write_text(FAST.replace("duration_s = 60", "duration_s = 3600"))
    titrant("run", file, "--speed", "max", "--trials", 2)

    assert titrant("resume", "--trials", 1, "--json").json["trials"] == 3


def test_an_act_in_between_does_not_change_the_time_of_the_run(titrant, file):
    """It is written in real time, whatever the run was in."""
    file.write_text(FAST.replace("duration_s = 60", "duration_s = 3600"))
    titrant("run", file, "--speed", "max", "--trials", 2)
    titrant("note", 0, "-m", "cloudy")

    assert read("lab.titrant").virtual
    assert titrant("resume", "--trials", 1, "--json").json["trials"] == 3


def test_the_log_is_all_that_a_resume_needs(titrant, own):
    titrant("run", own, "--trials", 1)
    own.unlink()

    told = titrant("resume", "--trials", 2, "--json")

    assert told.code == 0
    assert told.json["trials"] == 3


def test_another_file_may_say_who_carries_trials_out(titrant, file, own):
    titrant("run", own, "--trials", 1)
    other = own.with_name("other.toml")
    other.write_text(OWN.replace('"own_lab:measure"', '"own_lab:measure"\ncapacity = 2'))

    titrant("resume", "own.titrant", "--file", other, "--trials", 1)

    kept = [event for event in history("own.titrant") if isinstance(event, e.ExperimentDefined)]
    assert [event.definition.file for event in kept] == ["own.toml", "other.toml"]


def test_a_log_made_in_python_asks_for_a_file(titrant, file):
    with Client("python.titrant") as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])

    told = titrant("resume", "python.titrant")

    assert told.code == 2
    assert "--file FILE" in told.err


def test_a_log_in_use_is_left_alone(titrant, file):
    titrant("run", file, "--speed", "max", "--trials", 1)

    with Client.open("lab.titrant"):
        told = titrant("resume", "lab.titrant", "--trials", 1)

    assert told.code == 4
    assert "is open in this process" in told.err


def start(*args, **environment):
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "titrant.cli", *map(str, args)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def has_experiment(log):
    try:
        return read(log).state.experiment is not None
    except LogMissing:
        return False


KILLS = [
    "log.create.before",
    "log.create.after",
    "log.open.after",
    *(f"supervisor.durable#{number}" for number in (1, 2, 3, 4, 5, 8, 12, 17, 21)),
    "supervisor.decide#15",
    "runner.submit.before#2",
    "runner.finished#3",
]


@pytest.mark.parametrize("point", KILLS)
def test_after_a_kill_the_same_run_is_finished(titrant, file, point):
    """Wherever it was killed; what never got an experiment is begun anew."""
    file.write_text(FAST.replace("duration_s = 60", "duration_s = 0.02"))
    log = file.with_suffix(".titrant")
    with start("run", file, TITRANT_CRASH_AT=point) as process:
        process.communicate(timeout=60)
    assert process.returncode not in (0, 70)

    told = titrant(*(("resume", log) if has_experiment(log) else ("run", file)), "--json")

    assert told.code == 0, told.out
    assert told.json["trials"] == 6
    created = [event.trial for event in history(log) if isinstance(event, e.TrialCreated)]
    ended = [event.trial for event in history(log) if isinstance(event, e.TrialCompleted)]
    assert created == list(range(6))
    assert sorted(ended) == created


def test_ctrl_c_finishes_what_runs_and_says_so_by_its_exit_code(file):
    file.write_text(FAST.replace("duration_s = 60", "duration_s = 0.3").replace("max_trials = 6", "max_trials = 60"))
    with start("run", file) as process:
        told = process.stderr.readline() + process.stderr.readline()  # the run has begun, and a trial is over
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert "completed in" in told
    assert process.returncode == 130
    assert "draining" in err
    assert "To go on:" in out
    assert not [event for event in history("lab.titrant") if isinstance(event, e.TrialFailed)]
