"""Code that a page shows: found, run, and held against what the page says it prints."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

_DOCS = Path(__file__).parents[2] / "docs"
# Code, and what it prints where that is shown right below.
_EXAMPLE = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def text_of(page: str) -> str:
    """A page by its name, ``"transfer.md"``."""
    return (_DOCS / page).read_text(encoding="utf-8")


def shown(page: str, language: str = "python") -> str:
    """The first block in a language."""
    return text_of(page).split(f"```{language}\n")[1].split("```")[0]


def examples(text: str) -> list[tuple[str, str]]:
    """Code in Python, and what the text says that it prints; empty where nothing is said."""
    return _EXAMPLE.findall(text)


def printed(code: str, where: str, names: dict[str, Any]) -> str:
    """What code prints, run with such names, to which it adds its own."""
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught):
        exec(compile(code, where, "exec", dont_inherit=True), names)
    return caught.getvalue()


def ran(page: str) -> tuple[int, dict[str, Any]]:
    """How many examples of a page ran, one after the other, and the names that they left; their client is closed."""
    found, names = examples(text_of(page)), {}
    try:
        for number, (code, _) in enumerate(found):
            printed(code, f"{page}, example {number}", names)
    finally:
        if "client" in names:
            names["client"].close()
    return len(found), names
