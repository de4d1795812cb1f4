"""The harness's own controls: each kind of broken promise is named when it is made up."""

import msgspec
import pytest

from titrant import Client, RangeParameterConfig
from titrant.log.replay import read_log
from titrant.rules.evolve import evolve
from titrant.rules.state import State
from titrant.testing.crash import Testimony, Witness, check_log, fingerprint, run


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "sound.titrant"
    with Client(path, random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig(name="x", parameter_type="float", bounds=(0, 1))])
    return path


@pytest.fixture
def told(log, tmp_path):
    """What an honest witness of the log says."""
    witness, state = Witness(tmp_path / "witness"), State()
    for record in read_log(log):
        witness.published(record)
        state = evolve(state, record.event, record.recorded_at)
        witness.vouches(record.seq, state)
    testimony = Testimony()
    testimony.read(tmp_path / "witness")
    return testimony


def test_an_honest_witness_and_a_sound_log_agree(log, told):
    found = check_log(log, told)

    assert found.faults == []
    assert len(found.records) == len(told.published) == len(told.vouched) == 3
    assert found.state.seed == 1


def test_an_acknowledged_event_that_is_not_there_is_lost(log, told):
    told.published[4] = "an event that was acknowledged"
    told.vouched[5] = b""

    assert check_log(log, told).faults == [
        "lost: event 4 was acknowledged",
        "lost: a state at event 5 was vouched for",
    ]


def test_an_event_that_reads_otherwise_than_published_is_changed(log, told):
    told.published[2] = told.published[2].replace("float", "int")

    assert check_log(log, told).faults[0].startswith("changed: event 2 was published as ")


def test_a_state_that_its_events_do_not_give_is_found(log, told):
    told.vouched[2] = told.vouched[1]

    assert check_log(log, told).faults == ["replay: the state at event 2 was another than its events give"]


def test_a_log_that_was_never_made_has_lost_what_was_acknowledged(tmp_path, told):
    assert check_log(tmp_path / "missing.titrant", told).faults[0] == "lost: event 1 was acknowledged"


def test_a_damaged_log_is_named(log, told):
    content = bytearray(log.read_bytes())
    at = content.rindex(b'"seed":1')
    content[at : at + 8] = b'"seed":2'
    log.write_bytes(content)

    assert "log: event 1: its hash does not fit" in check_log(log, told).faults[0]


def test_a_line_cut_short_was_not_said(log, told, tmp_path):
    with (tmp_path / "witness").open("ab") as file:
        file.write(msgspec.json.encode({"seq": 9, "event": "half"})[:-4])
    testimony = Testimony()
    testimony.read(tmp_path / "witness")

    assert testimony == told


def test_a_fingerprint_tells_the_whole_envelope(log):
    record = next(read_log(log))
    for field, other in {"recorded_at": 1, "actor": "x", "reason": "x", "trial": 7, "key": "x", "epoch": 9}.items():
        assert fingerprint(msgspec.structs.replace(record, **{field: other})) != fingerprint(record)


def test_a_process_that_hangs_is_ended_and_says_where_it_stood():
    ended = run(["-c", "import os\ndef stuck(): os.read(os.pipe()[0], 1)\nstuck()"], limit=1.0)

    assert ended.hung
    assert not ended.killed
    assert "in stuck" in ended.said


def test_how_a_process_ended_is_told():
    killed = run(["-c", "import titrant.runtime.crash_points as p; p.crash_point('here')"], at="here")
    failed = run(["-c", "import sys; sys.exit('no')"])

    assert killed.killed
    assert (failed.code, failed.said.strip(), failed.hung) == (1, "no", False)
