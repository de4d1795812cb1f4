"""What users type on day one: few names, listed, and nothing heavy behind the import."""

import subprocess
import sys

import pytest

import titrant

HEAVY = ["torch", "botorch", "gpytorch", "numpy", "scipy", "pandas", "plotly", "matplotlib", "starlette", "rich"]
OURS = ["anyio", "asyncio", "trio", "aiosqlite", "sqlite3", "structlog", "msgspec"]


def fresh(code: str) -> list[str]:
    """What a new process prints, word by word."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


def loaded_by(code: str, names: list[str]) -> list[str]:
    """Which of these modules a new process has loaded after *code*."""
    return fresh(f"import sys\n{code}\nprint(*[name for name in {names!r} if name in sys.modules])")


def test_public_names_are_sorted_and_few():
    assert titrant.__all__ == sorted(titrant.__all__)
    assert len(titrant.__all__) <= 25


def test_every_public_name_has_a_home():
    assert titrant.__all__ == sorted(titrant._HOME)
    assert dir(titrant) == titrant.__all__


@pytest.mark.parametrize("name", titrant.__all__)
def test_a_public_name_loads(name):
    assert getattr(titrant, name).__name__ == name


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'titrant' has no attribute 'Cleint'"):
        _ = titrant.Cleint


def test_importing_titrant_loads_nothing_but_itself():
    assert loaded_by("import titrant", HEAVY + OURS) == []


def test_the_client_loads_nothing_heavy():
    assert loaded_by("from titrant import Client", [*HEAVY, "aiosqlite"]) == []


def test_an_experiment_in_memory_has_no_door_to_load():
    code = "from titrant import Client\nClient(random_seed=1).close()"

    assert loaded_by(code, ["titrant.control", "titrant.control.server", "titrant.control.acts"]) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module is of POSIX")
def test_the_client_fits_into_sixty_megabytes():
    """A process's peak begins with that of the one it was forked from: a small one stands between pytest and it."""
    factor = 1 if sys.platform == "darwin" else 1024
    code = "from titrant import Client\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"

    (peak,) = fresh(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {code!r}], check=True)")

    assert int(peak) * factor < 60e6
