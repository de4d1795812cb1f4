"""A map of closed trials behaves like a dict that is copied for every change, whoever goes on from which version."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.log.snapshots import pack, unpack
from titrant.model.trial import Trial
from titrant.rules.closed import NONE, ClosedTrials
from titrant.rules.state import State


def same(found, wanted):
    assert dict(found.items()) == wanted
    assert sorted(found) == sorted(wanted)
    assert len(found) == len(wanted)
    assert {index: found[index] for index in wanted} == wanted
    assert [found.get(index) for index in range(12)] == [wanted.get(index) for index in range(12)]
    assert found == ClosedTrials.of(wanted)
    assert found != ClosedTrials.of({**wanted, 99: Trial(99, {})})


# Mostly the newest version, as in an experiment; else any older one, which then has two futures.
VERSION = st.one_of(st.just(-1), st.integers(0, 30))


@given(st.lists(st.tuples(VERSION, st.integers(0, 11), st.sampled_from(["insert", "insert", "remove"])), max_size=30))
def test_every_version_stays_what_it_was(changes):
    versions = [(NONE, {})]
    for number, (which, index, change) in enumerate(changes):
        before, wanted = versions[which if which < len(versions) else -1]
        if change == "insert":
            trial = Trial(index, {}, arm_name=str(number))
            versions.append((before.insert(trial), {**wanted, index: trial}))
        elif index in wanted:
            left = {other: trial for other, trial in wanted.items() if other != index}
            versions.append((before.remove(index), left))
    for found, wanted in versions:
        same(found, wanted)


def test_many_threads_may_go_on_from_one_version():
    first = NONE.insert(Trial(0, {}))

    def future(number):
        closed = first
        for index in range(1, 200):
            closed = closed.insert(Trial(index, {}, arm_name=str(number)))
        return closed

    with ThreadPoolExecutor(8) as pool:
        futures = list(pool.map(future, range(8)))
    for number, closed in enumerate(futures):
        assert [closed[index].arm_name for index in range(1, 200)] == [str(number)] * 199
        assert len(closed) == 200


def test_experiments_of_one_process_share_nothing():
    one, other = NONE.insert(Trial(0, {}, arm_name="one")), NONE.insert(Trial(0, {}, arm_name="other"))
    assert (one[0].arm_name, other[0].arm_name, len(NONE)) == ("one", "other", 0)
    assert one != other


def test_a_trial_that_is_not_there_is_none_or_a_key_error():
    assert NONE.get(3) is None
    assert NONE.get(3, "default") == "default"
    with pytest.raises(KeyError, match="3"):
        NONE[3]
    with pytest.raises(KeyError, match="3"):
        NONE.remove(3)
    assert "3" not in NONE


def test_a_snapshot_of_an_older_version_holds_nothing_newer():
    before = State(closed=NONE.insert(Trial(0, {})))
    before.closed.insert(Trial(1, {}))
    assert unpack(pack(before)) == before
    assert len(unpack(pack(before)).closed) == 1
