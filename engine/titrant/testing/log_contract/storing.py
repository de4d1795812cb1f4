"""What is stored, and what is read back."""

from __future__ import annotations

import pytest

from titrant.errors import EventRejected
from titrant.log.base import Append, Draft, EventLog, Stored
from titrant.log.chain import encode_envelope, link
from titrant.messages.codec import encode
from titrant.messages.events import TrialCompleted, TrialCreated, TrialFailed
from titrant.testing.log_contract.fixtures import LogFixtures
from titrant.testing.log_contract.requests import append, draft, envelope_of


class Storing(LogFixtures):
    """What is stored, and what is read back."""

    @pytest.mark.anyio
    async def test_an_empty_log_is_at_zero_and_has_a_genesis(self, log: EventLog) -> None:
        """Nothing is there, but the chain has its beginning."""
        assert log.head.seq == 0
        assert len(log.head.hash) == 32
        assert list(log.read()) == []
        assert log.load_snapshot() is None
        assert log.epoch >= 1

    @pytest.mark.anyio
    async def test_events_are_numbered_from_one_without_gaps(self, log: EventLog) -> None:
        """Numbers are given in order of the requests."""
        outcomes = await log.commit([append(0), append(1, 2), append(3)])
        outcomes += await log.commit([append(4)])

        assert outcomes == [Stored(1, 1), Stored(2, 3), Stored(4, 4), Stored(5, 5)]
        assert [record.seq for record in log.read()] == [1, 2, 3, 4, 5]
        assert [record.part for record in log.read()] == [0, 0, 1, 0, 0]

    @pytest.mark.anyio
    async def test_an_empty_group_changes_nothing(self, log: EventLog) -> None:
        """No requests, no outcomes."""
        assert await log.commit([]) == []
        assert log.head.seq == 0

    @pytest.mark.anyio
    async def test_a_request_is_stored_wholly_or_not_at_all(self, log: EventLog) -> None:
        """One poison event refuses its request and no other."""
        poison = TrialFailed(trial=1, reason="\udc00")
        outcomes = await log.commit([append(0), append(1, poison, 2), append(3)])

        assert [type(outcome) for outcome in outcomes] == [Stored, EventRejected, Stored]
        assert [record.event for record in log.read()] == [TrialCompleted(trial=0), TrialCompleted(trial=3)]

    @pytest.mark.anyio
    async def test_the_whole_envelope_is_read_back(self, log: EventLog) -> None:
        """What goes in comes out."""
        first = draft(7, at=5)
        second = Draft(
            event=TrialCreated(trial=8, parameters={"x": 0.1, "n": 3, "on": True, "solvent": 'Me"CN\n\u2028'}),
            recorded_at=6,
            observed_at=-4,
            actor="user:ada \U0001f9ea",
            role="chemist",
            reason="because\x00 of \x7f",
            trial=8,
            cause=1,
            correlation="command-1",
            key="key-1",
        )
        await log.commit([Append(drafts=(first, second))])

        one, two = log.read()
        assert (one.seq, one.event, one.actor, one.key) == (1, first.event, "engine", None)
        shared = set(Draft.__struct_fields__)
        assert {name: getattr(two, name) for name in shared} == {name: getattr(second, name) for name in shared}
        assert (two.seq, two.part, two.schema, two.epoch) == (2, 1, 1, log.epoch)

    @pytest.mark.anyio
    async def test_every_hash_covers_the_envelope_the_payload_and_the_hash_before(self, log: EventLog) -> None:
        """The chain can be computed from what is read."""
        previous = log.head.hash
        await log.commit([append(0, actor="user:é"), append(1, 2, reason="'\"\\", key="k")])

        for record in log.read():
            previous = link(previous, encode_envelope(envelope_of(record)), encode(record.event)[2].encode())
            assert record.hash == previous
        assert log.head.hash == previous

    @pytest.mark.anyio
    async def test_reading_begins_and_ends_where_it_is_told(self, log: EventLog) -> None:
        """``after`` is excluded, ``until`` included; beyond the end there is nothing."""
        await log.commit([append(*range(10))])

        assert [record.seq for record in log.read(after=3, until=6)] == [4, 5, 6]
        assert [record.seq for record in log.read(after=8)] == [9, 10]
        assert list(log.read(after=10)) == []
        assert list(log.read(after=99)) == []
        assert list(log.read(until=0)) == []
