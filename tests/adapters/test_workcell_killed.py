"""A workcell whose engine is killed in each of its steps: the next one goes on, and no instrument starts twice."""

from __future__ import annotations

import pytest
from tests.adapters.loops import killed_and_resumed, killed_at
from tests.adapters.test_workcell_twins import steps
from tests.adapters.twin.wiring import make_lab, opened


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def doors():
    """A supply behind SCPI and a reactor behind REST."""
    async with opened("scpi", make_lab()) as scpi, opened("rest", make_lab(places=2)) as rest:
        yield scpi, rest


@pytest.fixture
def configured(doors):
    def with_(**supply):
        return {"steps": steps(*doors, short={"poll_s": 0.01}, **supply), "places": 2}

    return with_


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("point", "at_kill", "lost"),
    [
        (1, 0, True),  # the supply's step is in the log, and SCPI cannot say whether it began
        (3, 1, False),  # it has ended
        (5, 1, False),  # so is what names it there: the service is asked, and does not know it
        (6, 2, False),  # it has ended
    ],
)
async def test_killed_at_each_step_nothing_is_started_twice(doors, configured, tmp_path, point, at_kill, lost):
    scpi, rest = (door.lab for door in doors)
    loop = await killed_at(
        f"runner.recorded#{point}",
        "workcell",
        configured(),
        starts=lambda: scpi.ledger.starts() + rest.ledger.starts(),
        folder=tmp_path,
        trials=2,
    )
    keys = [start.key for lab in (scpi, rest) for start in lab.ledger.all_starts]

    assert loop.at_kill == at_kill
    assert len(keys) == len(set(keys)) == (2 if lost else 4), "twice, or not at all"
    assert loop.lost == ([0] if lost else [])
    assert loop.ended["trial.completed"] == 2 - len(loop.lost)


@pytest.mark.anyio
async def test_a_killed_engine_takes_two_trials_up_where_they_were(doors, configured, tmp_path):
    scpi, rest = (door.lab for door in doors)
    loop = await killed_and_resumed(
        "workcell",
        configured(rerun_safe=True, until=""),
        starts=rest.ledger.starts,
        folder=tmp_path,
        parallelism=2,
    )
    twice = [start.key for start in rest.ledger.all_starts]

    assert loop.lost == []
    assert loop.starts == len(set(twice)) == 12
    assert 12 <= scpi.ledger.starts() <= 13, "a voltage may be set twice: the step under way at the kill"
