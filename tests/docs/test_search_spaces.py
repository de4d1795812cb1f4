"""What docs/search-spaces.md shows can be run, and prints what the page says it prints."""

from __future__ import annotations

import re

import pytest

from .pages import examples, printed, text_of

PAGE = "search-spaces.md"


def sections() -> dict[str, str]:
    parts = text_of(PAGE).split("\n## ")[1:]
    return {part.split("\n", 1)[0]: part for part in parts}


@pytest.mark.parametrize("section", sections())
def test_the_examples_of_a_section_run_one_after_the_other_and_print_what_is_shown(section, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names: dict = {"__name__": "example"}
    for code, said in examples(sections()[section]):
        if module := re.match(r"# (\w+\.py)\n", code):  # a file of its own
            (tmp_path / module[1]).write_text(code, encoding="utf-8")
            continue

        assert printed(code, f"{PAGE}, {section}", names).rstrip() == said.rstrip()
