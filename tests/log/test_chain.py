"""The chain can be checked with a standard library alone."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import LogCorrupt
from titrant.log.chain import COLUMNS, WIDTH, encode_envelope, genesis, link
from titrant.log.replay import read_log
from titrant.testing.log_contract import append

text = st.text(st.characters(exclude_categories=["Cs"]))
column = st.none() | st.integers(-(2**63), 2**63 - 1) | text


def plain_json(columns):
    return json.dumps(columns, separators=(",", ":"), ensure_ascii=False).encode()


@given(st.tuples(*[column] * WIDTH))
def test_an_envelope_is_what_the_json_module_writes(envelope):
    assert encode_envelope(envelope) == plain_json(envelope)


def test_every_character_is_what_the_json_module_writes():
    for start in range(0, 0x110000, 0x800):
        if not 0xD800 <= start < 0xE000:
            every = "".join(map(chr, range(start, start + 0x800)))
            assert encode_envelope((every,)) == plain_json((every,))


def test_the_genesis_depends_on_every_column_of_meta():
    meta = {"log_id": "a", "file_format": 1, "created_at": 2, "created_by": "b", "hash_alg": "c"}
    wanted = hashlib.sha256(b"titrant-log-v1\n" + b'["a",1,2,"b","c"]').digest()

    assert genesis(**meta) == wanted
    others = {genesis(**{**meta, name: value}) for name, value in (("log_id", "x"), ("file_format", 2))}
    assert len(others | {wanted}) == 3


@given(text, text)
def test_a_hash_covers_what_is_documented(reason, payload):
    envelope = encode_envelope((1, reason))
    preimage = b"p" * 32 + plain_json((1, reason)) + b"\n" + payload.encode()
    assert link(b"p" * 32, envelope, payload.encode()) == hashlib.sha256(preimage).digest()


@pytest.mark.anyio
async def test_a_file_is_verified_without_titrant(log, raw):
    await log.commit([append(0, reason='ü"\\\n\x01\x7f\u2028', key="k"), append(1, 2, actor="user:\U0001f9ea")])

    connection = raw(log.path, "ro")
    meta = connection.execute("SELECT log_id, format, created_at, created_by, hash_alg FROM meta").fetchone()
    previous = hashlib.sha256(b"titrant-log-v1\n" + plain_json(meta)).digest()
    rows = connection.execute(f"SELECT {','.join(COLUMNS)} FROM events ORDER BY seq").fetchall()
    for row in rows:
        previous = hashlib.sha256(previous + plain_json(row[:-2]) + b"\n" + row[-2].encode()).digest()
        assert row[-1] == previous
    assert (len(rows), previous) == (3, log.head.hash)


@pytest.mark.anyio
async def test_an_event_cannot_move_to_another_log(closed, raw):
    connection = raw(closed)
    connection.execute("DROP TRIGGER meta_no_update")
    connection.execute("UPDATE meta SET log_id = 'another'")

    with pytest.raises(LogCorrupt, match="event 1: its hash does not fit"):
        list(read_log(closed))
