"""Every adapter that is registered is measured beside its library, or it is said why not."""

import re
from pathlib import Path

from tests.adapters.registry import registered

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_every_adapter_has_a_case_or_a_reason_for_none():
    text = "".join(path.read_text(encoding="utf-8") for path in BENCHMARKS.glob("_adapter_*.py"))
    cases = set(re.findall(r"(?m)^@case\(.*\)\nasync def (\w+)\(", text))
    told = (BENCHMARKS / "adapters.py").read_text(encoding="utf-8").split("WITHOUT = {")[1].split("}")[0]
    without = set(re.findall(r'(?m)^    "(\w+)": "(?:\S+ ){3,}', told))
    known = registered("runners").keys() | {f"{name}_metric" for name in registered("metrics")}

    assert known == cases | without
    assert cases & without == set()
