"""Logs of format 1 are read for ever.

If a test here fails because an event was changed: give the event a new schema number and an upcaster in
``messages/codec.py``.  Never edit the golden files to make it pass (before the first release: run ``make_v1.py``).
"""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from titrant.log.chain import COLUMNS
from titrant.log.replay import open_reader, read_log
from titrant.log.scanning import scan
from titrant.log.sqlite import SqliteLog
from titrant.messages.codec import SCHEMAS, decode, encode
from titrant.testing.log_contract import append

HERE = Path(__file__).parent
LATER = [line for name in ("v2", "v3") for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
LINES = (HERE / "v1.jsonl").read_text(encoding="utf-8").splitlines()
HEAD = (HERE / "v1.head").read_text(encoding="utf-8").strip()
EVENTS = 54


@pytest.fixture
def golden(tmp_path):
    return Path(shutil.copy(HERE / "v1.titrant", tmp_path))


@pytest.mark.parametrize("line", LINES, ids=lambda line: json.loads(line)["type"])
def test_a_payload_of_schema_1_is_read_and_means_the_same(line):
    """Written again it is the same text: no field was renamed, dropped or given another default."""
    tag = json.loads(line)["type"]
    event = decode(tag, 1, line)
    if SCHEMAS[tag] == 1:
        assert encode(event) == (tag, 1, line)


def test_the_golden_log_verifies_to_the_stored_head(golden):
    records = list(read_log(golden))
    assert [record.seq for record in records] == list(range(1, EVENTS + 1))
    assert records[-1].hash.hex() == HEAD
    assert [event for *_, event in scan(golden)] == [record.event for record in records]


def test_the_golden_log_and_lines_hold_every_type_of_schema_1(golden):
    tags = {json.loads(line)["type"] for line in LINES}
    assert {encode(record.event)[0] for record in read_log(golden)} == tags
    later = {json.loads(line)["type"] for line in LATER}
    assert tags | later == {tag for tag, schema in SCHEMAS.items() if schema == 1}
    assert len(tags) == 40  # what the first release of the format knew


def test_the_golden_log_verifies_with_the_standard_library_alone(golden):
    reader = open_reader(golden)
    meta = reader.execute("SELECT log_id, format, created_at, created_by, hash_alg FROM meta").fetchone()
    rows = reader.execute(f"SELECT {','.join(COLUMNS)} FROM events ORDER BY seq").fetchall()
    reader.close()

    def line(columns):
        return json.dumps(columns, separators=(",", ":"), ensure_ascii=False).encode()

    head = hashlib.sha256(b"titrant-log-v1\n" + line(meta)).digest()
    for row in rows:
        head = hashlib.sha256(head + line(row[:-2]) + b"\n" + row[-2].encode()).digest()
    assert head.hex() == HEAD


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_golden_log_can_be_written_further(golden):
    log = await SqliteLog.open(golden, now=1_800_000_000_000_000)
    try:
        assert (log.head.seq, log.head.hash.hex(), log.epoch) == (EVENTS, HEAD, 2)
        await log.commit([append(9, at=1_800_000_000_000_000)])
        assert len(list(log.read())) == EVENTS + 1
    finally:
        await log.close()
