"""What every event log must do, as a test class.

Subclass it and give it the fixture ``make_log``; a durable log gives ``reopen`` too::

    class TestMyLog(LogContract):
        @pytest.fixture
        def make_log(self, tmp_path):
            return lambda: MyLog.create(tmp_path / "my.log")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import anyio
import msgspec
import pytest

from titrant.errors import EventRejected, IdempotencyConflict, LogError, LogUnavailable, VersionConflict
from titrant.log.base import Append, Draft, EventLog, Outcome, Record, Stored
from titrant.log.chain import encode_envelope, link
from titrant.messages.codec import encode
from titrant.messages.events import DataAttached, Event, TrialCompleted, TrialCreated, TrialFailed, TrialRunning
from titrant.model.observation import Observation

MakeLog: TypeAlias = Callable[[], Awaitable[EventLog]]
Reopen: TypeAlias = Callable[[EventLog], Awaitable[EventLog]]


def draft(event: Event | int, at: int = 1_000, **envelope: Any) -> Draft:
    """Give a draft of an event; a number stands for the completion of that trial."""
    return Draft(event=TrialCompleted(trial=event) if isinstance(event, int) else event, recorded_at=at, **envelope)


def append(*events: Event | int, expected: int | None = None, **envelope: Any) -> Append:
    """Give a request to append these events."""
    return Append(drafts=tuple(draft(event, **envelope) for event in events), expected=expected)


def envelope_of(record: Record) -> tuple[Any, ...]:
    """Give a record's columns as the chain covers them (``chain.COLUMNS`` up to the epoch)."""
    tag, schema, _ = encode(record.event)
    return (
        *(record.seq, record.part, tag, schema, record.trial, record.recorded_at, record.observed_at, record.actor),
        *(record.role, record.reason, record.cause, record.correlation, record.key, record.epoch),
    )


async def commit_one(log: EventLog, request: Append) -> Outcome:
    """Commit one request by itself and give its outcome."""
    return (await log.commit([request]))[0]


POISON = [
    pytest.param(TrialCreated(trial=0, parameters={"x": float("nan")}), r"\$\.parameters\.x is nan", id="nan"),
    pytest.param(
        DataAttached(trial=0, observations=(Observation("y", 1.0), Observation("z", float("inf")))),
        r"\$\.observations\[1\]\.mean is inf",
        id="inf",
    ),
    pytest.param(TrialFailed(trial=0, reason="half \ud83d a face"), r"\$\.reason has half a surrogate", id="surrogate"),
    pytest.param(TrialCompleted(trial=1 << 64), r"\$\.trial does not fit into 64 bits", id="integer"),
    pytest.param(
        TrialRunning(trial=0, attempt=1, metadata={"n": [0, -(1 << 63) - 1]}), r"\$\.metadata\.n\[1\]", id="n"
    ),
    pytest.param(TrialRunning(trial=0, attempt=1, metadata={"a": {1: 2}}), r"\$\.metadata\.a has the key 1", id="key"),
    pytest.param(TrialRunning(trial=0, attempt=1, metadata={"a": (1, 2)}), r"\$\.metadata\.a would be", id="tuple"),
    pytest.param(TrialRunning(trial=0, attempt=1, metadata={"s": {1}}), r"\$\.metadata\.s", id="set"),
    pytest.param(
        TrialRunning(trial=0, attempt=1, metadata={"o": object()}), r"\$\.metadata\.o is of type", id="object"
    ),
    pytest.param(TrialFailed(trial=0, reason="x" * (1 << 20)), r"1048\d+ bytes", id="large"),
    pytest.param(TrialFailed(trial=0, reason="ä" * (1 << 19)), r"1048\d+ bytes", id="large in UTF-8"),
    pytest.param(TrialCompleted(trial="seven"), r"\$\.trial", id="wrong type"),  # type: ignore[arg-type]
]


def _nested(levels: int) -> TrialRunning:
    inner: Any = 1
    for _ in range(levels):
        inner = [inner]
    return TrialRunning(trial=0, attempt=1, metadata={"deep": inner})


class LogContract:
    """The tests every ``EventLog`` must pass."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The event loop to run on."""
        return "asyncio"

    @pytest.fixture
    def make_log(self) -> MakeLog:
        """Give a function that makes a fresh, empty log; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> Reopen:
        """Give a function that opens a closed log anew; to be overridden where the log is durable."""
        pytest.skip("this log does not outlive its process")

    @pytest.fixture
    async def log(self, make_log: MakeLog) -> AsyncIterator[EventLog]:
        """A fresh log, closed after the test."""
        log = await make_log()
        yield log
        await log.close()

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
    async def test_a_request_without_events_is_refused(self, log: EventLog) -> None:
        """It would have no numbers to answer with."""
        assert isinstance(await commit_one(log, Append(drafts=())), EventRejected)

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

    @pytest.mark.anyio
    @pytest.mark.parametrize(("event", "where"), POISON)
    async def test_poison_is_refused_with_its_place_and_leaves_no_trace(
        self, log: EventLog, event: Event, where: str
    ) -> None:
        """What could not be read again is not stored."""
        before = log.head
        outcome = await commit_one(log, append(event))

        assert isinstance(outcome, EventRejected)
        with pytest.raises(EventRejected, match=where):
            raise outcome
        assert log.head == before
        assert await commit_one(log, append(0)) == Stored(1, 1)

    @pytest.mark.anyio
    async def test_nesting_has_a_limit(self, log: EventLog) -> None:
        """Thirty-two levels are stored, one more is refused, and a million are no accident."""
        assert await commit_one(log, append(_nested(30))) == Stored(1, 1)
        assert isinstance(await commit_one(log, append(_nested(31))), EventRejected)
        assert isinstance(await commit_one(log, append(_nested(100_000))), EventRejected)
        assert [record.event for record in log.read()] == [_nested(30)]

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        "envelope",
        [
            {"actor": "\ud800"},
            {"reason": 3},
            {"actor": None},
            {"trial": True},
            {"trial": 1 << 63},
            {"cause": -(1 << 70)},
            {"observed_at": 0.5},
            {"at": -1},
            {"reason": "x" * 100_000},
        ],
    )
    async def test_an_envelope_that_would_not_be_read_back_is_refused(
        self, log: EventLog, envelope: dict[str, Any]
    ) -> None:
        """Types are not checked when a draft is made, so they are here."""
        assert isinstance(await commit_one(log, append(0, **envelope)), EventRejected)
        assert log.head.seq == 0

    @pytest.mark.anyio
    async def test_recorded_at_never_goes_back(self, log: EventLog) -> None:
        """Equal is allowed, earlier is not, within a request and between them."""
        backwards = Append(drafts=(draft(0, at=6), draft(1, at=5)))
        outcomes = await log.commit([append(0, at=5), append(1, at=4), backwards, append(2, at=5)])

        assert [type(outcome) for outcome in outcomes] == [Stored, EventRejected, EventRejected, Stored]
        assert [record.recorded_at for record in log.read()] == [5, 5]

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
