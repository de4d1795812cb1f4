"""What a person writes down for a SiLA 2 server."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from titrant_adapters.shape import Config, Port, Seconds, Secret, Setting, bad


class SilaConfig(Config, frozen=True, kw_only=True):
    """Which server, which command, and what stands where in its answer.

    A path leads into the answer: ``Yield``, or ``Result.Yield`` in a structure or a JSON text.

    Attributes:
        host: The server's name or address.
        port: Its port.
        tls: Whether the line is encrypted.
        certificate: A file with the certificate to trust (PEM); the system's where empty.
        command: The observable command, ``Feature.Command``; the feature may be fully qualified.
        settings: Parameter to setting; ``to`` is the command's, ``read_back`` the path to what was carried out.
        otherwise: What to do where that differs: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this instrument's.
        constants: Further parameters of the command, always the same.
        key: The command's parameter for the attempt's own key, if it has one.
        measure: Metric to path.
        intermediate: Metric to path in the intermediate answers; the progression is the share of the run.
        metadata: ``Feature.Metadata`` to what goes with every command: an access token, a lock's identifier.
        safe: Commands without parameters that bring it into its safe state.
        stop: The command that ends one execution: ``"CancelController.CancelCommand"`` where the server has the
            standard's feature for it; none where empty.
        stop_with: Its parameters; ``{uuid}`` stands for what the server calls the execution, ``{key}`` for our name.
        stop_timeout_s: Seconds after which a run that was stopped must be over.
        places: Runs at once.
        connect_timeout_s: Seconds that connecting and reading the server's features may take.
        timeout_s: Seconds one answer may take.
        run_timeout_s: Seconds a run may take.
        poll_s: Seconds before a line that broke is tried again.
    """

    host: str
    port: Port = 50052
    tls: bool = True
    certificate: str = ""
    command: str
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    constants: dict[str, bool | int | float | str] = msgspec.field(default_factory=dict)
    key: str = ""
    measure: dict[str, str]
    intermediate: dict[str, str] = msgspec.field(default_factory=dict)
    metadata: dict[str, Secret] = msgspec.field(default_factory=dict)
    safe: tuple[str, ...] = ()
    stop: str = ""
    stop_with: dict[str, str] = msgspec.field(default_factory=lambda: {"CommandExecutionUUID": "{uuid}"})
    stop_timeout_s: Seconds = 30.0
    places: Annotated[int, Meta(ge=1, description="1 or more")] = 1
    connect_timeout_s: Seconds = 10.0
    timeout_s: Seconds = 5.0
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 0.1

    def check(self) -> None:
        """Something is measured."""
        if not self.measure:
            raise bad("measure", self.measure, 'name a path for each metric: { yield = "Yield" }')
        if self.stop and not {"{uuid}", "{key}"} & set(self.stop_with.values()):
            raise bad("stop_with", self.stop_with, 'say which run it ends: { CommandExecutionUUID = "{uuid}" }')
