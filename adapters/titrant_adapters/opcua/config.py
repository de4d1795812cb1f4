"""What a person writes down for an OPC UA device."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from titrant.errors import ConfigurationError
from titrant_adapters.opcua.line import OpcUaLine
from titrant_adapters.opcua.security import Security
from titrant_adapters.shape import Config, Seconds, Secret, Setting, bad

KEY = "{key}"
Sent = float | int | str | bool | list[Any]


class OpcUaConfig(Config, frozen=True, kw_only=True):
    """Where things are: paths of browse names, without their namespaces.

    Attributes:
        url: The endpoint.
        user: Whom to log in as; nobody where empty.
        password: Of that user; without ``security`` it goes over the line as it is.
        security: What keeps others from the line; anybody can read and write on it where None.
        unit: Where the device is, below Objects; all other paths start from there.
        settings: Parameter to setting; ``to`` and ``read_back`` are variables.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this device's.
        start: The method that starts a run and returns.
        arguments: What it is called with, by name (what is left out is sent empty) or in order; one is ``"{key}"``.
        results: The object that has one object for each run; the unit itself is where empty, and shows the last run.
        job: The variable there that holds the key.
        state: The variable there that tells how the run stands.
        running: Its values while the run goes on; empty is a time or text that is not there yet.
        done: Its values when it went well; whichever is not in ``running`` where empty.
        reason: The variable there that says why a run failed.
        measure: Metric to variable there.
        stop: The method that ends the run that goes on; ``"Operational/Stop"`` in a LADS unit, none where empty.
        stop_with: Its arguments, in order; ``"{key}"`` stands for the run's name.
        stop_timeout_s: Seconds after which a run that was stopped must be over.
        safe: What brings the device into its safe state: method to the list of its arguments, or variable to value.
        timeout_s: Seconds one exchange may take, and connecting.
        run_timeout_s: Seconds a run may take.
        poll_s: Seconds between two looks at the state.
    """

    url: str
    user: str = ""
    password: Secret | None = None
    security: Security | None = None
    unit: str = ""
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    start: str = "FunctionalUnitState/StartProgram"
    arguments: dict[str, Sent] | tuple[Sent, ...] = (KEY,)
    results: str = ""
    job: str = "JobId"
    state: str = "State"
    running: tuple[str, ...] = ("Running",)
    done: tuple[str, ...] = ("Complete",)
    reason: str = ""
    measure: dict[str, str]
    stop: str = ""
    stop_with: tuple[Sent, ...] = ()
    stop_timeout_s: Seconds = 30.0
    safe: dict[str, Sent] = msgspec.field(default_factory=dict)
    timeout_s: Seconds = 4.0
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 0.2

    def check(self) -> None:
        """The address is one of OPC UA, the run gets a name, and something is measured."""
        if not self.url.startswith("opc.tcp://"):
            raise bad("url", self.url, "an endpoint is opc.tcp://host:port/path")
        if KEY not in (self.arguments.values() if isinstance(self.arguments, dict) else self.arguments):
            raise bad("arguments", self.arguments, f'one of them has to be "{KEY}", which names the run')
        if not self.measure:
            raise bad("measure", self.measure, 'name a variable for each metric: { yield = "VariableSet/Yield" }')

    def filled(self, key: str) -> list[Sent] | dict[str, Sent]:
        """The arguments with the key where it belongs."""
        if isinstance(self.arguments, dict):
            return {name: key if value == KEY else value for name, value in self.arguments.items()}
        return [key if value == KEY else value for value in self.arguments]

    def at(self, path: object) -> str:
        """A path of the unit from Objects on."""
        return "/".join(part for part in (self.unit, str(path)) if part)

    async def find_all(self, line: OpcUaLine) -> None:
        """Make sure that all that is named is there and allowed.

        Raises:
            ConfigurationError: Something is not.
        """
        for setting in self.settings.values():
            if not await line.writable(self.at(setting.to)):
                raise ConfigurationError(f"{setting.to} may not be written: ask for the permission, or log in")
            if setting.read_back is not None:
                await line.node(self.at(setting.read_back))
        taken, given = await line.arguments(self.at(self.start)), self.arguments
        if set(given) - set(taken) if isinstance(given, dict) else len(taken) != len(given):
            raise bad("arguments", given, f"{self.start} takes {len(taken)}: {', '.join(taken)}")
        shown = [self.at(path) for path in (self.job, self.state, *self.measure.values())]
        if self.results:  # an earlier run shows what to expect of the next
            earlier = (await line.recent(self.at(self.results)))[:1]
            shown = [f"{path}/{name}" for path in earlier for name in (self.job, self.state)]
        if self.stop and len(taken := await line.arguments(self.at(self.stop))) != len(self.stop_with):
            raise bad("stop_with", self.stop_with, f"{self.stop} takes {len(taken)}: {', '.join(taken)}")
        for path in (*shown, *map(self.at, self.safe)):
            await line.node(path)
