"""What docs/answers.md shows can be run, and prints what the page says it prints."""

from __future__ import annotations

from titrant import Client

from .pages import examples, printed, text_of

PAGE = "answers.md"


def test_the_examples_run_one_after_the_other_and_print_what_is_shown():
    names: dict = {}
    found = examples(text_of(PAGE))
    try:
        told = [printed(code, f"{PAGE}, example {number}", names) for number, (code, _) in enumerate(found)]
    finally:
        names["client"].close()

    assert told == [said for _, said in found]
    assert len(found) == 6


def test_what_ax_calls_the_same_is_there():
    table = text_of(PAGE).split("| Ax | titrant |")[1].splitlines()[2:]
    same = [row.split(" | ")[0] for row in table if " | the same | " in row]

    assert same
    for name in "".join(same).replace("|", ",").replace("`", "").replace(" ", ",").split(","):
        assert not name or callable(getattr(Client, name, None)), name
