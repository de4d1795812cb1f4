"""The cases whose servers are in environments of their own (``make test-adapters`` makes them)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
from _adapter_lines import ROOT, free_port, listening
from _adapter_sides import LIMITS, POLL_S, SET, NotHereError, Trial, case, through

HEATER = "/r4/reactor1/temperature"
INFUSE = "/pump/pump/infuse?rate=1 ml/min&volume=0.1 ml"
READY = "/r4/reactor1/target-reached"


def interpreter(name: str) -> Path:
    """The Python of an environment."""
    found = ROOT / ".venv-adapters" / name / "bin" / "python"
    if not found.exists():
        raise NotHereError(f"the environment {name} is missing: python tests/adapters/environments.py {name}")
    return found


@case("httpx", "httpx")
async def madsci(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    import httpx  # noqa: PLC0415  # each case brings its own library

    port = free_port()
    serving = [
        "import time, tests.adapters.servers.elsewhere.madsci_node as node",
        "known = node.yield_at",
        f"node.yield_at = lambda t: (time.sleep({seconds}), known(t))[1]",
        f"config = node.RestNodeConfig(node_url='http://127.0.0.1:{port}/', enable_registry_resolution=False)",
        "node.ReactorNode(config).start_node()",
    ]
    code = ("-c", "; ".join(serving))
    url, path = f"http://127.0.0.1:{port}", "/action/run_reaction"
    with tempfile.TemporaryDirectory() as folder:
        async with (
            listening(port, interpreter("madsci"), *code, cwd=Path(folder), HOME=folder, LEDGER=os.devnull),
            httpx.AsyncClient(base_url=url, timeout=30) as client,
            through(
                "madsci:MadsciRunner",
                url=url,
                action="run_reaction",
                settings={SET: {"to": SET}},
                measure={"y": ""},
                reset=True,
                poll_s=POLL_S,
                **LIMITS,
            ) as trial,
        ):

            async def bare(value: float, _key: str) -> float:
                await client.get("/status")
                action = (await client.post(path, json={"args": {SET: value}})).json()["action_id"]
                await client.post(f"{path}/{action}/start")
                while (await client.get(f"/action/{action}/status")).json() != "succeeded":  # noqa: ASYNC110
                    await anyio.sleep(POLL_S)
                return float((await client.get(f"/action/{action}/result")).json()["json_result"])

            yield trial, bare


@case("httpx, and a wait: the simulator takes no time", "httpx")
async def flowchem(seconds: float) -> AsyncIterator[tuple[Trial, Trial]]:
    import httpx  # noqa: PLC0415

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    fields = {
        "settings": {SET: {"to": f"{HEATER}?temp", "unit": "degC", "read_back": HEATER, "tolerance": 0.5}},
        "ready": {READY: True},
        "start": [INFUSE],
        "measure": {"y": HEATER},
        "poll_s": POLL_S,
    }
    serving = ["-m", "tests.adapters.servers.elsewhere.flowchem_sim", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        async with (
            listening(port, interpreter("flowchem"), *serving, cwd=Path(folder), HOME=folder),
            httpx.AsyncClient(base_url=url, timeout=30) as client,
            through("flowchem:FlowchemRunner", url=url, **fields, **LIMITS) as trial,
        ):

            async def bare(value: float, _key: str) -> float:
                await client.put(HEATER, params={"temp": f"{value} degC"})
                await client.get(HEATER)
                while (await client.get(READY)).json() is not True:  # noqa: ASYNC110
                    await anyio.sleep(POLL_S)
                await client.put(INFUSE)
                found = (await client.get(HEATER)).json()
                await client.get(HEATER)
                await anyio.sleep(seconds)
                return float(found)

            async def waited(value: float, key: str) -> None:
                await trial(value, key)
                await anyio.sleep(seconds)

            yield waited, bare
