"""The lab twin behind HTTP and JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from titrant_adapters.twin.answers import OutOfRange, Refused, Unknown
from titrant_adapters.twin.doors.base import LOOPBACK, Door, need
from titrant_adapters.twin.doors.documents import Order, Setting, described, told
from titrant_adapters.twin.doors.serving import served
from titrant_adapters.twin.faults import Exchange
from titrant_adapters.twin.lab import MAKER, MODEL

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

Answer = tuple[Exchange, int, Any]
"""What was asked, the status code, and the body."""


class RestDoor(Door):
    """Settings, runs and values as resources; a run is started by POST and asked for by number or key."""

    protocol = "rest"

    @property
    def address(self) -> str:
        """The root of all resources."""
        return f"http://{LOOPBACK}:{self.port}"

    def how_to(self) -> str:
        """Requests to be typed."""
        name, one = next(iter(self.lab.settings.inputs.items()))
        body = msgspec.json.encode({"key": "k1", "parameters": {name: one.initial}}).decode()
        return f"curl {self.address}/    curl {self.address}/runs -d '{body}'    curl {self.address}/runs/1"

    @asynccontextmanager
    async def behind(self) -> AsyncIterator[int]:
        """Serve the resources below."""
        async with served(self._app()) as port:
            yield port

    def _app(self) -> Starlette:
        starlette, routing = need("starlette.applications"), need("starlette.routing")

        def route(path: str, method: str, act: Callable[[Request], Awaitable[Answer]]) -> Any:
            async def endpoint(request: Request) -> Response:
                return await self._answer(act, request)

            return routing.Route(path, endpoint, methods=[method])

        app: Starlette = starlette.Starlette(
            routes=[
                route("/", "GET", self._identify),
                route("/settings", "GET", self._settings),
                route("/settings/{name}", "GET", self._read),
                route("/settings/{name}", "PUT", self._set),
                route("/runs", "GET", self._find),
                route("/runs", "POST", self._start),
                route("/runs/{number:int}", "GET", self._look),
                route("/runs/{number:int}", "DELETE", self._stop),
                route("/runs/{number:int}/result", "GET", self._result),
                route("/safe-state", "POST", self._safe_state),
            ]
        )
        return app

    async def _answer(self, act: Callable[[Request], Awaitable[Answer]], request: Request) -> Response:
        responses = need("starlette.responses")
        try:
            exchange, status, body = await act(request)
        except (OutOfRange, msgspec.MsgspecError) as exc:
            exchange, status, body = "set", 422, {"error": str(exc)}
        except Unknown as exc:
            exchange, status, body = "status", 404, {"error": str(exc)}
        except Refused as exc:
            exchange, status, body = "start", 409, {"error": str(exc)}
        if status < 400:
            self.about_to_reply(exchange)
        content = msgspec.json.encode(body)
        found: Response = responses.Response(content, status_code=status, media_type="application/json")
        return found

    async def _identify(self, _request: Request) -> Answer:
        settings = [described(one) for one in self.lab.physics.inputs]
        values = [described(one) for one in self.lab.physics.outputs]
        return "identify", 200, {"maker": MAKER, "model": MODEL, "settings": settings, "values": values}

    async def _settings(self, _request: Request) -> Answer:
        return "read", 200, {"set": self.lab.settings.points, "actual": self.lab.settings.actual()}

    async def _read(self, request: Request) -> Answer:
        name = request.path_params["name"]
        if name not in self.lab.settings.points:
            raise Unknown(f"there is no setting {name}; there are {', '.join(self.lab.settings.points)}")
        return "read", 200, {"set": self.lab.settings.points[name], "actual": self.lab.settings.actual()[name]}

    async def _set(self, request: Request) -> Answer:
        asked = msgspec.json.decode(await request.body(), type=Setting)
        self.lab.settings.set(request.path_params["name"], asked.value)
        return "set", 200, {"value": asked.value}  # what was asked; what was taken is for the read-back to tell

    async def _start(self, request: Request) -> Answer:
        order = msgspec.json.decode(await request.body(), type=Order)
        before = self.lab.ledger.starts()
        run = self.started(self.lab.start(order.key, order.parameters))
        return "start", 201 if self.lab.ledger.starts() > before else 200, told(run)

    async def _find(self, request: Request) -> Answer:
        key = request.query_params.get("key", "")
        run = self.lab.find(key)
        if run is None:
            raise Unknown(f"there is no run with the key {key!r}")
        return "status", 200, told(run)

    async def _look(self, request: Request) -> Answer:
        return "status", 200, told(self.lab.runs.look(request.path_params["number"]))

    async def _result(self, request: Request) -> Answer:
        run = self.lab.runs.look(request.path_params["number"])
        told = {"state": run.state, "values": run.values, "quality": run.quality, "reason": run.reason}
        return "result", 200 if run.state == "done" else 409, told

    async def _stop(self, request: Request) -> Answer:
        number = request.path_params["number"]
        self.lab.runs.look(number)
        self.lab.runs.stop(number)
        return "stop", 200, told(self.lab.runs.look(number))

    async def _safe_state(self, _request: Request) -> Answer:
        self.lab.safe_state()
        return "stop", 200, self.lab.settings.points
