"""What docs/fidelity.md shows can be run, and prints what the page says it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"


def shown(language: str) -> str:
    return PAGE.read_text(encoding="utf-8").split(f"```{language}\n")[1].split("```")[0]


def test_the_example_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]):
    exec(shown("python"), {})

    assert capsys.readouterr().out == shown("text")
