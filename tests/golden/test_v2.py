"""What came after the first golden log is read for ever as well; see ``test_v1.py``.

Unlike the first, every event here follows from a command by the rules, so that the audit must find it sound.
"""

import json
import shutil
from pathlib import Path

import pytest

from titrant.log.replay import read_log
from titrant.log.verify import verify
from titrant.messages.codec import SCHEMAS, decode, encode

HERE = Path(__file__).parent
LINES = (HERE / "v2.jsonl").read_text(encoding="utf-8").splitlines()
HEAD = (HERE / "v2.head").read_text(encoding="utf-8").strip()


@pytest.fixture
def golden(tmp_path):
    return Path(shutil.copy(HERE / "v2.titrant", tmp_path))


@pytest.mark.parametrize("line", LINES, ids=lambda line: json.loads(line)["type"])
def test_a_payload_of_schema_1_is_read_and_means_the_same(line):
    tag = json.loads(line)["type"]
    event = decode(tag, 1, line)
    if SCHEMAS[tag] == 1:
        assert encode(event) == (tag, 1, line)


def test_the_golden_log_is_sound_up_to_the_stored_head(golden):
    verdict = verify(golden, deep=True)

    assert verdict.ok, verdict
    assert verdict.head.hash.hex() == HEAD


def test_the_lines_are_those_of_the_golden_log(golden):
    assert {encode(record.event)[2] for record in read_log(golden)} == set(LINES)
