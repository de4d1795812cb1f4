"""Who expects another number, and who asks again under the same key."""

from __future__ import annotations

import anyio
import msgspec
import pytest

from titrant.errors import IdempotencyConflict, VersionConflict
from titrant.log.base import Append, EventLog, Stored
from titrant.testing.log_contract.fixtures import LogFixtures
from titrant.testing.log_contract.requests import append, commit_one, draft


class Repeating(LogFixtures):
    """Who expects another number, and who asks again under the same key."""

    @pytest.mark.anyio
    async def test_who_expects_another_number_is_told_both(self, log: EventLog) -> None:
        """A conflict names what was expected and what is."""
        await log.commit([append(0), append(1)])
        outcome = await commit_one(log, append(2, expected=1))

        assert isinstance(outcome, VersionConflict)
        assert (outcome.expected, outcome.actual) == (1, 2)
        assert log.head.seq == 2

    @pytest.mark.anyio
    async def test_expectations_count_earlier_requests_of_the_group(self, log: EventLog) -> None:
        """The second may build on the first; one that was refused counts for nothing."""
        outcomes = await log.commit([append(0, expected=0), append(1, expected=0), append(2, expected=1)])

        assert outcomes[0] == Stored(1, 1)
        assert isinstance(outcomes[1], VersionConflict)
        assert outcomes[2] == Stored(2, 2)

    @pytest.mark.anyio
    async def test_of_many_with_the_same_expectation_one_wins(self, log: EventLog) -> None:
        """Eight tasks, twenty numbers each: one winner a number, and the others know."""
        wins = [0] * 8

        async def contend(index: int) -> None:
            while log.head.seq < 20:
                expected = log.head.seq
                outcome = await commit_one(log, append(index, expected=expected))
                if isinstance(outcome, Stored):
                    wins[index] += 1
                    assert outcome.first == expected + 1
                else:
                    assert isinstance(outcome, VersionConflict)
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as tasks:
            for index in range(8):
                tasks.start_soon(contend, index)
        assert sum(wins) == log.head.seq
        assert [record.seq for record in log.read()] == list(range(1, log.head.seq + 1))

    @pytest.mark.anyio
    async def test_a_repeat_gets_the_first_numbers(self, log: EventLog) -> None:
        """The same key and events are stored once, whenever and however they come again."""
        request = append(0, 1, key="k", trial=0)
        assert await log.commit([append(9), request]) == [Stored(1, 1), Stored(2, 3)]
        assert await commit_one(log, request) == Stored(2, 3, repeated=True)
        await log.commit([append(9) for _ in range(5)])

        later = append(0, 1, key="k", trial=0, at=2_000)
        stale = msgspec.structs.replace(request, expected=0)
        outcomes = await log.commit([later, append(9), stale, later])
        assert outcomes == [Stored(2, 3, repeated=True), Stored(9, 9), *[Stored(2, 3, repeated=True)] * 2]
        assert log.head.seq == 9

    @pytest.mark.anyio
    async def test_a_repeat_within_one_group_is_one(self, log: EventLog) -> None:
        """Two copies of a request may be waiting side by side."""
        outcomes = await log.commit([append(0, key="k"), append(1), append(0, key="k"), append(2, key="k")])

        assert outcomes[:3] == [Stored(1, 1), Stored(2, 2), Stored(1, 1, repeated=True)]
        assert isinstance(outcomes[3], IdempotencyConflict)

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        "other",
        [
            append(2, key="k"),
            append(1, key="k"),
            append(1, 2, 3, key="k"),
            append(2, 1, key="k"),
            append(1, 2, key="k", trial=5),
            Append(drafts=(draft(1, key="k"), draft(2))),
            Append(drafts=(draft(0), draft(1, key="k"), draft(2, key="k"))),
            Append(drafts=(draft(9, key="other"), draft(1, key="k"))),
        ],
    )
    async def test_a_key_used_for_something_else_is_a_conflict(self, log: EventLog, other: Append) -> None:
        """Also for a part of the request, or for more than it."""
        await log.commit([append(0), append(1, 2, key="k"), append(3)])
        for _ in range(2):
            outcome = await commit_one(log, other)
            assert isinstance(outcome, IdempotencyConflict)
            assert (outcome.key, outcome.seq) == ("k", 2)
        assert log.head.seq == 4

    @pytest.mark.anyio
    async def test_one_request_may_bring_several_keys(self, log: EventLog) -> None:
        """As a supervisor that submits two trials at once does."""
        request = Append(drafts=(draft(0), draft(1, key="a"), draft(2, key="b")))
        assert await commit_one(log, request) == Stored(1, 3)
        assert await commit_one(log, request) == Stored(1, 3, repeated=True)
        assert isinstance(await commit_one(log, append(2, key="b")), IdempotencyConflict)

    @pytest.mark.anyio
    async def test_a_refused_request_leaves_its_key_free(self, log: EventLog) -> None:
        """Nothing was stored under it."""
        assert isinstance(await commit_one(log, append(0, key="k", expected=7)), VersionConflict)
        assert await commit_one(log, append(1, key="k")) == Stored(1, 1)
