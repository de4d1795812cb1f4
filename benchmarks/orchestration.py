"""What the engine costs: titrant and Ax side by side, in the same run and on the same simulated laboratory.

python benchmarks/orchestration.py                      # all cases, three rounds (about two hours with Ax)
python benchmarks/orchestration.py --quick --skip-ax    # titrant alone, smaller, one round
python benchmarks/orchestration.py --only tutorial --rounds 5 --json benchmarks/results/orchestration.json

Every measurement is made in a fresh interpreter, one at a time; rounds are interleaved and every other one goes the
other way round.  The load of the machine is written down beside every number.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _cases import AX, CASES, Case, Scale
from _machine import Watch, commit, filesystem, machine, versions
from _report import markdown, summary

HERE = Path(__file__).resolve().parent


class Bench:
    """Runs cases in child processes and keeps what they gave."""

    def __init__(self, options: argparse.Namespace, work: Path) -> None:
        self.options = options
        self.work = work
        self.scale: Scale = "smoke" if options.smoke else "quick" if options.quick else "full"
        self.samples: list[dict[str, Any]] = []
        self._commit = commit(HERE)
        if options.update and options.json.exists():
            again = options.only or [case.name for case in CASES]
            earlier = json.loads(options.json.read_text())["samples"]
            self.samples = [sample for sample in earlier if sample["case"] not in again]
        self._made: dict[tuple[str, str], Path] = {}
        self._kept: dict[str, Path] = {}
        self._count = 0

    def run(self, cases: list[Case]) -> None:
        if any(case.kind == "import" for case in cases):
            self._warm_up()
        for number in range(self.options.rounds):
            for case in cases:
                variants = [v for v in case.variants if v not in AX or number < self.options.ax_rounds]
                for variant in variants if number % 2 == 0 else reversed(variants):
                    self._measure(case, variant, number)
            self._save()

    def _warm_up(self) -> None:
        """Byte code is compiled and files are read once before the import is timed."""
        for python, module in ((sys.executable, "titrant.client"), (self.options.ax_python, "ax.api.client")):
            if python:
                subprocess.run([python, "-c", f"import {module}"], check=True, capture_output=True)

    def _measure(self, case: Case, variant: str, number: int) -> None:
        say(f"round {number + 1} {case.name} {variant} ...", end=" ")
        sample: dict[str, Any] = {"round": number, "case": case.name, "variant": variant}
        sample |= {"at": time.time(), "commit": self._commit}
        try:
            folder = self._fresh_folder()
            if case.prepare:
                shutil.copytree(self._prepared(case, variant), folder, dirs_exist_ok=True)
            plan = self._plan(case, variant, folder)
            sample["plan"] = {k: v for k, v in plan.items() if k not in ("result", "db", "folder")}
            watch = Watch()
            try:
                sample["result"] = self._child(case.kind, variant, plan)
            finally:
                sample["watch"] = watch.stop()
            if case.name == "sqlite300" and variant in AX:
                self._kept[case.name] = folder  # 300 trials take Ax minutes: what is loaded need not be made again
            row = case.rows[0]
            say(f"{row.key} = {sample['result'][row.key]:.3f}  (others use {sample['watch']['others_cores']} cores)")
        except (subprocess.SubprocessError, OSError, ValueError, KeyError) as exc:
            sample["error"] = f"{exc}\n{getattr(exc, 'stderr', '') or ''}"[-4000:]
            sample.setdefault("watch", {"others_cores": 0.0})
            say("FAILED: " + sample["error"].strip().splitlines()[-1])
        self.samples.append(sample)

    def _prepared(self, case: Case, variant: str) -> Path:
        """The folder with the experiment that is loaded, made once; Ax's by the closed loop itself, as in SQLite."""
        key = (case.name, variant)
        if variant in AX and "sqlite300" in self._kept:
            return self._kept["sqlite300"]
        if key not in self._made:
            folder = self._fresh_folder()
            plan = self._plan(case, variant, folder)
            plan["tuned"] = True
            self._child("closed_loop" if variant in AX else case.prepare, variant, plan)
            self._made[key] = folder
        return self._made[key]

    def _fresh_folder(self) -> Path:
        self._count += 1
        folder = self.work / f"{self._count:04d}"
        folder.mkdir()
        return folder

    def _plan(self, case: Case, variant: str, folder: Path) -> dict[str, Any]:
        plan = case.sizes(self.scale, variant, full=self.options.full)
        tuned = plan.pop("tuned_poll", 0.1)
        plan["poll"] = {"titrant-0.1": 0.1, "ax-tuned": tuned}.get(variant)
        if variant == "ax" and case.kind == "load":
            plan["poll"] = tuned
        plan["tuned"] = variant == "ax-tuned"
        plan["db"] = str(folder / "experiment.db") if plan.pop("sqlite") else None
        plan["folder"] = str(folder) if plan.pop("files") else None
        plan["result"] = str(folder / "result.json")
        return plan

    def _child(self, kind: str, variant: str, plan: dict[str, Any]) -> dict[str, Any]:
        is_ax = variant in AX
        script = HERE / ("_ax_side.py" if is_ax else "_titrant_side.py")
        python = self.options.ax_python if is_ax else sys.executable
        result = Path(plan["result"])
        result.unlink(missing_ok=True)
        written = result.with_name("plan.json")
        written.write_text(json.dumps(plan))
        subprocess.run(
            [python, str(script), kind, str(written)],
            check=True,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=self.options.timeout,
        )
        found: dict[str, Any] = json.loads(result.read_text())
        return found

    def _save(self) -> None:
        if self.options.json is None:
            return
        pythons = {"titrant": sys.executable} | ({"ax": self.options.ax_python} if self.options.ax_python else {})
        document = {
            "commit": self._commit,
            "machine": machine() | {"filesystem": filesystem(self.work)},
            "versions": {name: versions(python) for name, python in pythons.items()},
            "scale": self.scale,
            "nice": os.nice(0),
            "rows": summary(self.samples),
            "samples": self.samples,
        }
        self.options.json.parent.mkdir(parents=True, exist_ok=True)
        self.options.json.write_text(json.dumps(document, indent=1) + "\n")


