"""What is written about experiment files holds."""

import re
import tomllib
from pathlib import Path

import pytest

from titrant import Client
from titrant.definition import ExperimentFile, apply, check, connect, load
from titrant.definition.templates import template

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "experiment-files.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_passes_the_check(path):
    assert check(path).passed


def test_the_example_is_what_new_writes():
    assert (ROOT / "examples" / "reaction.toml").read_text(encoding="utf-8") == template(
        "reaction", "reaction", "reaction.toml"
    )


def test_the_page_shows_a_file_that_passes(written):
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    assert check(written(shown)).passed


def test_the_page_tells_every_field():
    fields = {name.replace("with_", "with") for name in ExperimentFile.__struct_fields__}

    assert {name for name in fields if not re.search(rf"`(?:\[\[?)?{name}(?:\]\]?)?`", PAGE)} == set()


def test_the_pages_python_runs_a_file(written, tmp_path):
    """As the page says it, in virtual time."""
    loaded = load(EXAMPLES[-1])
    assert tomllib.loads(loaded.text)["name"] == "reaction"
    connected = connect(loaded)
    log = tmp_path / "reaction.titrant"
    with Client(log, loaded.file.seed, generator=connected.generator, virtual_time=True) as client:
        apply(client, loaded, connected)
        report = client.run_trials(**loaded.file.run.arguments(max_trials=4))

    assert report.trials_created == 4
