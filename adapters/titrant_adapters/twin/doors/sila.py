"""The lab twin as a SiLA 2 server: one observable command with progress, whose parameters are the lab's settings."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec

from titrant_adapters.twin.answers import OutOfRange, Refused
from titrant_adapters.twin.behaviour import DEFINED_ERROR
from titrant_adapters.twin.doors.base import LOOPBACK, Door, need
from titrant_adapters.twin.doors.sila_cancel import cancel_controller
from titrant_adapters.twin.doors.sila_feature import CloggedNozzle, identifier, reactor
from titrant_adapters.twin.lab import MODEL
from titrant_adapters.twin.runs import Run

PROGRESS_S = 0.1
"""How often progress is told, in real seconds."""


class SilaDoor(Door):
    """``Reactor.Run(<settings>, Key)`` gives the values; ``SetValue``, ``ReadValue``, ``FindRun``, ``Stop`` besides.

    ``CancelController.CancelCommand(<uuid>)`` ends one run.
    """

    protocol = "sila"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self.port}"

    def how_to(self) -> str:
        """The command."""
        names = ", ".join(identifier(name) for name in self.lab.settings.inputs)
        return f"no TLS, no discovery; feature Reactor: observable command Run({names}, Key)"

    @asynccontextmanager
    async def behind(self) -> AsyncIterator[int]:
        """Serve the feature by the UniteLabs CDK."""
        cdk = need("unitelabs.cdk")
        server = cdk.SiLAServerConfig(hostname=LOOPBACK, port=0, tls=False, name=MODEL, type="LabTwin")
        connector = cdk.Connector(cdk.ConnectorBaseConfig(sila_server=server, discovery=None))
        executions: dict[str, int] = {}
        connector.register(reactor(self, executions))
        connector.register(cancel_controller(self, executions))
        await connector.start()
        try:
            # The port that was chosen is told nowhere else.
            yield int(connector.sila_server._address.rsplit(":", 1)[1])  # noqa: SLF001
        finally:
            await connector.sila_server.stop(grace=0)
            await connector.stop()

    def accept(self, values: Mapping[str, Any]) -> Run:
        """Start a run before its confirmation goes out, so that a fault meets just that."""
        sila = need("sila.framework")
        parameters = {name: value for name, value in values.items() if name in self.lab.settings.inputs}
        try:
            run = self.started(self.lab.start(values["key"], parameters))
        except OutOfRange as exc:
            name = next((name for name in parameters if str(exc).startswith(name)), next(iter(parameters)))
            raise sila.ValidationError(str(exc), name) from exc
        except Refused as exc:
            raise sila.CommandExecutionNotAccepted(str(exc)) from exc
        self.about_to_reply("start")
        return run

    async def see_through(self, run: Run, status: Any) -> tuple[Any, ...]:
        """Tell progress until a run is over; its values, quality and conditions.

        Raises:
            CloggedNozzle: The error that the feature defines.
            RuntimeError: It failed in another way, or was lost.
        """
        while run.state == "running":
            status.update(progress=run.progress)
            with anyio.move_on_after(PROGRESS_S):
                await self.lab.runs.finish(run.number)
            run = self.lab.runs.look(run.number)
        if run.reason == DEFINED_ERROR:
            raise CloggedNozzle(run.reason)
        if run.state != "done":
            raise RuntimeError(f"{run.state}: {run.reason}")
        self.about_to_reply("result")
        values = [run.values.get(one.name, math.nan) for one in self.lab.physics.outputs]
        return (*values, run.quality, msgspec.json.encode(run.conditions).decode())
