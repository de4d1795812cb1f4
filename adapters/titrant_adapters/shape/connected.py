"""What runners and metrics share: a checked configuration, a connection, a probe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar, Generic, Self, TypeVar

import anyio

from titrant.errors import TitrantError
from titrant.ports import Finding
from titrant_adapters.shape.config import Config
from titrant_adapters.shape.outcomes import Errors, Start

C = TypeVar("C", bound=Config)

SAFE_SECONDS = 10.0


class Connected(Generic[C]):
    """What runners and metrics share: a checked configuration, a connection, a probe."""

    config_type: ClassVar[type[Config]] = Config
    errors: ClassVar[Errors] = Errors()
    config: C

    def configure(self, config: C | None, fields: dict[str, Any]) -> None:
        """Take a configuration, or make it of fields.

        Raises:
            ConfigurationError: It cannot work.
        """
        self.config = config if config is not None else self.config_type.read(fields)  # type: ignore[assignment]

    async def connect(self) -> None:
        """Connect and make sure of who answers."""

    async def disconnect(self) -> None:
        """Let the connection go; also after ``connect`` failed half way."""

    async def look(self) -> AsyncIterator[Finding]:
        """While connected: what ``titrant doctor`` should tell; it starts nothing."""
        yield Finding("ok", f"{type(self).__name__} is connected")

    async def _open(self) -> None:
        try:
            with self.errors.translated(Start(), "connecting"):
                await self.connect()
        except BaseException:
            with anyio.move_on_after(SAFE_SECONDS, shield=True):
                await self.disconnect()
            raise

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def probe(self) -> list[Finding]:
        """Connect, look, disconnect."""
        try:
            await self._open()
        except TitrantError as exc:
            return [Finding("fail", str(exc), "check address, cable and power, then ask again")]
        try:
            with self.errors.translated(Start(), "looking"):
                return [one async for one in self.look()]
        except TitrantError as exc:
            return [Finding("fail", str(exc), "look at the instrument itself")]
        finally:
            with anyio.move_on_after(SAFE_SECONDS, shield=True):
                await self.disconnect()
