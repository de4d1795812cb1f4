"""What docs/transfer.md shows can be run, and prints what the page says it prints."""

from __future__ import annotations

import pytest

from .pages import examples, printed, text_of

EXAMPLES = examples(text_of("transfer.md"))


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_page_runs_and_prints_what_is_shown(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said = EXAMPLES[number]

    assert printed(code, f"transfer.md, example {number}", {"__name__": "example"}).rstrip() == said.rstrip()
