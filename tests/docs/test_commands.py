"""Commands that the pages name are such as the command line has, with the options that are given there."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from titrant.cli.added import added, load_added
from titrant.cli.app import HELP, load
from titrant.cli.table import TABLE

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(titrant [^`]+)`")
_LINE = re.compile(r"^(?:\$ )?(?:\S*/)?(titrant .*?(?<!\\))$", re.MULTILINE | re.DOTALL)


@cache
def options(name: str) -> frozenset[str]:
    """The options of a command, ``--help`` among them.

    Raises:
        KeyError: There is no such command.
    """
    entries = {entry.name: entry for entry in TABLE}
    found = load_added(added()[name]) if name in added() else load(entries[name])
    parts = [found, *getattr(found, "commands", {}).values()]  # a command with commands of its own
    known = {option for part in parts for one in part.params for option in (*one.opts, *one.secondary_opts)}
    return frozenset({*known, *HELP["help_option_names"]})


def commands(page: str) -> list[list[str]]:
    """The words of each command, ``titrant`` left out: in running text, and in blocks that are no code."""
    said = _INLINE.findall(_BLOCK.sub("", page))
    for language, block in _BLOCK.findall(page):
        if language in ("", "console"):
            said += _LINE.findall(block)
    found = []
    for text in said:
        words = shlex.split(text.replace("\\\n>", " "), comments=True)
        while words:  # some lines have several, one after the other
            end = next((at for at, word in enumerate(words) if word in ("&&", "|", ">", "&", ";")), len(words))
            ended = next((at + 1 for at, word in enumerate(words[:end]) if word.endswith(";")), end)
            one, words = words[:ended], words[max(ended, 1) :]
            if one and one[0] == "titrant":
                found.append([word.rstrip(";") for word in one[1:]])
    return found


def misfits(words: list[str]) -> list[str]:
    """What of a command there is not."""
    name, *rest = words
    if name.startswith("-"):
        return [] if name in ("--help", "--version") else [name]
    if name == "COMMAND":
        return []
    try:
        known = options(name)
    except KeyError:
        return [name]
    rest = rest[: rest.index("--")] if "--" in rest else rest
    given = [word.split("=")[0] for word in rest if re.fullmatch(r"-{1,2}[a-z][a-z-]*(=.*)?", word, re.DOTALL)]
    return [option for option in given if option not in known]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_the_commands_that_a_page_names_exist(page: Path):
    named = commands(page.read_text(encoding="utf-8"))

    assert {" ".join(["titrant", *words]): wrong for words in named if (wrong := misfits(words))} == {}


def test_a_command_is_found_wherever_it_stands_and_an_option_it_lacks_is_found_out():
    page = (
        "titrant is prose, `titrant ask --fixed\na=1` is not.\n"
        "```\n.venv/bin/titrant best; titrant frob  # --no\n```\n"
        "```console\n$ titrant tell 0 && titrant log \\\n> --json\nwhat it prints\n```\n"
        "```python\ntitrant = 3\n```\n"
    )
    named = commands(page)

    assert named == [["ask", "--fixed", "a=1"], ["best"], ["frob"], ["tell", "0"], ["log", "--json"]]
    assert [misfits(words) for words in named] == [["--fixed"], [], ["frob"], [], []]


def test_typer_gives_the_options_that_are_looked_for():
    assert {"--fix", "-n", "--count", "--help"} <= options("ask")
