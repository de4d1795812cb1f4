"""``titrant ls``."""

import pytest

from titrant import Client, RangeParameterConfig


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "one.titrant"
    with Client(path, random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))], name="first")
        client.configure_optimization("y")
        client.attach_trial({"x": 0.5})
        client.complete_trial(0, {"y": 0.25})
    return path


def test_a_log_is_listed_with_its_best_trial(titrant, log):
    (found,) = titrant("ls", "--json").json

    assert found["experiment"] == "first"
    assert found["trials"] == {"completed": 1}
    assert found["best"]["trial"] == 0
    assert found["running"] is False


def test_people_see_the_same_in_a_table(titrant, log):
    told = titrant("ls", log.parent).out

    assert "first" in told
    assert "1 completed" in told
    assert "y = 0.25 (trial 0)" in told


def test_who_holds_a_log_is_named(titrant, log):
    with Client.open(log):
        (found,) = titrant("ls", "--json").json

    assert found["held_by"].startswith("process ")
    assert titrant("ls", "--json").json[0]["held_by"] is None


def test_what_is_no_log_is_said_to_be_none(titrant, log):
    log.with_name("two.titrant").write_bytes(b"x" * 1000)

    told = titrant("ls")

    assert told.code == 0
    assert "is not an event log" in told.out
    assert "first" in told.out


def test_an_empty_folder_is_no_error(titrant):
    told = titrant("ls")

    assert told.code == 0
    assert "titrant new" in told.out
    assert titrant("ls", "--json").json == []


def test_a_folder_that_is_not_there_is_bad_input(titrant):
    assert titrant("ls", "nowhere").code == 2