def say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True, file=sys.stderr)


def ax_python(given: str | None) -> str | None:
    """The interpreter that has Ax, or None."""
    if given:
        return given
    if importlib.util.find_spec("ax") is not None:
        return sys.executable
    local = HERE.parent / ".venv-bench" / "bin" / "python"
    return str(local) if local.exists() else None


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="how often everything is measured (3; 1 with --quick or --smoke)")
    parser.add_argument("--ax-rounds", type=int, help="Ax takes part in this many of the rounds (all)")
    parser.add_argument("--only", action="append", choices=[case.name for case in CASES], help="may be repeated")
    parser.add_argument("--skip-ax", action="store_true")
    parser.add_argument("--ax-python", help="an interpreter that has Ax (this one, or .venv-bench/bin/python)")
    parser.add_argument("--quick", action="store_true", help="fewer trials, one round")
    parser.add_argument("--smoke", action="store_true", help="does it run at all: tiny sizes, numbers mean nothing")
    parser.add_argument("--full", action="store_true", help="Ax with as many trials as titrant, hours")
    parser.add_argument("--json", type=Path, help="where raw samples and the machine are written")
    parser.add_argument("--update", action="store_true", help="keep what that file holds of the cases not run now")
    parser.add_argument("--workdir", type=Path, help="where logs are written: a disk, not memory (the system's own)")
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds that one measurement may take")
    options = parser.parse_args()
    if options.update and options.json is None:
        parser.error("--update needs --json: the file to keep the other cases of")
    if options.rounds is None:
        options.rounds = 1 if options.quick or options.smoke else 3
    if options.ax_rounds is None:
        options.ax_rounds = options.rounds
    options.ax_python = None if options.skip_ax else ax_python(options.ax_python)
    if options.ax_python is None:
        options.ax_rounds = 0
        if not options.skip_ax:
            parser.error("there is no Ax here: make .venv-bench, give --ax-python, or say --skip-ax")
    return options


def main() -> int:
    options = parse()
    cases = [case for case in CASES if not options.only or case.name in options.only]
    with tempfile.TemporaryDirectory(prefix="titrant-bench-", dir=options.workdir) as work:
        bench = Bench(options, Path(work))
        bench.run(cases)
    if bench.scale != "full":
        print(f"Sizes of a {bench.scale} run: targets are for full sizes.\n")
    print(markdown(bench.samples, with_ax=options.ax_python is not None))
    return 1 if any("error" in sample for sample in bench.samples) else 0


if __name__ == "__main__":
    sys.exit(main())
