"""Events and their bytes: old ones are read for ever, hostile ones end in our own errors."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import EventRejected, LogCorrupt, LogTooNew
from titrant.messages import codec
from titrant.messages.events import ExperimentConfigured, TrialCompleted, TrialCreated, TrialFailed, TrialRunning
from titrant.model.experiment import Experiment
from titrant.model.space import RangeParameterConfig, search_space

FAILED = TrialFailed(trial=3, reason="leak")


def test_every_event_has_a_tag_of_its_own_and_a_schema_number():
    assert len(set(codec.TAGS.values())) == len(codec.TAGS) >= 35
    assert all(number >= 1 for number in codec.SCHEMAS.values())


def test_every_schema_but_the_current_one_has_an_upcaster():
    wanted = {(tag, old) for tag, current in codec.SCHEMAS.items() for old in range(1, current)}
    assert set(codec.UPCASTERS) == wanted


def test_a_payload_is_json_with_its_tag():
    assert codec.encode(FAILED) == ("trial.failed", 1, '{"type":"trial.failed","trial":3,"reason":"leak"}')


def test_what_is_encoded_is_decoded():
    assert codec.decode(*codec.encode_checked(FAILED)) == FAILED


def test_old_events_go_through_every_upcaster_in_turn(monkeypatch):
    monkeypatch.setitem(codec.SCHEMAS, "trial.failed", 3)
    rename = {1: ("because", "why"), 2: ("why", "reason")}
    for schema, (old, new) in rename.items():
        upcast = lambda fields, old=old, new=new: {(new if name == old else name): fields[name] for name in fields}  # noqa: E731
        monkeypatch.setitem(codec.UPCASTERS, ("trial.failed", schema), upcast)

    assert codec.decode("trial.failed", 1, '{"type":"trial.failed","trial":3,"because":"leak"}') == FAILED
    assert codec.decode("trial.failed", 2, '{"type":"trial.failed","trial":3,"why":"leak"}') == FAILED


def test_a_missing_upcaster_is_a_corrupt_log_and_not_a_key_error(monkeypatch):
    monkeypatch.setitem(codec.SCHEMAS, "trial.failed", 2)
    with pytest.raises(LogCorrupt, match=r"event 7: the payload of this 'trial\.failed' cannot be read"):
        codec.decode("trial.failed", 1, codec.encode(FAILED)[2], seq=7)


@pytest.mark.parametrize(("tag", "schema"), [("trial.failed", 2), ("trial.teleported", 1)])
def test_a_newer_event_says_that_it_is_newer(tag, schema):
    with pytest.raises(LogTooNew, match=f"event 7 is '{tag}' with schema {schema}"):
        codec.decode(tag, schema, "{}", seq=7)


def test_envelope_and_payload_must_agree_on_the_type():
    with pytest.raises(LogCorrupt, match=r"the envelope says 'trial\.completed', the payload 'trial\.failed'"):
        codec.decode("trial.completed", 1, codec.encode(FAILED)[2])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'{"type":"trial.failed"}',
        b'{"type":"trial.failed","trial":3,"reason":"\xff"}',
        b'{"type":"trial.failed","trial":3,"reason":"leak","more":1}',
        b'{"type":"trial.failed","trial":3.5,"reason":"leak"}',
        b'{"type":"trial.failed","trial":3,"reason":"leak"}}',
        b'{"type":"trial.failed","trial":' + b"[" * 100_000,
    ],
)
def test_bad_payloads_end_in_our_own_error(payload):
    with pytest.raises(LogCorrupt, match="event 5"):
        codec.decode("trial.failed", 1, payload, seq=5)


def test_mutated_payloads_end_in_an_event_or_our_own_error():
    rng = random.Random(4)
    event = TrialRunning(trial=1, attempt=1, metadata={"a": [1, {"b": "ü"}], "c": 1.5})
    tag, schema, payload = codec.encode(event)
    outcomes = set()
    for _ in range(20_000):
        spoilt = bytearray(payload.encode())
        for _ in range(rng.choice((1, 1, 3))):
            spoilt[rng.randrange(len(spoilt))] = rng.choice((rng.randrange(256), ord(rng.choice('[]{}",:0-e\\'))))
        try:
            outcomes.add(type(codec.decode(tag, schema, bytes(spoilt))))
        except LogCorrupt as refusal:
            outcomes.add(type(refusal))
    assert outcomes == {TrialRunning, LogCorrupt}


class Foreign(msgspec.Struct, frozen=True, tag="trial.failed"):
    trial: int


def test_what_is_no_event_is_refused():
    with pytest.raises(EventRejected, match="Foreign is not an event"):
        codec.encode_checked(Foreign(trial=1))


def test_a_structure_that_holds_itself_is_refused():
    endless = {}
    endless["again"] = endless
    with pytest.raises(EventRejected, match="levels deep"):
        codec.encode_checked(TrialRunning(trial=0, attempt=1, metadata=endless))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_all_that_json_can_hold_is_stored_and_read_back(metadata):
    event = TrialRunning(trial=0, attempt=1, metadata=metadata)
    assert codec.decode(*codec.encode_checked(event)) == event


@pytest.mark.parametrize("count", [1, 12, 40])
def test_what_is_unset_is_left_out_however_much_there_is(count):
    """More than ``MAX_DEPTH`` brackets have the depth looked at, one by one."""
    space = search_space([RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(count)])
    event = ExperimentConfigured(experiment=Experiment(name="wide", space=space))

    tag, schema, payload = codec.encode_checked(event)

    assert "is_fidelity" not in payload
    assert codec.decode(tag, schema, payload) == event


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_read_back_bit_for_bit(value):
    read = codec.decode(*codec.encode_checked(TrialCreated(trial=0, parameters={"x": value})))
    assert read.parameters["x"].hex() == value.hex()


@given(st.one_of(st.integers(min_value=2**64), st.integers(max_value=-(2**63) - 1)))
def test_integers_beyond_64_bits_are_refused(number):
    with pytest.raises(EventRejected, match=r"\$\.trial does not fit into 64 bits"):
        codec.encode_checked(TrialCompleted(trial=number))
