"""What docs/search-spaces.md shows can be run, and prints what the page says it prints."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "search-spaces.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, str]:
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.split("\n", 1)[0]: part for part in parts}


@pytest.mark.parametrize("section", sections())
def test_the_examples_of_a_section_run_one_after_the_other_and_print_what_is_shown(section, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names: dict = {"__name__": "example"}
    for code, shown in _BLOCK.findall(sections()[section]):
        if module := re.match(r"# (\w+\.py)\n", code):  # a file of its own
            (tmp_path / module[1]).write_text(code, encoding="utf-8")
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, f"{PAGE.name}, {section}", "exec"), names)

        assert printed.getvalue().rstrip() == shown.rstrip()
