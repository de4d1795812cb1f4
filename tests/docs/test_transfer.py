"""What docs/transfer.md shows can be run, and prints what the page says it prints."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "transfer.md"
BLOCKS = re.findall(
    r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_of_the_page_runs_and_prints_what_is_shown(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, shown = BLOCKS[number]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, f"{PAGE.name}, example {number}", "exec"), {"__name__": "example"})

    assert printed.getvalue().rstrip() == shown.rstrip()
