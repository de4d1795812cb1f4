"""Which function on which cluster, as it is written down."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from titrant_adapters.shape import Seconds, WrittenConfig
from titrant_adapters.shape.functions import check_name


class DaskConfig(WrittenConfig, frozen=True, kw_only=True):
    """Which function, and where; what it gives is told in ``WrittenConfig``.

    Attributes:
        scheduler: The scheduler's address.
        function: ``"module:name"``.
        workers: Calls at once.
        rerun_safe: Whether calling it twice does no harm.
        timeout_s: Seconds the scheduler may take for an answer.
        run_timeout_s: Seconds a call may take, with the time it waits for a worker.
        poll_s: Seconds before a scheduler that was lost is looked for again.
    """

    scheduler: str
    function: str
    workers: Annotated[int, Meta(ge=1, description="1 or more")] = 1
    rerun_safe: bool = True
    timeout_s: Seconds = 30.0
    run_timeout_s: Seconds = 86_400.0
    poll_s: Seconds = 0.5

    def check(self) -> None:
        """The name has the form that can be imported."""
        super().check()
        check_name("function", self.function)
