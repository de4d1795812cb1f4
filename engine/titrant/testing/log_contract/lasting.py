"""Snapshots, and what is left when a commit is cancelled or a log is closed."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from titrant.errors import LogError, LogUnavailable
from titrant.log.base import EventLog, Outcome, Stored
from titrant.testing.log_contract.fixtures import LogFixtures, Reopen
from titrant.testing.log_contract.requests import append, commit_one


class Lasting(LogFixtures):
    """Snapshots, and what is left when a commit is cancelled or a log is closed."""

    @pytest.mark.anyio
    async def test_the_newest_two_snapshots_are_kept(self, log: EventLog) -> None:
        """And the newest of them is given."""
        await log.commit([append(*range(4))])
        for seq in (1, 4, 2):
            await log.save_snapshot(seq, b"state at %d" % seq)

        assert log.load_snapshot() == (4, b"state at 4")
        await log.save_snapshot(4, b"better")
        assert log.load_snapshot() == (4, b"better")

    @pytest.mark.anyio
    @pytest.mark.parametrize("seq", [-1, 0, 2])
    async def test_a_snapshot_needs_its_event(self, log: EventLog, seq: int) -> None:
        """There is no state at a number that is not there."""
        await log.commit([append(0)])
        with pytest.raises(LogError, match=f"there is no event {seq} to keep"):
            await log.save_snapshot(seq, b"")

    @pytest.mark.anyio
    async def test_closing_twice_is_closing_once(self, log: EventLog) -> None:
        """And a closed log takes no more events."""
        await log.commit([append(0)])
        await log.close()
        await log.close()

        with pytest.raises(LogUnavailable, match="was closed"):
            await log.commit([append(1)])

    @pytest.mark.anyio
    @pytest.mark.parametrize("moment", range(6))
    async def test_cancelling_leaves_log_and_answer_agreeing(self, log: EventLog, moment: int) -> None:
        """A commit that began is answered; one that did not begin stores nothing."""
        answers: list[Sequence[Outcome]] = []

        async def commit() -> None:
            answers.append(await log.commit([append(0, 1)]))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(commit)
            for _ in range(moment):
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()

        assert log.head.seq == len(list(log.read())) == 2 * len(answers)
        assert await commit_one(log, append(2)) == Stored(log.head.seq, log.head.seq)

    @pytest.mark.anyio
    async def test_a_log_opened_again_goes_on(self, log: EventLog, reopen: Reopen) -> None:
        """Same identity, same events, same keys, a higher epoch."""
        await log.commit([append(0), append(1, key="k")])
        await log.save_snapshot(2, b"state")
        before, records = log.head, list(log.read())
        await log.close()

        again = await reopen(log)
        try:
            assert (again.log_id, again.head, again.epoch) == (log.log_id, before, log.epoch + 1)
            assert list(again.read()) == records
            assert again.load_snapshot() == (2, b"state")
            assert await commit_one(again, append(1, key="k")) == Stored(2, 2, repeated=True)
            assert await commit_one(again, append(2, at=999)) != Stored(3, 3)
            assert await commit_one(again, append(2)) == Stored(3, 3)
        finally:
            await again.close()
