"""The adapter that docs/adapters.md shows is written as it says, and keeps the contract."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python file=(\S+)\n(.*?)```", PAGE, re.DOTALL))


def test_the_example_is_as_short_as_it_says():
    assert len(FILES["oven.py"].splitlines()) <= 30


def test_the_example_keeps_the_contract(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "conftest.py").write_text("from tests.adapters.test_scpi import lab\n", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stdout
    assert re.search(r"\b20 passed", ran.stdout), ran.stdout


def test_every_adapter_that_is_registered_is_in_the_table():
    registered = re.search(
        r'\[project\.entry-points\."titrant\.runners"\]\n(.*?)\n\n',
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
        re.DOTALL,
    )

    for line in registered[1].splitlines():
        assert f"| `{line.split(' = ')[0]}` |" in PAGE
