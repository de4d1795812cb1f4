"""The standard's feature for ending an execution, for the lab twin's SiLA 2 server.

Its names are those of ``org.silastandard/core.commands/CancelController/v1``.
"""

# No ``from __future__ import annotations`` here: the CDK reads the annotations as types.
from typing import Any

from titrant_adapters.twin.doors.base import Door, need

ORIGINATOR, CATEGORY = "org.silastandard", "core.commands"


class InvalidCommandExecutionUUID(Exception):  # the class's name is the error's
    """No command with this UUID is being executed."""


def cancel_controller(door: Door, executions: dict[str, int]) -> Any:
    """The feature; *executions* has the number of the run for each execution's UUID."""
    sila = need("unitelabs.cdk.sila")

    async def cancel_command(self: Any, command_execution_uuid: str) -> None:  # noqa: D417  # the CDK's form
        """End one execution.

        Args:
          CommandExecutionUUID: Which.
        """
        number = executions.get(command_execution_uuid)
        if number is None or number not in door.lab.runs.under_way():
            raise InvalidCommandExecutionUUID(f"nothing is executed as {command_execution_uuid}")
        door.lab.runs.stop(number)
        door.about_to_reply("stop")

    async def cancel_all(self: Any) -> None:
        """End all executions."""
        for number in door.lab.runs.under_way():
            door.lab.runs.stop(number)
        door.about_to_reply("stop")

    one = sila.UnobservableCommand(identifier="CancelCommand", errors=[InvalidCommandExecutionUUID])(cancel_command)
    each = sila.UnobservableCommand(identifier="CancelAll")(cancel_all)

    def begin(self: Any) -> None:
        sila.Feature.__init__(self, originator=ORIGINATOR, category=CATEGORY, version="1.0")

    members = {"__init__": begin, "__doc__": "Ends executions.", "CancelCommand": one, "CancelAll": each}
    return type("CancelController", (sila.Feature,), members)()
