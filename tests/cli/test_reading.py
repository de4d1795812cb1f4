"""What a log tells in a terminal: as it stands, as it was, and whether it is sound."""

import json
import sqlite3

import pytest

from titrant import Client, FunctionRunner, RangeParameterConfig


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The log of a short run with a voided result and a note, in virtual time."""
    path = tmp_path_factory.mktemp("logs") / "one.titrant"
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))], name="first")
        client.configure_optimization("y")
        client.configure_generation_strategy(method="random_search")
        client.configure_runner(FunctionRunner(lambda parameters: {"y": parameters["x"]}, name="lab"))
        client.run_trials(5, parallelism=2)
        with client.acting_as("user:kim", "chemist"):
            client.void_trial(1, "the vial leaked")
            client.add_note("cloudy", 2)
    return path


@pytest.fixture
def log(made, monkeypatch):
    monkeypatch.setenv("TITRANT_LOG", str(made))
    return made


def test_the_status_names_trials_runners_and_the_last_run(titrant, log):
    told = titrant("status")

    assert told.code == 0
    assert "first: y" in told.out
    assert "4 COMPLETED, 1 VOIDED" in told.out
    assert "runner lab: 0 in use" in told.out
    assert "last run: finished" in told.out


def test_the_status_of_an_earlier_moment_is_told(titrant, log):
    now, then = titrant("status", "--json").json, titrant("status", "--at", "3", "--json").json

    assert now["seq"] > 3
    assert then["seq"] == 3
    assert then["trials"] == {}


def test_events_are_printed_a_line_each(titrant, log):
    lines = titrant("log").out.splitlines()

    assert lines[0].lstrip().startswith("1 ")
    assert "session.opened" in lines[0]
    assert any("trial.voided" in line and "user:kim (chemist): the vial leaked" in line for line in lines)


def test_events_are_chosen_by_type_trial_and_moment(titrant, log):
    of_trial = titrant("log", "--trial", 1).out.splitlines()
    voided = titrant("log", "--type", "trial.voided").out.splitlines()
    trials = titrant("log", "--type", "trial.*", "--json").out.splitlines()
    late = titrant("log", "--since", "-2", "--json").out.splitlines()

    assert all(" trial." in line for line in of_trial)
    assert len(voided) == 1
    assert {json.loads(line)["event"]["type"].split(".")[0] for line in trials} == {"trial"}
    assert len(late) == 2


def test_all_trials_one_trial_and_one_event_are_shown(titrant, log):
    table, one = titrant("show"), titrant("show", 1)
    event = titrant("show", "@1")

    assert "VOIDED" in table.out
    assert "trial_index" in table.out
    assert "trial 1: VOIDED, the vial leaked" in one.out
    assert "session.opened" in event.out
    assert '"seed": 1' in event.out
    assert [row["trial_index"] for row in titrant("show", "--json").json["trials"]] == [0, 1, 2, 3, 4]


def test_the_best_trial_is_shown(titrant, log):
    told = titrant("best", "--json").json

    values = {row["trial_index"]: row for row in titrant("show", "--json").json["trials"]}
    standing = {index: row["y"] for index, row in values.items() if row["trial_status"] == "COMPLETED"}
    assert told["trial"] == max(standing, key=standing.get)


def test_a_trial_is_accounted_for(titrant, log):
    told = titrant("why", 1)

    assert told.code == 0
    assert "voided" in told.out
    assert "kim" in told.out
    assert titrant("why", 1, "--json").json["trial"] == 1


def test_two_moments_are_compared(titrant, log):
    told = titrant("diff", log, 3, "--json")

    assert told.json["before"] == 3
    assert any(change["path"].startswith("trials/4") for change in told.json["changes"])
    assert "nothing changed" in titrant("diff", log, 3, 3).out


def test_what_people_did_is_listed(titrant, log):
    told = titrant("acts").out

    assert "user:kim (chemist)" in told
    assert "the vial leaked" in told


def test_a_sound_log_is_sound_also_against_its_head(titrant, log, tmp_path):
    line = titrant("head").out.strip()
    (tmp_path / "head.txt").write_text(line)

    assert titrant("verify").code == 0
    assert titrant("verify", "--against", line).code == 0
    assert titrant("verify", "--against", tmp_path / "head.txt").code == 0


def test_a_changed_byte_is_found(titrant, log, tmp_path):
    copy = tmp_path / "copy.titrant"
    copy.write_bytes(log.read_bytes())
    with sqlite3.connect(copy) as db:
        db.execute("DROP TRIGGER events_no_update")
        db.execute("UPDATE events SET payload = replace(payload, 'leaked', 'leaned') WHERE type = 'trial.voided'")
    db.close()

    told = titrant("verify", copy, "--json")

    assert told.code == 1
    assert told.json["fault"]["seq"] > 0


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("show", 99), "there is no trial 99"),
        (("show", "first"), "neither a trial"),
        (("show", "@999999"), "there is no event 999999"),
        (("show", "@x"), "write @42"),
        (("why", 99), "there is no trial 99"),
        (("status", "--at", "yesterday"), "yesterday"),
        (("status", "--at", "999999"), "999999"),
        (("log", "--type", "trial.exploded"), "no events of type 'trial.exploded'"),
        (("log", "--since", "soon"), "soon"),
        (("verify", "--against", "nonsense"), "nonsense"),
        (("diff", "nowhere.titrant", 1, 2), "no log at nowhere.titrant"),
        (("verify", "nowhere.titrant"), "no log at nowhere.titrant"),
        (("best", "--at", "1"), "no objective yet"),
    ],
)
def test_bad_input_is_named_with_an_exit_code(titrant, log, args, why):
    told = titrant(*args)

    assert told.code == 2
    assert why in told.err
    assert len(told.err.strip().splitlines()) == 1


def test_a_file_that_is_no_log_is_bad_input(titrant, tmp_path):
    (tmp_path / "not.titrant").write_bytes(b"x" * 2000)

    for command in ("status", "log", "show", "best", "acts", "verify", "head"):
        told = (
            titrant(command, tmp_path / "not.titrant") if command != "show" else titrant("show", "--log", "not.titrant")
        )
        assert told.code == 2, command
        assert "is not an event log" in told.err
