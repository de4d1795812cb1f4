"""The stand-in for an Opentrons robot-server: ``python -m tests.adapters.servers.opentrons PORT``."""

import functools
import os
import sys
from pathlib import Path

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.adapters.servers.opentrons_robot import HEALTH, MODULES, PIPETTES, NotRecordedError, Refused, Robot
from tests.adapters.servers.process import LOOPBACK

SHORTEST_S = 0.02
"""How long a command takes that does not say itself how long it takes."""


def begin(kind):
    with Path(os.environ["LEDGER"]).open("a") as ledger:
        ledger.write(f"{kind}\n")


robot = Robot(begin)


def told(answer):
    """Turn what the recording does not cover into a status that the real robot never gives."""

    @functools.wraps(answer)
    async def endpoint(request):
        if request.headers.get("opentrons-version") is None:
            return JSONResponse({"not recorded": "a request without the header Opentrons-Version"}, status_code=501)
        try:
            return await answer(request)
        except Refused as refused:
            return JSONResponse(refused.body, status_code=refused.status)
        except (NotRecordedError, LookupError, TypeError, ValueError) as unknown:
            return JSONResponse({"not recorded": repr(unknown)}, status_code=501)

    return endpoint


def fixed(body):
    async def answer(_):
        return JSONResponse(body)

    return told(answer)


@told
async def create_run(request):
    if await request.json() != {"data": {}}:
        raise NotRecordedError("a run of a protocol")
    return JSONResponse({"data": robot.new_run().answer()}, status_code=201)


@told
async def read_run(request):
    return JSONResponse({"data": robot.look_up(request.path_params["run"]).answer()})


@told
async def act(request):
    kind = (await request.json())["data"]["actionType"]
    return JSONResponse({"data": robot.run(request.path_params["run"]).act(kind)}, status_code=201)


@told
async def read_command(request):
    run = robot.run(request.path_params["run"])
    return JSONResponse({"data": run.command(request.path_params["command"])})


@told
async def command(request):
    run, data, query = robot.run(request.path_params["run"]), (await request.json())["data"], request.query_params
    if set(data) != {"commandType", "params"}:
        raise NotRecordedError(f"a command with {sorted(data)}")
    waited_for = query.get("waitUntilComplete") == "true" and "timeout" in query
    accepted, outcome = run.accept(data["commandType"], data["params"], waited_for=waited_for)
    done = anyio.Event()
    request.app.state.tasks.start_soon(carry_out, run, accepted, outcome, done)
    with anyio.move_on_after(int(query["timeout"]) / 1000):
        await done.wait()
    return JSONResponse({"data": accepted}, status_code=201)


async def carry_out(run, accepted, outcome, done):
    await anyio.sleep(accepted["params"].get("seconds", SHORTEST_S))
    run.complete(accepted, outcome)
    done.set()


async def main(port):
    app = Starlette(
        routes=[
            Route("/health", fixed(HEALTH)),
            Route("/pipettes", fixed(PIPETTES)),
            Route("/modules", fixed(MODULES)),
            Route("/runs", create_run, methods=["POST"]),
            Route("/runs/{run}", read_run),
            Route("/runs/{run}/actions", act, methods=["POST"]),
            Route("/runs/{run}/commands", command, methods=["POST"]),
            Route("/runs/{run}/commands/{command}", read_command),
        ]
    )
    async with anyio.create_task_group() as app.state.tasks:
        await uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_level="info")).serve()
        app.state.tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]))
