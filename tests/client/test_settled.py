"""A runner that lost sight of a trial is told once somebody has said what became of it."""

from __future__ import annotations

import anyio
import pytest

from titrant import AsyncClient, OutcomeUnknown, PushedRunner, RangeParameterConfig


class Lossy(PushedRunner):
    """Loses sight of every trial."""

    capacity = 1

    def __init__(self, **declared):
        self.lost, self.told, self.heard = [], [], anyio.Event()
        for name, value in declared.items():
            setattr(self, name, value)

    async def run(self, attempt):
        self.lost.append(attempt.key)
        raise OutcomeUnknown("the line is dead")

    async def settled(self, attempt):
        self.told.append(attempt.key)
        self.heard.set()


async def lost(client, runner):
    await client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))])
    await client.configure_optimization("y")
    await client.configure_runner(runner)
    await client.run_trials(1, progress=False, tolerated_trial_failure_rate=1.0)


@pytest.mark.anyio
@pytest.mark.parametrize("outcome", ["failed", "abandoned", "completed"])
async def test_a_person_says_what_became_of_it_and_the_runner_hears_that(outcome):
    runner = Lossy()
    async with AsyncClient(random_seed=1) as client:
        await lost(client, runner)
        assert runner.told == [], "nobody has looked yet"
        await client.resolve(0, outcome, "looked at it", raw_data={"y": 1.0} if outcome == "completed" else None)
        with anyio.fail_after(10.0):
            await runner.heard.wait()

    assert runner.told == runner.lost


@pytest.mark.anyio
async def test_a_policy_that_settles_it_is_heard_as_well():
    runner = Lossy(on_unknown="abandon")
    async with AsyncClient(random_seed=1) as client:
        await lost(client, runner)
        with anyio.fail_after(10.0):
            await runner.heard.wait()

    assert runner.told == runner.lost
