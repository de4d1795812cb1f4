"""What docs/fidelity.md shows can be run, and prints what the page says it prints."""

from __future__ import annotations

from .pages import printed, shown

PAGE = "fidelity.md"


def test_the_example_prints_what_the_page_says():
    assert printed(shown(PAGE), PAGE, {}) == shown(PAGE, "text")
