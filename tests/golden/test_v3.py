"""Kinds of parameters and sets of candidates are read for ever; see ``test_v1.py``."""

import json
from pathlib import Path

import pytest

from titrant.messages.codec import SCHEMAS, decode, encode

HERE = Path(__file__).parent
LINES = (HERE / "v3.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", LINES, ids=lambda line: json.loads(line)["type"])
def test_a_payload_of_schema_1_is_read_and_means_the_same(line):
    tag = json.loads(line)["type"]
    event = decode(tag, 1, line)
    if SCHEMAS[tag] == 1:
        assert encode(event) == (tag, 1, line)


def test_candidates_are_unpacked_for_ever():
    space = decode("experiment.configured", 1, LINES[0]).experiment.space

    assert space.candidates.points() == [
        {"mode": "batch", "rpm": 300, "minutes": 60.0, "site": "Lyon"},
        {"mode": "flow", "rate": 1.5, "coil": 2, "minutes": 10.0, "site": "Basel"},
    ]
    assert space.having("context") == ("ambient",)
    assert space.targets() == {"minutes": 60.0, "site": "Lyon"}
