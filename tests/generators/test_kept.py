"""Whatever the space, no suggestion of any generator violates a constraint or a step, and there always is one."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.generators.strategies import mixtures, spaces

from titrant.generators import dispatch
from titrant.generators.base import Design, Point, Request
from titrant.generators.external import settled
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation

SEEDS = st.integers(0, 2**31)


def searched(number):
    return settings(max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def kept(space, reply, count=1):
    """Every suggestion is canonical and keeps everything; only a space that is used up has fewer than asked for."""
    assert reply.short_reason or len(reply.proposals) == count
    assert reply.proposals
    for proposal in reply.proposals:
        checked = space.check(proposal.parameters)
        assert list(checked.items()) == list(proposal.parameters.items())
        assert [type(value) for value in checked.values()] == [type(value) for value in proposal.parameters.values()]


@given(spaces() | mixtures(), SEEDS, st.sampled_from(["sobol", "random", "latin_hypercube", "centre"]))
@searched(60)
def test_designs_keep_everything(space, seed, node):
    kept(space, dispatch.suggest(Request(space=space, node=node, count=3, seed=seed, design=Design(size=3))), 3)


def observed(space, seed, number=6):
    """Trials with data at feasible points, all over the space."""
    made = dispatch.suggest(Request(space=space, count=number, seed=seed + 1)).proposals
    rng = np.random.default_rng(seed)
    return tuple(
        Point(index, proposal.parameters, (Observation("y", float(rng.normal())), Observation("z", float(index))))
        for index, proposal in enumerate(made)
    )


def modelled(space, seed, objective):
    given_points = observed(space, seed)
    return Request(
        space=space,
        node="bo",
        optimization=optimization_config(objective),
        observed=given_points,
        taken=tuple(point.parameters for point in given_points),
        count=2,
        seed=seed,
    )


def left(space, reply):
    """As ``kept``, but the trials with data may have used the space up."""
    if reply.proposals or not reply.short_reason:
        kept(space, reply, 2)


@given(spaces() | mixtures(), SEEDS)
@searched(15)
def test_the_model_keeps_everything(space, seed):
    left(space, dispatch.suggest(modelled(space, seed, "y")))


@given(spaces() | mixtures(), SEEDS)
@searched(3)
def test_the_model_of_several_objectives_keeps_everything(space, seed):
    left(space, dispatch.suggest(modelled(space, seed, "y, -z")))


@given(spaces() | mixtures(), SEEDS)
@searched(60)
def test_wishes_from_outside_are_moved_to_points_that_keep_everything(space, seed):
    rng = np.random.default_rng(seed)
    ends = {one.name: one.interval for one in space.parameters if one.interval is not None}
    first = {one.name: one.allowed[0] for one in space.parameters if one.interval is None}
    wishes = [first | {name: rng.uniform(low - 1, high + 1) for name, (low, high) in ends.items()} for _ in range(4)]

    kept(space, settled(Request(space=space, count=2, seed=seed), wishes, "wishes", {}), 2)
