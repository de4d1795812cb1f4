"""The generator's worker process, and whether models can be fitted in it."""

from __future__ import annotations

import time

from titrant.cli.health.finding import Finding, Findings
from titrant.generators import wire
from titrant.generators.process import WorkerProcess

MODELLING = ("botorch", "gpytorch", "torch", "numpy", "scipy")
SLOW_START_S = 30.0


def worker() -> Findings:
    """Whether the worker process starts, answers and has what a model needs."""
    process = WorkerProcess()
    began = time.monotonic()
    try:
        process.start()
        process.call(wire.Ping())
        yield Finding("ok", f"the generator's worker process answers after {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        versions = {name: one for name, one in process.call(wire.Warm()).versions.items() if name in MODELLING}
        seconds = time.monotonic() - began
        told = f"{', '.join(f'{name} {version}' for name, version in versions.items())}: loaded in {seconds:.1f} s"
        slow = seconds > SLOW_START_S
        yield Finding("warn" if slow else "ok", told, "Sobol points go first meanwhile" if slow else "")
    except Exception as exc:  # noqa: BLE001  # whatever keeps it from working is what is looked for
        yield Finding(
            "fail", f"models cannot be fitted: {exc}", 'install them: pip install "torch>=2.2" "botorch>=0.12"'
        )
    finally:
        process.close()
