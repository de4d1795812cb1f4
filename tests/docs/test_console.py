"""What is shown in a document is held against what is printed, strictly enough to fail."""

import os

import pytest

from .console import Shell, Step, fits, steps


def test_commands_are_found_with_what_goes_on_and_what_is_shown():
    document = "text\n```console\n$ one \\\n> two\nout\n\nmore\n$ three\n```\n```python\n$ not this\n```\n"

    assert steps(document) == [Step(3, "one \\\ntwo", ["out", "", "more"]), Step(8, "three")]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ([], []),
        (["a"], ["a"]),
        (["…"], []),
        (["…"], ["a", "b"]),
        (["a", "…", "d"], ["a", "b", "c", "d"]),
        (["at … o'clock"], ["at 12 o'clock"]),
        (["(… %)"], ["(3 %)"]),
    ],
)
def test_what_varies_may_vary(shown, printed):
    assert fits(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ([], ["a"]),
        (["a"], []),
        (["a"], ["ab"]),
        (["a.c"], ["abc"]),
        (["a", "…", "d"], ["a", "b"]),
        (["…", "d"], ["d", "e"]),
        (["at … o'clock"], ["at 12"]),
    ],
)
def test_anything_else_may_not(shown, printed):
    assert not fits(shown, printed)


def test_one_shell_runs_all_commands_and_gives_their_exit_codes(tmp_path):
    shell = Shell(tmp_path, dict(os.environ))

    assert shell.run("x=3; echo to stderr >&2") == (0, ["to stderr"])
    assert shell.run('printf "%s" "$x"; false') == (1, ["3"])
    shell.close()
