"""What cannot be read again is not stored."""

from __future__ import annotations

from typing import Any

import pytest

from titrant.errors import EventRejected
from titrant.log.base import Append, EventLog, Stored
from titrant.messages.events import DataAttached, Event, TrialCompleted, TrialCreated, TrialFailed, TrialRunning
from titrant.model.observation import Observation
from titrant.testing.log_contract.fixtures import LogFixtures
from titrant.testing.log_contract.requests import append, commit_one, draft

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


class Refusing(LogFixtures):
    """What cannot be read again is not stored."""

    @pytest.mark.anyio
    async def test_a_request_without_events_is_refused(self, log: EventLog) -> None:
        """It would have no numbers to answer with."""
        assert isinstance(await commit_one(log, Append(drafts=())), EventRejected)

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
