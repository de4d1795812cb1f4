"""The case of a batch system: a Slurm cluster of one node, as the tests have it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
from _adapter_lines import ROOT
from _adapter_sides import NotHereError, Trial, case, through

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
POLL_S = 0.05
GOING_ON = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING")


@case("sbatch and scontrol")
async def slurm(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    """The scheduler looks once a second: that is in both sides' trials."""
    if missing := [name for name in ("sbatch", "slurmctld", "munged") if shutil.which(name, path=PATH) is None]:
        raise NotHereError(f"there is no {', '.join(missing)}: make servers")
    sys.path.insert(0, str(ROOT))
    from tests.adapters.servers.process import Server  # noqa: PLC0415  # the cluster that the tests start
    from tests.adapters.servers.slurm import Slurm  # noqa: PLC0415

    model = f"import json, sys, time; time.sleep({seconds}); print(json.dumps({{'y': float(sys.argv[1]) ** 2}}))"
    python = [sys.executable, "-I", "-S", "-c"]
    running: list[Server] = []

    async def bare(value: float, key: str) -> float:
        script, out = folder / f"{key}.sh", folder / f"{key}.out"
        script.write_text(f"#!/bin/sh\n{shlex.join([*python, model, str(value)])} > {out}\n")
        said = await anyio.run_process(["sbatch", "--parsable", "--output=/dev/null", str(script)])
        job, state = said.stdout.decode().strip(), "PENDING"
        while state in GOING_ON:
            await anyio.sleep(POLL_S)
            told = (await anyio.run_process(["scontrol", "--oneliner", "show", "job", job])).stdout.decode()
            state = dict(word.split("=", 1) for word in told.split() if "=" in word)["JobState"]
        return float(json.loads(out.read_text())["y"])

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def serve(name: str, command: object, **more: object) -> Server:
            running.append(Server(name, command, folder, **more))
            return running[-1].start()

        try:
            os.environ["SLURM_CONF"] = str((await anyio.to_thread.run_sync(Slurm, serve, folder)).settings)
            words = [*python, model.replace("{", "{{").replace("}", "}}"), "{temperature}"]
            fields = {"command": words, "measure": {"y": "y"}, "runs": str(folder / "runs"), "poll_s": POLL_S}
            async with through("slurm:SlurmRunner", **fields) as trial:
                yield trial, bare
        finally:
            for server in reversed(running):
                server.stop()
