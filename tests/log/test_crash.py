"""Killed at any named point, a process leaves no log or a whole one, and loses nothing it was told is stored."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from titrant.errors import LogMissing
from titrant.log import opening, sqlite
from titrant.log.replay import read_log
from titrant.log.sqlite import SqliteLog
from titrant.runtime import crash_points
from titrant.runtime.crash_points import _armed
from titrant.testing.log_contract import append

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

POINTS = {
    # name: acknowledged when it is reached, and what may be there (None: no log)
    "log.create.before": (0, {None}),
    "log.create.filled": (0, {None}),
    "log.create.after": (0, {0}),
    "log.open.before": (0, {0}),
    "log.open.after": (0, {0}),
    "log.commit.before:trial.completed": (0, {0}),
    "log.commit.after:trial.completed": (0, {3}),
    "log.commit.before:trial.completed#2": (3, {3}),
    "log.commit.after:trial.completed#2": (3, {4}),
    "log.snapshot.before": (4, {4}),
    "log.snapshot.after": (4, {4}),
    "log.close.before": (4, {4}),
    "log.close.after": (4, {4}),
}


async def life(path, acknowledged):
    log = await SqliteLog.create(path, log_id="x", now=1, engine="test")
    await log.commit([append(0, 1), append(2)])
    acknowledged(3)
    await log.commit([append(3)])
    acknowledged(4)
    await log.save_snapshot(4, b"state")
    await log.close()


def lived_until(path, point, listing=""):
    """Live in a forked child until it is killed at *point*; give how it ended and what it was told is stored."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            crash = _armed({"TITRANT_CRASH_AT": point, "TITRANT_CRASH_LIST": listing})
            sqlite.crash_point = opening.crash_point = crash
            asyncio.run(life(path, lambda count: os.write(tell, bytes([count]))))
        finally:
            os._exit(0)
    os.close(tell)
    _, status = os.waitpid(child, 0)
    counts = os.read(told, 100)
    os.close(told)
    return os.WTERMSIG(status), max(counts, default=0)


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_point_loses_nothing_and_leaves_nothing_half(path, point):
    acknowledged, stored = POINTS[point]
    assert lived_until(path, point) == (signal.SIGKILL, acknowledged)

    async def after():
        try:
            log = await SqliteLog.open(path, now=2)
        except LogMissing:
            log = None
        count = None if log is None else log.head.seq
        if log is None:
            log = await SqliteLog.create(path, log_id="y", now=2, engine="test")
        await log.commit([append(9)])
        await log.close()
        return count

    count = asyncio.run(after())
    assert count in stored
    assert [record.seq for record in read_log(path)] == list(range(1, (count or 0) + 2))


def test_the_points_of_the_log_are_all_tried(path, tmp_path):
    listing = tmp_path / "points.txt"
    lived_until(path, "", str(listing))
    names = listing.read_text(encoding="utf-8").split()
    assert sorted(names) == sorted({point.partition("#")[0] for point in POINTS})


def test_a_point_kills_at_the_time_it_is_told():
    died = []
    point = _armed({"TITRANT_CRASH_AT": "here#3"}, die=lambda: died.append(True))
    for name in ("here", "there", "here", "there"):
        point(name)
    assert not died
    point("here")
    assert died


def test_points_do_nothing_unless_a_test_says_so():
    assert crash_points._armed({}) is crash_points._off
    assert crash_points._off("anything") is None


def test_points_are_armed_by_the_environment():
    code = (
        "from titrant.runtime.crash_points import crash_point; crash_point('x'); print(1, flush=True); crash_point('x')"
    )
    environment = {**os.environ, "TITRANT_CRASH_AT": "x#2"}
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, env=environment)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, b"1\n")
