"""Adapters are read one page at a time: no module is longer, and each says in its first line what it is."""

import ast
from pathlib import Path

import pytest

ADAPTERS = Path(__file__).parents[2] / "adapters/titrant_adapters"
MODULES = sorted(str(path.relative_to(ADAPTERS)) for path in ADAPTERS.rglob("*.py"))
PAGE = 150


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_a_page(module):
    assert len((ADAPTERS / module).read_text(encoding="utf-8").splitlines()) <= PAGE


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is(module):
    said = ast.get_docstring(ast.parse((ADAPTERS / module).read_text(encoding="utf-8")))

    assert said
    assert said.splitlines()[0].rstrip(".").count(" ") >= 2
