"""An Opentrons robot that plays a protocol: ``python -m tests.adapters.servers.opentrons_protocols PORT``.

Runs of protocols were not recorded.  So nothing is claimed here but what the server's own OpenAPI document says:
``test_opentrons_protocols.py`` holds each of these answers to it.  The robot has one protocol, ``p1``, which dispenses
a volume (its run-time parameter) and takes RUN_S seconds for it, or SLOW_S for more than SLOW_UL.

Beside the robot, and no part of its API: ``GET /plate-reader/{run}`` measures what was dispensed, and ``POST /faults``
says what shall go wrong with the next run: defined_error, stuck or drift.
"""

import os
import sys
import uuid
from pathlib import Path

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.adapters.servers.opentrons_robot import HEALTH, now
from tests.adapters.servers.process import LOOPBACK

RUN_S, SLOW_S, SLOW_UL = 0.15, 30.0, 250.0
LOW, HIGH, DEFAULT = 0.0, 300.0, 20.0
ACTIVE = ("running", "paused", "stop-requested", "finishing")
PROTOCOL = {
    "id": "p1", "createdAt": "2026-11-21T02:12:31.476088+00:00", "files": [{"name": "dispense.py", "role": "main"}],
    "protocolType": "python", "robotType": "OT-2 Standard", "metadata": {}, "analyses": [], "analysisSummaries": [],
    "protocolKind": "standard",
}  # fmt: skip
CLOGGED = {
    "isDefined": False, "errorType": "PipetteOverpressureError", "errorCode": "3006", "detail": "the tip is clogged",
    "errorInfo": {}, "wrappedErrors": [],
}  # fmt: skip


def no(status, kind, title, detail):
    return JSONResponse({"errors": [{"id": kind, "title": title, "detail": detail, "errorCode": "4000"}]}, status)


def begin(run):
    """Enter a physical start into the ledger, before anything else can go wrong."""
    with Path(os.environ["LEDGER"]).open("a") as ledger:
        ledger.write(f"play {run.volume}\n")


class Run:
    """A run of the protocol."""

    def __init__(self, volume):
        self.id, self.created, self.status, self.current = str(uuid.uuid4()), now(), "idle", True
        self.volume, self.actions, self.errors, self.measured = volume, [], [], None

    def answer(self):
        parameter = {
            "displayName": "Volume", "variableName": "volume", "type": "float", "min": LOW, "max": HIGH,
            "value": self.volume, "default": DEFAULT,
        }  # fmt: skip
        return {
            "id": self.id, "ok": True, "createdAt": self.created, "status": self.status, "current": self.current,
            "actions": self.actions, "errors": self.errors, "hasEverEnteredErrorRecovery": False, "pipettes": [],
            "modules": [], "labware": [], "liquids": [], "labwareOffsets": [], "protocolId": "p1",
            "runTimeParameters": [parameter], "outputFileIds": [],
        }  # fmt: skip


class Player:
    """The robot, its runs, and what shall go wrong."""

    def __init__(self):
        self.runs, self.fault, self.tasks = {}, "", None

    def take(self, kind):
        """Whether that is the fault of the next run; it happens once."""
        taken = self.fault == kind
        self.fault = "" if taken else self.fault
        return taken

    async def health(self, _request):
        return JSONResponse(HEALTH)

    async def protocol(self, request):
        if request.path_params["protocol"] != "p1":
            return no(404, "ProtocolNotFound", "Protocol Not Found", "there is p1 alone")
        return JSONResponse({"data": PROTOCOL, "links": {"referencingRuns": []}})

    async def create(self, request):
        asked = (await request.json())["data"]
        if asked.get("protocolId") != "p1":
            return no(404, "ProtocolNotFound", "Protocol Not Found", "there is p1 alone")
        if any(run.current and run.status in ACTIVE for run in self.runs.values()):
            return no(409, "RunAlreadyActive", "Run Already Active", "wait for it, or stop it")
        for run in self.runs.values():
            run.current = False
        volume = DEFAULT if self.take("stuck") else asked.get("runTimeParameterValues", {}).get("volume", DEFAULT)
        run = Run(volume)
        self.runs[run.id] = run
        return JSONResponse({"data": run.answer()}, 201)

    async def read(self, request):
        run = self.runs.get(request.path_params["run"])
        if run is None:
            return no(404, "RunNotFound", "Run Not Found", "there is no such run")
        return JSONResponse({"data": run.answer()})

    async def act(self, request):
        run, kind = self.runs.get(request.path_params["run"]), (await request.json())["data"]["actionType"]
        if run is None:
            return no(404, "RunNotFound", "Run Not Found", "there is no such run")
        if kind not in ("play", "stop"):
            wrong = {"loc": ["body", "data", "actionType"], "msg": "unexpected value", "type": "type_error.enum"}
            return JSONResponse({"detail": [wrong]}, 422)
        if not run.current or run.status not in {"play": ("idle",), "stop": ("idle", "running")}[kind]:
            return no(409, "RunActionNotAllowed", "Run Action Not Allowed", f"the run is {run.status}")
        action = {"id": str(uuid.uuid4()), "createdAt": now(), "actionType": kind}
        run.actions.append(action)
        if kind == "play":
            begin(run)
            run.status = "running"
            self.tasks.start_soon(self.play, run, "defined_error" if self.take("defined_error") else "")
        else:
            run.status = "stop-requested" if run.status == "running" else "stopped"
        return JSONResponse({"data": action}, 201)

    async def play(self, run, fault):
        with anyio.move_on_after(SLOW_S if run.volume > SLOW_UL else RUN_S):
            while run.status != "stop-requested":  # noqa: ASYNC110  # it is told by a request
                await anyio.sleep(0.01)
        if run.status == "stop-requested":
            run.status = "stopped"
        elif fault:
            run.status, run.errors = "failed", [CLOGGED | {"id": str(uuid.uuid4()), "createdAt": now()}]
        else:
            run.measured = run.volume + (10.0 if self.take("drift") else 0.0)
            run.status = "succeeded"

    async def measure(self, request):
        run = self.runs.get(request.path_params["run"])
        if run is None or run.measured is None:
            return JSONResponse({"error": "nothing was dispensed"}, 404)
        return JSONResponse({"volume": run.measured})

    async def arm(self, request):
        self.fault = (await request.json())["kind"]
        return JSONResponse({})


async def main(port):
    robot = Player()
    app = Starlette(
        routes=[
            Route("/health", robot.health),
            Route("/protocols/{protocol}", robot.protocol),
            Route("/runs", robot.create, methods=["POST"]),
            Route("/runs/{run}", robot.read),
            Route("/runs/{run}/actions", robot.act, methods=["POST"]),
            Route("/plate-reader/{run}", robot.measure),
            Route("/faults", robot.arm, methods=["POST"]),
        ]
    )
    async with anyio.create_task_group() as robot.tasks:
        await uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_level="info")).serve()
        robot.tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]))
